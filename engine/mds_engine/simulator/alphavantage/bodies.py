"""Alpha Vantage's answers: numbers as text, newest first, clocks of the US East coast."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mds_engine.simulator.figures import Candles, Snapshot
from mds_engine.simulator.listings import Listing

_QUOTE_CSV = "symbol,open,high,low,price,volume,latestDay,previousClose,change,changePercent"
_SERIES_CSV = "timestamp,open,high,low,close,volume"
_SEARCH_CSV = "symbol,name,type,region,marketOpen,marketClose,timezone,currency,matchScore"


class Row(NamedTuple):
    """One bar as it is printed."""

    time: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class Match(NamedTuple):
    """One find of a symbol search."""

    symbol: str
    listing: Listing
    score: float

    def values(self) -> tuple[str, ...]:
        """The nine columns."""
        is_indian = self.listing.currency == "INR"
        return (
            self.symbol,
            self.listing.name,
            "Equity",
            "India/Bombay" if is_indian else "United States",
            "09:15" if is_indian else "09:30",
            "15:30" if is_indian else "16:00",
            "UTC+5.5" if is_indian else "UTC-04",
            self.listing.currency,
            f"{self.score:.4f}",
        )


def json_body(document: Mapping[str, Any]) -> bytes:
    """JSON with the vendor's four spaces."""
    return json.dumps(document, indent=4).encode()


def csv_body(header: str, rows: Iterable[Sequence[str]]) -> bytes:
    """CSV with the vendor's carriage returns."""
    return "".join(f"{line}\r\n" for line in (header, *(",".join(row) for row in rows))).encode()


def rows(bars: Candles, form: str, offset_s: Sequence[int]) -> list[Row]:
    """Bars newest first; `offset_s` takes each start to the clock that it is printed by."""
    columns = (bars.start, bars.open, bars.high, bars.low, bars.close, bars.volume)
    printed = []
    for offset, (start, *prices, volume) in zip(
        offset_s, zip(*(column.tolist() for column in columns), strict=True), strict=True
    ):
        time = datetime.fromtimestamp(start + offset, UTC).strftime(form)
        first, high, low, last = (f"{price:.4f}" for price in prices)
        printed.append(Row(time, first, high, low, last, str(int(volume))))
    return printed[::-1]


def quote_json(symbol: str, seen: Snapshot, day: str) -> bytes:
    """GLOBAL_QUOTE."""
    names = (
        "symbol",
        "open",
        "high",
        "low",
        "price",
        "volume",
        "latest trading day",
        "previous close",
        "change",
        "change percent",
    )
    values = _quote_values(symbol, seen, day)
    numbered = {
        f"{place:02d}. {name}": value
        for place, (name, value) in enumerate(zip(names, values, strict=True), 1)
    }
    return json_body({"Global Quote": numbered})


def no_quote_json() -> bytes:
    """GLOBAL_QUOTE of a symbol that it does not know."""
    return json_body({"Global Quote": {}})


def quote_csv(symbol: str, seen: Snapshot | None, day: str) -> bytes:
    """GLOBAL_QUOTE as CSV; only the header for a symbol that it does not know."""
    return csv_body(_QUOTE_CSV, [] if seen is None else [_quote_values(symbol, seen, day)])


def series_json(meta: Mapping[str, str], key: str, bars: Sequence[Row]) -> bytes:
    """A time series under its key, after the numbered meta data."""
    numbered = {f"{place}. {name}": value for place, (name, value) in enumerate(meta.items(), 1)}
    series = {
        bar.time: {
            "1. open": bar.open,
            "2. high": bar.high,
            "3. low": bar.low,
            "4. close": bar.close,
            "5. volume": bar.volume,
        }
        for bar in bars
    }
    return json_body({"Meta Data": numbered, key: series})


def series_csv(bars: Sequence[Row]) -> bytes:
    """A time series as CSV."""
    return csv_body(_SERIES_CSV, bars)


def search_json(matches: Sequence[Match]) -> bytes:
    """SYMBOL_SEARCH."""
    names = [f"{place}. {name}" for place, name in enumerate(_SEARCH_CSV.split(","), 1)]
    found = [dict(zip(names, match.values(), strict=True)) for match in matches]
    return json_body({"bestMatches": found})


def search_csv(matches: Sequence[Match]) -> bytes:
    """SYMBOL_SEARCH as CSV."""
    return csv_body(_SEARCH_CSV, [match.values() for match in matches])


def _quote_values(symbol: str, seen: Snapshot, day: str) -> tuple[str, ...]:
    change = seen.last - seen.previous_close
    return (
        symbol,
        f"{seen.open:.4f}",
        f"{seen.high:.4f}",
        f"{seen.low:.4f}",
        f"{seen.last:.4f}",
        str(int(seen.volume)),
        day,
        f"{seen.previous_close:.4f}",
        f"{change:.4f}",
        f"{change / seen.previous_close * 100:.4f}%",
    )
