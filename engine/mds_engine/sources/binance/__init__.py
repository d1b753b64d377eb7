"""Binance spot: REST and combined streams. No key needed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mds_engine.model import Instrument, Interval
from mds_engine.sources.binance.settings import BinanceSettings
from mds_engine.sources.contract import DecodeKind, Source, SourceContext, SourcePlugin

if TYPE_CHECKING:
    from mds_engine.model import Bars

_FROM_A_FILE = Instrument("BINANCE", "UNKNOWN")
"""Klines do not say whose they are."""


def _create(settings: BinanceSettings, context: SourceContext) -> Source:
    from mds_engine.sources.binance.rest import BinanceSource

    return BinanceSource(settings, context)


def _stream(payload: bytes) -> Iterable[Any]:
    from mds_engine.sources.binance.capture import decode_stream_file

    return decode_stream_file(payload)


def _klines(payload: bytes) -> "Iterable[Bars]":
    from mds_engine.sources.binance.decode_rest import decode_klines

    raise_refusal(payload)
    return [decode_klines(payload, _FROM_A_FILE, Interval.M1)]


def _ticker(payload: bytes) -> Iterable[Any]:
    from mds_engine.sources.binance.decode_rest import decode_any_ticker

    raise_refusal(payload)
    return decode_any_ticker(payload)


def _vision(payload: bytes) -> "Iterable[Bars]":
    from mds_engine.sources.binance.decode_vision import decode_vision

    return [decode_vision(payload, _FROM_A_FILE, Interval.M1)]


def raise_refusal(payload: bytes) -> None:
    """Raise what an error body says; the HTTP status that it came with is not known."""
    from mds_engine.sources.binance.errors import classify_body

    error = classify_body(payload)
    if error is not None:
        raise error


plugin = SourcePlugin(
    kind="binance",
    title="Binance",
    settings=BinanceSettings,
    create=_create,
    decoders={
        "stream": DecodeKind(_stream, "body", "WebSocket frames: one, or a log with one a line; also gzip"),
        "klines": DecodeKind(_klines, "body", "GET /api/v3/klines"),
        "ticker": DecodeKind(_ticker, "body", "GET /api/v3/ticker/24hr, /price or /bookTicker"),
        "vision": DecodeKind(_vision, "body", "a kline archive of data.binance.vision, CSV or zip"),
    },
)
