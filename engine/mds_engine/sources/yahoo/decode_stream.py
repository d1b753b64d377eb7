"""The streamer's frames to ticks. Pure.

A frame is base64 of one protobuf `PricingData`: bare in version 1, inside
`{"type": "pricing", "message": …}` in version 2.
"""

import importlib.util
import math
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from mds_engine.errors import InvalidPayload, NotFound, Unavailable
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.sources.yahoo.failures import excerpt
from mds_engine.sources.yahoo.float32 import meant
from mds_engine.sources.yahoo.symbols import to_instrument

_MILLISECOND_NS = 1_000_000
_CRYPTO = 41
_QUOTE_KIND = TickKind.QUOTE


class _Frame(msgspec.Struct):
    message: str | None = None
    type: str = "pricing"


_FRAME = msgspec.json.Decoder(_Frame)


def decode_stream(frame: str | bytes) -> list[tuple[str, Tick]]:
    """The ticks of one frame, each with Yahoo's symbol; empty for a frame that bears no prices.

    Protobuf leaves a zero out, so a zero cannot be told from an absent field:
    both are None. Raises InvalidPayload.
    """
    data = _pricing(frame)
    if data is None:
        return []
    symbol = data.id
    return [(symbol, _tick(data, to_instrument(symbol, data.exchange), "", 0))]


def decode_wanted(
    frame: str | bytes, wanted: Mapping[str, Sequence[Instrument]], source: str, received_ns: int
) -> list[Tick]:
    """The ticks of one frame, for each instrument that is wanted by its symbol; others cost little.

    Raises InvalidPayload.
    """
    data = _pricing(frame)
    if data is None:
        return []
    instruments = wanted.get(data.id)
    if not instruments:
        return []
    if len(instruments) == 1:  # nearly always; spares a fifth of the whole
        return [_tick(data, instruments[0], source, received_ns)]
    return [_tick(data, instrument, source, received_ns) for instrument in instruments]


def _pricing(frame: str | bytes) -> Any:
    """The message within, None if the frame bears no prices."""
    text = _message(frame)
    if not text:
        return None
    try:
        data = _parser()(a2b_base64(text, strict_mode=True))
    except (ValueError, _decode_error()) as error:  # binascii.Error is a ValueError
        raise InvalidPayload(f"Yahoo's frame cannot be read: {error}", raw=excerpt(frame)) from error
    if not data.id:
        raise InvalidPayload("Yahoo's frame names no symbol", raw=excerpt(frame))
    return data


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


def _tick(data: Any, instrument: Instrument, source: str, received_ns: int) -> Tick:
    """Each field is read once and, if absent, not looked at further: that is most of what a message costs."""
    volume, time_ms, size, price = data.day_volume, data.time, data.last_size, data.price
    if size and size == volume and data.quote_type == _CRYPTO:
        size = 0  # for crypto Yahoo puts the day's volume there, which is no size of a trade
    open_, high, low, close = data.open_price, data.day_high, data.day_low, data.previous_close
    bid, ask, bid_size, ask_size = data.bid, data.ask, data.bid_size, data.ask_size
    interest = data.open_interest
    if bid or ask or bid_size or ask_size or interest:
        return Tick(
            instrument=instrument,
            kind=_QUOTE_KIND,
            price=_price(price),
            size=size * 1.0 or None,
            time_ns=time_ms * _MILLISECOND_NS or None,
            received_ns=received_ns,
            volume=volume * 1.0 or None,
            bid=_price(bid),
            bid_size=bid_size * 1.0 or None,
            ask=_price(ask),
            ask_size=ask_size * 1.0 or None,
            open=_price(open_),
            high=_price(high),
            low=_price(low),
            previous_close=_price(close),
            open_interest=interest * 1.0 or None,
            source=source,
        )
    # Most messages have none of these, and Python passes up to 15 names three times as fast as 17.
    return Tick(
        instrument=instrument,
        kind=_QUOTE_KIND,
        price=_price(price) if price else None,
        size=size * 1.0 if size else None,
        time_ns=time_ms * _MILLISECOND_NS or None,
        received_ns=received_ns,
        volume=volume * 1.0 if volume else None,
        open=_price(open_) if open_ else None,
        high=_price(high) if high else None,
        low=_price(low) if low else None,
        previous_close=_price(close) if close else None,
        source=source,
    )


@lru_cache(maxsize=4096)
def _price(value: float) -> float | None:
    """As it was meant. Remembered, for every message about a share repeats the figures of its day."""
    if not value:
        return None
    if not 0 < value < math.inf:
        raise InvalidPayload(f"Yahoo's frame holds an impossible price: {value}")
    return meant(value)


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
