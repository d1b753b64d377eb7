"""Alpha Vantage's functions, all behind the one path."""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from mds_engine.simulator.alphavantage import bodies, refusals, symbols
from mds_engine.simulator.alphavantage.plan import EASTERN, AlphaVantagePlan
from mds_engine.simulator.listings import DAY_S, Listing
from mds_engine.simulator.vendor import Call

TIME_ZONE = "US/Eastern"

PREMIUM_FUNCTIONS = frozenset({"TIME_SERIES_DAILY_ADJUSTED", "REALTIME_BULK_QUOTES", "VWAP"})

_INTERVALS_S = {"1min": 60, "5min": 300, "15min": 900, "30min": 1_800, "60min": 3_600}
_COMPACT = 100
_FULL_INTRADAY_DAYS = 30
_FULL_DAILY_YEARS = 20
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class Functions:
    """What `/query?function=…` can be asked."""

    def __init__(self, plan: AlphaVantagePlan) -> None:
        self._plan = plan
        self._table: Mapping[str, Callable[[Call], web.Response]] = {
            "GLOBAL_QUOTE": _global_quote,
            "TIME_SERIES_INTRADAY": _intraday,
            "TIME_SERIES_DAILY": self._daily,
            "SYMBOL_SEARCH": _symbol_search,
        }

    def refusal(self, function: str) -> web.Response | None:
        """The answer to a function that does not exist, or is not in the plan."""
        if function in self._table:
            return None
        if function in PREMIUM_FUNCTIONS:
            return refusals.premium_endpoint()
        return refusals.no_such_function(function)

    def answer(self, call: Call) -> web.Response:
        """The answer to a function that `refusal` lets pass."""
        return self._table[call.query["function"]](call)

    def _daily(self, call: Call) -> web.Response:
        function = "TIME_SERIES_DAILY"
        listing = symbols.find(call.market, call.query.get("symbol", ""))
        size = call.query.get("outputsize", "compact")
        if listing is None or size not in {"compact", "full"}:
            return refusals.invalid_call(function)
        if size == "full" and not self._plan.premium:
            return refusals.premium_feature("outputsize=full", function)
        now = call.market.now()
        days = _COMPACT * 2 if size == "compact" else _FULL_DAILY_YEARS * 366
        candles = call.market.candles(listing.instrument, DAY_S, now - days * DAY_S, now)
        # Days are those of the listing's own exchange, whatever the meta data say of the time zone.
        rows = bodies.rows(candles, "%Y-%m-%d", [listing.day_offset_s] * len(candles))
        rows = rows[:_COMPACT] if size == "compact" else rows
        meta = {
            "Information": "Daily Prices (open, high, low, close) and Volumes",
            "Symbol": call.query["symbol"],
            "Last Refreshed": rows[0].time if rows else "",
            "Output Size": "Compact" if size == "compact" else "Full size",
            "Time Zone": TIME_ZONE,
        }
        return _series(call, meta, "Time Series (Daily)", rows)


def _global_quote(call: Call) -> web.Response:
    symbol = call.query.get("symbol", "")
    if not symbol:
        return refusals.invalid_call("GLOBAL_QUOTE")
    listing = symbols.find(call.market, symbol)
    seen = None if listing is None else call.market.snapshot(listing.instrument)
    day = "" if listing is None or seen is None else _local_day(listing, seen.last_time)
    if call.query.get("datatype") == "csv":
        return _csv(bodies.quote_csv(symbol, seen, day))
    return refusals.reply(bodies.no_quote_json() if seen is None else bodies.quote_json(symbol, seen, day))


def _intraday(call: Call) -> web.Response:
    function = "TIME_SERIES_INTRADAY"
    listing = symbols.find(call.market, call.query.get("symbol", ""))
    interval = call.query.get("interval", "")
    size = call.query.get("outputsize", "compact")
    month = call.query.get("month")
    if listing is None or interval not in _INTERVALS_S or size not in {"compact", "full"}:
        return refusals.invalid_call(function)
    if month is not None and not _MONTH.fullmatch(month):
        return refusals.invalid_call(function)
    seconds = _INTERVALS_S[interval]
    start, end = _intraday_span(call.market.now(), seconds, size, month)
    candles = call.market.candles(listing.instrument, seconds, start, end)
    candles = candles.where(candles.closed)
    rows = bodies.rows(candles, "%Y-%m-%d %H:%M:%S", [_eastern_offset_s(at) for at in candles.start.tolist()])
    rows = rows[:_COMPACT] if size == "compact" else rows
    meta = {
        "Information": f"Intraday ({interval}) open, high, low, close prices and volume",
        "Symbol": call.query["symbol"],
        "Last Refreshed": rows[0].time if rows else "",
        "Interval": interval,
        "Output Size": "Compact" if size == "compact" else "Full size",
        "Time Zone": TIME_ZONE,
    }
    return _series(call, meta, f"Time Series ({interval})", rows)


def _symbol_search(call: Call) -> web.Response:
    matches = symbols.search(call.market, call.query.get("keywords", ""))
    if call.query.get("datatype") == "csv":
        return _csv(bodies.search_csv(matches))
    return refusals.reply(bodies.search_json(matches))


def _series(call: Call, meta: Mapping[str, str], key: str, rows: list[bodies.Row]) -> web.Response:
    if call.query.get("datatype") == "csv":
        return _csv(bodies.series_csv(rows))
    return refusals.reply(bodies.series_json(meta, key, rows))


def _csv(body: bytes) -> web.Response:
    return web.Response(
        body=body,
        content_type="application/x-download",
        headers={"Content-Disposition": "attachment; filename=data.csv"},
    )


def _intraday_span(now: float, seconds: int, size: str, month: str | None) -> tuple[float, float]:
    if month is not None:
        year, number = int(month[:4]), int(month[5:])
        first = date(year, number, 1)
        last = first + timedelta(days=calendar.monthrange(year, number)[1])
        return _eastern_midnight(first), _eastern_midnight(last)
    if size == "full":
        return now - _FULL_INTRADAY_DAYS * DAY_S, now
    # Markets that keep hours have gaps: twice the bars, and a long weekend.
    return now - 2 * _COMPACT * seconds - 5 * DAY_S, now


def _eastern_midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=EASTERN).timestamp()


def _eastern_offset_s(at: float) -> int:
    offset = datetime.fromtimestamp(at, UTC).astimezone(EASTERN).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _local_day(listing: Listing, at: float) -> str:
    return datetime.fromtimestamp(at + listing.day_offset_s, UTC).strftime("%Y-%m-%d")
