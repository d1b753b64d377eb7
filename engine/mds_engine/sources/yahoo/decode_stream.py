"""The streamer's frames to ticks, by protobuf's own parser. Pure.

A frame is base64 of one protobuf `PricingData`: bare in version 1, inside
`{"type": "pricing", "message": …}` in version 2.
"""

import importlib.util
import math
from binascii import a2b_base64
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from mds_engine.errors import InvalidPayload, NotFound, Unavailable
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.sources.yahoo.failures import excerpt
from mds_engine.sources.yahoo.float32 import HUNDREDTHS_BELOW, meant
from mds_engine.sources.yahoo.layout import CRYPTO
from mds_engine.sources.yahoo.memo import Memo
from mds_engine.sources.yahoo.symbols import to_instrument

_MILLISECOND_NS = 1_000_000
_MOST_PRICES = 16_384
_QUOTE_KIND = TickKind.QUOTE

WHOLE = 1.5 * 2.0**52
"""Added to a smaller float64 and taken away again, it leaves the nearest whole number.
`round` takes longer."""

SPLIT = 2.0**29 + 1
"""A float64 times this, less the same less the float64, is the nearest float32 (Veltkamp's splitting of
53 bits at 24). Packing and unpacking takes longer."""


class _Frame(msgspec.Struct):
    message: str | None = None
    type: str = "pricing"


class _Pricing(msgspec.Struct, tag_field="type", tag="pricing", gc=False):
    """The usual frame. msgspec reads base64 in a third of the time that binascii takes."""

    message: bytes


_FRAME = msgspec.json.Decoder(_Frame)
decode_pricing = msgspec.json.Decoder(_Pricing).decode
"""The usual frame; its `message` is the protobuf. Raises msgspec.MsgspecError for any other frame."""


def decode_stream(frame: str | bytes) -> list[tuple[str, Tick]]:
    """The ticks of one frame, each with Yahoo's symbol; empty for a frame that bears no prices.

    Protobuf leaves a zero out, so a zero cannot be told from an absent field:
    both are None. Raises InvalidPayload.
    """
    packed = unpacked(frame)
    if not packed:
        return []
    data = parsed(packed, frame)
    symbol = data.id
    return [(symbol, to_tick(data, to_instrument(symbol, data.exchange), "", 0))]


def unpacked(frame: str | bytes) -> bytes:
    """The protobuf within a frame, nothing of one that bears no prices. Raises InvalidPayload, NotFound."""
    try:
        return decode_pricing(frame).message
    except msgspec.MsgspecError:
        message = _message(frame)
    try:
        return a2b_base64(message, strict_mode=True)
    except ValueError as error:  # binascii.Error is one
        raise InvalidPayload(f"Yahoo's frame cannot be read: {error}", raw=excerpt(frame)) from error


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


def parsed(packed: bytes, frame: str | bytes) -> Any:
    """yfinance's `PricingData` of a frame's protobuf. Raises InvalidPayload, also if it names no symbol."""
    try:
        data = _parser()(packed)
    except (ValueError, _decode_error()) as error:
        raise InvalidPayload(f"Yahoo's frame cannot be read: {error}", raw=excerpt(frame)) from error
    if not data.id:
        raise InvalidPayload("Yahoo's frame names no symbol", raw=excerpt(frame))
    return data


def to_tick(data: Any, instrument: Instrument, source: str, received_ns: int) -> Tick:
    """Each field is read once and, if absent, not looked at further: that is most of what a message costs.

    `data` is a `PricingData`. Raises InvalidPayload.
    """
    volume, time_ms, size, price = data.day_volume, data.time, data.last_size, data.price
    if size and size == volume and data.quote_type == CRYPTO:
        size = 0  # for crypto Yahoo puts the day's volume there, which is no size of a trade
    open_, high, low, close = data.open_price, data.day_high, data.day_low, data.previous_close
    bid, ask, bid_size, ask_size = data.bid, data.ask, data.bid_size, data.ask_size
    interest = data.open_interest
    # In order, not by name: Python passes up to fifteen names on quickly, and then no more.
    return Tick(
        instrument,
        _QUOTE_KIND,
        to_price(price) if price else None,
        size * 1.0 if size else None,
        time_ms * _MILLISECOND_NS if time_ms else None,
        received_ns,
        source,
        None,
        None,
        volume * 1.0 if volume else None,
        to_price(bid) if bid else None,
        bid_size * 1.0 if bid_size else None,
        to_price(ask) if ask else None,
        ask_size * 1.0 if ask_size else None,
        PRICES[open_] if open_ else None,
        PRICES[high] if high else None,
        PRICES[low] if low else None,
        PRICES[close] if close else None,
        interest * 1.0 if interest else None,
    )


def to_price(sent: float) -> float:
    """A price as it was meant, by the float32 that was sent. Raises InvalidPayload for what is no price."""
    price = (sent * 1e2 + WHOLE - WHOLE) / 1e2
    split = price * SPLIT
    if 0.0 < split - (split - price) == sent < HUNDREDTHS_BELOW:
        return price
    if not 0 < sent < math.inf:
        raise InvalidPayload(f"Yahoo's frame holds an impossible price: {sent}")
    return meant(sent)


PRICES = Memo(to_price, _MOST_PRICES)
"""`to_price` for the figures of the day, which messages repeat."""


@cache
def _parser() -> Callable[[bytes], Any]:
    return _pricing_type().FromString  # type: ignore[no-any-return]


@cache
def _pricing_type() -> Any:
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
    return module.PricingData


@cache
def _decode_error() -> type[Exception]:
    from google.protobuf.message import DecodeError

    return DecodeError  # type: ignore[no-any-return]
