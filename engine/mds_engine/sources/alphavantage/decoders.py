"""What `mds-tui decode alphavantage KIND FILE` reads."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mds_engine.sources.contract import DecodeKind

if TYPE_CHECKING:
    from mds_engine.model import Bars, Quote


def quote(body: bytes) -> "Iterable[Quote]":
    """The quote of a `GLOBAL_QUOTE` body."""
    from mds_engine.sources.alphavantage.decode import decode_quote

    return [decode_quote(body)]


def series(body: bytes) -> "Iterable[Bars]":
    """The bars of a `TIME_SERIES_*` body, JSON or CSV."""
    from mds_engine.sources.alphavantage.decode import decode_series

    return [decode_series(body)]


DECODERS = {
    "quote": DecodeKind(quote, "body", "a quote: function=GLOBAL_QUOTE"),
    "series": DecodeKind(series, "body", "bars: function=TIME_SERIES_*, JSON or CSV"),
}
