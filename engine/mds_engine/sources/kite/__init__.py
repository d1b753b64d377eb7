"""Zerodha Kite Connect v3: REST and the binary stream of the Indian exchanges."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mds_engine.model import Instrument, Interval
from mds_engine.sources.contract import DecodeKind, Source, SourceContext, SourcePlugin
from mds_engine.sources.kite.settings import KiteSettings

if TYPE_CHECKING:
    from mds_engine.model import Bars, Quote, Tick
    from mds_engine.sources.kite.decode_instruments import KiteInstrument

_FROM_A_FILE = Instrument("KITE", "UNKNOWN")
"""Candles do not say whose they are."""


def _create(settings: KiteSettings, context: SourceContext) -> Source:
    from mds_engine.sources.kite.rest import KiteSource

    return KiteSource(settings, context)


def _ticker(payload: bytes) -> "Iterable[Tick]":
    from mds_engine.sources.kite.capture import decode_ticker_file

    return decode_ticker_file(payload)


def _quote(payload: bytes) -> "Iterable[Quote]":
    from mds_engine.sources.kite.decode_rest import decode_quotes

    _raise_refusal(payload)
    return decode_quotes(payload).values()


def _historical(payload: bytes) -> "Iterable[Bars]":
    from mds_engine.sources.kite.decode_rest import decode_historical

    _raise_refusal(payload)
    return [decode_historical(payload, _FROM_A_FILE, Interval.M1)]


def _instruments(payload: bytes) -> "Iterable[KiteInstrument]":
    from mds_engine.sources.kite.decode_instruments import decode_instruments

    _raise_refusal(payload)
    return decode_instruments(payload)


def _raise_refusal(payload: bytes) -> None:
    """Raise what an error body says; the HTTP status that it came with is not known."""
    from mds_engine.sources.kite.errors import classify_body

    error = classify_body(payload)
    if error is not None:
        raise error


_DECODERS: dict[str, DecodeKind] = {
    "ticker": DecodeKind(
        _ticker, "body", "stream frames, binary or a line of base64 each; also bare packets"
    ),
    "quote": DecodeKind(_quote, "body", "GET /quote"),
    "ohlc": DecodeKind(_quote, "body", "GET /quote/ohlc or /quote/ltp"),
    "historical": DecodeKind(_historical, "body", "GET /instruments/historical/…"),
    "instruments": DecodeKind(_instruments, "body", "GET /instruments, CSV"),
}

plugin: SourcePlugin = SourcePlugin(
    kind="kite",
    title="Zerodha Kite",
    settings=KiteSettings,
    create=_create,
    needs_key=True,
    decoders=_DECODERS,
)
