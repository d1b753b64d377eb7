"""Binance's own names for instruments and intervals."""

import re

from mds_engine.model import Instrument, Interval

EXCHANGE = "BINANCE"

# Binance's own legal range for a symbol, widened to letters of any script: it lists such coins too.
_LEGAL = re.compile(r"[\w\-.]{1,20}\Z")

_INTERVALS: dict[Interval, str] = {
    interval: "1M" if interval is Interval.MO1 else interval.value
    for interval in Interval
    if interval is not Interval.M10
}


def is_binance(instrument: Instrument) -> bool:
    """Whether Binance can have this instrument at all."""
    return instrument.exchange == EXCHANGE and _LEGAL.match(instrument.symbol) is not None


def from_symbol(symbol: str) -> Instrument:
    """The instrument of Binance's symbol, as it stands in payloads: capitals."""
    return Instrument(EXCHANGE, symbol)


def stream_name(instrument: Instrument, kind: str) -> str:
    """The name of a stream: small letters before the @, where payloads have capitals."""
    return f"{instrument.symbol.lower()}@{kind}"


def vendor_interval(interval: Interval) -> str | None:
    """Binance's spelling (a month is `1M`), None for what it does not have."""
    return _INTERVALS.get(interval)
