"""What `mds-tui decode alphavantage KIND FILE` reads."""

from collections.abc import Iterable

from mds_engine.model import Bars, Quote
from mds_engine.sources.alphavantage.decode import decode_quote, decode_series
from mds_engine.sources.contract import DecodeKind


def quote(body: bytes) -> Iterable[Quote]:
    """The quote of a `GLOBAL_QUOTE` body."""
    return [decode_quote(body)]


def series(body: bytes) -> Iterable[Bars]:
    """The bars of a `TIME_SERIES_*` body, JSON or CSV."""
    return [decode_series(body)]


DECODERS = {
    "quote": DecodeKind(quote, "body", "a quote: function=GLOBAL_QUOTE"),
    "series": DecodeKind(series, "body", "bars: function=TIME_SERIES_*, JSON or CSV"),
}
