"""Symbols, decimals, intervals and times as Binance writes them."""

import re
from collections.abc import Mapping

import msgspec
import numpy as np

from mds_engine.simulator.binance.errors import (
    BinanceError,
    illegal,
    invalid_interval,
    invalid_symbol,
    missing,
)
from mds_engine.simulator.listings import DAY_S, Listing
from mds_engine.simulator.market import Market, UnknownInstrumentError
from mds_engine.simulator.path import Ints

INTERVALS_S: Mapping[str, int] = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": DAY_S,
    "3d": 3 * DAY_S,
    "1w": 7 * DAY_S,
    "1M": 30 * DAY_S,
}
"""Nominal lengths in seconds; a month has the length that it has."""

_SYMBOL = re.compile(r"[A-Z0-9-_.]{1,20}\Z")
_LEGAL_SYMBOL = "^[A-Z0-9-_.]{1,20}$"
_LEGAL_NUMBER = "^[0-9]{1,20}$"
_FIRST_MONDAY_S = 4 * DAY_S  # 1970-01-05


def listing_of(market: Market, symbol: str) -> Listing:
    """The listing of a symbol from a query. Raises BinanceError -1100 or -1121."""
    if not _SYMBOL.match(symbol):
        raise illegal("symbol", _LEGAL_SYMBOL)
    try:
        return market.listing(f"BINANCE:{symbol}")
    except UnknownInstrumentError:
        raise invalid_symbol() from None


def wanted_listings(market: Market, query: Mapping[str, str], listed: int) -> tuple[list[Listing], bool]:
    """The listings that `symbol` or `symbols` name, or all; and True if the answer is a single object."""
    if "symbol" in query and "symbols" in query:
        raise BinanceError(-1101, "Too many parameters; expected '1' and received '2'.")
    trading = query.get("symbolStatus", "TRADING") == "TRADING"
    if "symbol" in query:
        if not trading:
            raise BinanceError(-1220, "The symbol's status does not match the requested symbolStatus.")
        return [listing_of(market, query["symbol"])], True
    if not trading:
        return [], False
    if "symbols" in query:
        return [listing_of(market, symbol) for symbol in _symbols(query["symbols"])], False
    return [market.listing(name) for name in market.universe("BINANCE", listed)], False


def _symbols(text: str) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        legal = r'^\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\]$'
        raise illegal("symbols", legal) from None


def number(
    query: Mapping[str, str], name: str, default: int | None = None, *, most: int | None = None
) -> int | None:
    """A whole number from a query; values above `most` count as `most`. Raises BinanceError."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise illegal(name, _LEGAL_NUMBER)
    value = int(text)
    if name == "limit" and value == 0:
        raise BinanceError(-1130, "Data sent for parameter 'limit' is not valid.")
    return value if most is None else min(value, most)


def seconds(query: Mapping[str, str], name: str) -> float | None:
    """A time from a query, in milliseconds or microseconds, as epoch seconds. Raises BinanceError."""
    value = number(query, name)
    if value is None:
        return None
    return value / 1e6 if value >= 10**14 else value / 1e3


def required(query: Mapping[str, str], name: str) -> str:
    """A mandatory parameter. Raises BinanceError -1102."""
    value = query.get(name, "")
    if not value:
        raise missing(name)
    return value


def interval_of(text: str) -> str:
    """A kline interval. Raises BinanceError -1120."""
    if text not in INTERVALS_S:
        raise invalid_interval()
    return text


def edges(interval: str, start: float, end: float, offset_s: int = 0) -> Ints:
    """Edges of the bars that open in [start, end]; `offset_s` moves the day's start east of UTC."""
    low, high = start + offset_s, end + offset_s
    if interval == "1M":
        first = np.datetime64(int(np.ceil(low)), "s").astype("datetime64[M]").astype(np.int64)
        last = np.datetime64(int(np.floor(high)), "s").astype("datetime64[M]").astype(np.int64)
        months = np.arange(first, last + 2).astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
        result: Ints = months[np.searchsorted(months, low) :]
        return result - offset_s
    length = INTERVALS_S[interval]
    origin = _FIRST_MONDAY_S if interval == "1w" else 0
    first_bar = int(np.ceil((low - origin) / length))
    last_bar = int(np.floor((high - origin) / length))
    bars: Ints = np.arange(first_bar, last_bar + 2, dtype=np.int64) * length + origin - offset_s
    return bars


def longest_s(interval: str) -> int:
    """No bar of this interval is longer than this many seconds."""
    return 31 * DAY_S if interval == "1M" else INTERVALS_S[interval]


def text(value: float) -> str:
    """A price or a size: always eight decimals."""
    return f"{value:.8f}"
