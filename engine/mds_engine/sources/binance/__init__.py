"""Binance spot: REST and combined streams. No key needed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mds_engine.model import Instrument, Interval
from mds_engine.sources.binance.settings import BinanceSettings
from mds_engine.sources.contract import UNTOLD, DecodeKind, FrameDecoder, Source, SourceContext, SourcePlugin

if TYPE_CHECKING:
    from mds_engine.model import Bars

_FROM_A_FILE = Instrument("BINANCE", UNTOLD)
"""Klines do not say whose they are."""


def _create(settings: BinanceSettings, context: SourceContext) -> Source:
    from mds_engine.sources.binance.rest import BinanceSource

    return BinanceSource(settings, context)


def _stream(payload: bytes) -> Iterable[Any]:
    from mds_engine.sources.binance.capture import decode_stream_file

    return decode_stream_file(payload)


def _klines(payload: bytes) -> "Iterable[Bars]":
    from mds_engine.sources.binance.decode_rest import decode_klines

    return [decode_klines(_data(payload), _FROM_A_FILE, Interval.M1)]


def _ticker(payload: bytes) -> Iterable[Any]:
    from mds_engine.sources.binance.decode_rest import decode_any_ticker

    return decode_any_ticker(_data(payload))


def _vision(payload: bytes) -> "Iterable[Bars]":
    from mds_engine.sources.binance.decode_vision import decode_vision

    return [decode_vision(payload, _FROM_A_FILE, Interval.M1)]


def _data(payload: bytes) -> bytes:
    """The body, alone or kept with its HTTP status. Raises what it refuses."""
    from mds_engine.sources.binance.errors import classify_recorded
    from mds_engine.sources.captured import captured_reply

    reply = captured_reply(payload)
    body = payload if reply is None else reply.body
    error = classify_recorded(body, None if reply is None else reply.status)
    if error is not None:
        raise error
    return body


def _frames(source: str) -> FrameDecoder:
    from mds_engine.sources.binance.frames import BinanceFrames

    return BinanceFrames(source)


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
    frame_decoder=_frames,
)
