"""Which bars a chart request asks for, and Yahoo's refusals of what it does not keep."""

import calendar
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.yahoo.symbols import Symbol

INTRADAY_S: Mapping[str, int] = {
    "1m": 60,
    "2m": 120,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "60m": 3_600,
    "90m": 5_400,
    "1h": 3_600,
}

LONG_INTERVALS = ("1d", "5d", "1wk", "1mo", "3mo")

INTERVALS = (*INTRADAY_S, *LONG_INTERVALS)

VALID_RANGES = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")

_LONGEST_MINUTES_DAYS = 8
_OLDEST_DAYS: Mapping[str, int] = {"1m": 30, "60m": 730, "1h": 730}
_OLDEST_OTHER_INTRADAY_DAYS = 60
_SLACK_S = 300
"""A client's clock may be a little behind."""


class SpanError(ValueError):
    """A request that Yahoo refuses; `status` is 400 or 422, the message is Yahoo's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Span(NamedTuple):
    """A checked request: epoch seconds, both ends included."""

    interval: str
    start: int
    end: int
    range: str
    """As it was asked; empty if it was by times."""


def read_span(
    query: Mapping[str, str], symbol: Symbol, now: float, last_trade: float, *, weekends: bool
) -> Span:
    """Interval and times of a request. Raises SpanError.

    A range ends with the day of the last trade, and its days are trading days:
    `weekends` says whether Saturdays and Sundays are among them.
    """
    interval = query.get("interval", "1d")
    if interval not in INTERVALS:
        raise SpanError(
            422,
            f"Invalid input - interval={interval} is not supported. Valid intervals: "
            f"[{', '.join(INTERVALS)}]",
        )
    if "period1" in query:
        start, end = _times(query, now)
        span = Span(interval, start, end, "")
    else:
        wanted = query.get("range", "1d")
        if wanted not in VALID_RANGES:
            raise SpanError(
                422,
                f"Invalid input - range={wanted} is not supported. Valid ranges: [{', '.join(VALID_RANGES)}]",
            )
        span = Span(interval, _range_start(wanted, symbol, last_trade, weekends=weekends), int(now), wanted)
    _check_reach(span, now)
    return span


def _times(query: Mapping[str, str], now: float) -> tuple[int, int]:
    try:
        start, end = int(float(query["period1"])), int(float(query.get("period2", now)))
    except ValueError:
        raise SpanError(400, "Invalid input - period1 and period2 must be numbers.") from None
    if start >= end:
        raise SpanError(
            400, f"Invalid input - start date cannot be after end date. startDate = {start}, endDate = {end}"
        )
    return start, end


def _check_reach(span: Span, now: float) -> None:
    if span.interval in LONG_INTERVALS:
        return
    if span.interval == "1m" and span.end - span.start > _LONGEST_MINUTES_DAYS * DAY_S + _SLACK_S:
        raise SpanError(
            422,
            f"1m data not available for startTime={span.start} and endTime={span.end}. Only 8 days worth "
            "of 1m granularity data are allowed to be fetched per request.",
        )
    days = _OLDEST_DAYS.get(span.interval, _OLDEST_OTHER_INTRADAY_DAYS)
    if span.start < now - days * DAY_S - _SLACK_S:
        raise SpanError(
            422,
            f"{span.interval} data not available for startTime={span.start} and endTime={span.end}. "
            f"The requested range must be within the last {days} days.",
        )


def _range_start(wanted: str, symbol: Symbol, last_trade: float, *, weekends: bool) -> int:
    today = symbol.local(last_trade).date()
    if wanted == "max":
        return symbol.first_trade
    if wanted == "ytd":
        first = date(today.year, 1, 1)
    elif wanted.endswith("mo"):
        first = _months_before(today, int(wanted[:-2]))
    elif wanted.endswith("y"):
        first = _months_before(today, 12 * int(wanted[:-1]))
    else:
        first = _days_before(today, int(wanted[:-1]) - 1, weekends=weekends)
    return int(datetime(first.year, first.month, first.day, tzinfo=symbol.house.zone).timestamp())


def _days_before(day: date, days: int, *, weekends: bool) -> date:
    while days > 0:
        day -= timedelta(days=1)
        days -= weekends or day.weekday() < 5
    return day


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
