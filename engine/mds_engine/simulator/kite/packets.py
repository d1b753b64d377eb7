"""Kite's binary ticks: big-endian packets whose kind is told by their length alone, several to a frame."""

import struct
from collections.abc import Sequence
from typing import Literal

from mds_engine.simulator.kite.picture import DepthLevel, Picture

Mode = Literal["ltp", "quote", "full"]

HEARTBEAT = b"\x00"
"""Sent when there is nothing to say, so that the client knows that the line is up."""

DEPTH_LEVELS = 5


def packet(picture: Picture, mode: Mode) -> bytes:
    """One packet: 8 bytes for ltp, 44 or 184 for quote and full, 28 or 32 for those of an index."""
    if mode == "ltp":
        return struct.pack(">II", picture.token, _paise(picture.last_price))
    if picture.is_index:
        return _index_packet(picture, mode)
    head = struct.pack(
        ">11I",
        picture.token,
        _paise(picture.last_price),
        picture.last_quantity,
        _paise(picture.average_price),
        picture.volume,
        picture.buy_quantity,
        picture.sell_quantity,
        _paise(picture.open),
        _paise(picture.high),
        _paise(picture.low),
        _paise(picture.previous_close),
    )
    if mode == "quote":
        return head
    middle = struct.pack(
        ">5I",
        picture.last_trade_time,
        picture.open_interest,
        picture.open_interest_high,
        picture.open_interest_low,
        picture.exchange_time,
    )
    return head + middle + _depth(picture.bids) + _depth(picture.asks)


def frame(packets: Sequence[bytes]) -> bytes:
    """One WebSocket message: how many packets, then each with its length before it."""
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(one)) + one for one in packets)


def _index_packet(picture: Picture, mode: Mode) -> bytes:
    # The order differs from that of tradable instruments: high and low come before open.
    body = struct.pack(
        ">6Ii",
        picture.token,
        _paise(picture.last_price),
        _paise(picture.high),
        _paise(picture.low),
        _paise(picture.open),
        _paise(picture.previous_close),
        _paise(picture.last_price) - _paise(picture.previous_close),
    )
    return body if mode == "quote" else body + struct.pack(">I", picture.exchange_time)


def _depth(levels: Sequence[DepthLevel]) -> bytes:
    padded = [*levels[:DEPTH_LEVELS], *[DepthLevel(0.0, 0, 0)] * (DEPTH_LEVELS - len(levels))]
    return b"".join(
        struct.pack(">IIHH", level.quantity, _paise(level.price), level.orders, 0) for level in padded
    )


def _paise(price: float) -> int:
    return round(price * 100)
