"""The streamer's frames to ticks. Pure.

A frame is base64 of one protobuf `PricingData`: bare in version 1, inside
`{"type": "pricing", "message": …}` in version 2.
"""

import binascii
import importlib.util
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from mds_engine.errors import InvalidPayload, NotFound, Unavailable
from mds_engine.model import Tick, TickKind
from mds_engine.sources.yahoo.failures import excerpt
from mds_engine.sources.yahoo.float32 import meant
from mds_engine.sources.yahoo.symbols import to_instrument

_MILLISECOND_NS = 1_000_000
_CRYPTO = 41


class _Frame(msgspec.Struct):
    message: str | None = None
    type: str = "pricing"


_FRAME = msgspec.json.Decoder(_Frame)


def decode_stream(frame: str | bytes) -> list[tuple[str, Tick]]:
    """The ticks of one frame, each with Yahoo's symbol; empty for a frame that bears no prices.

    Protobuf leaves a zero out, so a zero cannot be told from an absent field:
    both are None. Raises InvalidPayload.
    """
    text = _message(frame)
    if not text:
        return []
    data = _pricing_type()()
    try:
        data.ParseFromString(binascii.a2b_base64(text, strict_mode=True))
    except (ValueError, _decode_error()) as error:  # binascii.Error is a ValueError
        raise InvalidPayload(f"Yahoo's frame cannot be read: {error}", raw=excerpt(frame)) from error
    if not data.id:
        raise InvalidPayload("Yahoo's frame names no symbol", raw=excerpt(frame))
    return [(data.id, _tick(data))]


def _message(frame: str | bytes) -> str:
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    text = text.strip()
    if not text.startswith("{"):
        return text
    try:
        read = _FRAME.decode(text)
    except msgspec.MsgspecError as error:
        raise InvalidPayload(f"Yahoo's frame is not JSON: {error}", raw=excerpt(frame)) from error
    if read.type == "error":
        raise NotFound("Yahoo's streamer refused what was asked", raw=excerpt(frame))
    return read.message or "" if read.type == "pricing" else ""


def _tick(data: Any) -> Tick:
    return Tick(
        instrument=to_instrument(data.id, data.exchange),
        kind=TickKind.QUOTE,
        price=_price(data.price),
        size=_count(_last_size(data)),
        time_ns=data.time * _MILLISECOND_NS or None,
        volume=_count(data.day_volume),
        bid=_price(data.bid),
        bid_size=_count(data.bid_size),
        ask=_price(data.ask),
        ask_size=_count(data.ask_size),
        open=_price(data.open_price),
        high=_price(data.day_high),
        low=_price(data.day_low),
        previous_close=_price(data.previous_close),
        open_interest=_count(data.open_interest),
    )


def _last_size(data: Any) -> int:
    """For crypto Yahoo puts the day's volume in the place of the last size, which is no size of a trade."""
    size: int = data.last_size
    return 0 if data.quote_type == _CRYPTO and size == data.day_volume else size


def _price(value: float) -> float | None:
    if not value:
        return None
    if not 0 < value < math.inf:
        raise InvalidPayload(f"Yahoo's frame holds an impossible price: {value}")
    return meant(value)


def _count(value: int) -> float | None:
    return float(value) if value else None


@cache
def _pricing_type() -> Callable[[], Any]:
    """yfinance's own `PricingData`, from its one file.

    Importing it as `yfinance.pricing_pb2` would run the package's `__init__`:
    1.7 s and pandas, for a file of generated code.
    """
    package = importlib.util.find_spec("yfinance")
    if package is None or not package.submodule_search_locations:
        raise Unavailable("yfinance is not installed: pip install yfinance")
    path = Path(package.submodule_search_locations[0], "pricing_pb2.py")
    spec = importlib.util.spec_from_file_location("mds_engine_yahoo_pricing", path)
    if spec is None or spec.loader is None:
        raise Unavailable(f"yfinance has no {path.name}; another version is needed")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PricingData  # type: ignore[no-any-return]


@cache
def _decode_error() -> type[Exception]:
    from google.protobuf.message import DecodeError

    return DecodeError  # type: ignore[no-any-return]
