"""Kite's candles: which intervals there are, how far one request may reach, how it refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from mds_engine.simulator.kite.bodies import IST

DAY_S = 86_400
_IST_OFFSET_S = 19_800


class KiteInterval(NamedTuple):
    """One candle length."""

    seconds: int
    span_days: int
    """The longest request that is answered."""


INTERVALS: Mapping[str, KiteInterval] = {
    "minute": KiteInterval(60, 60),
    "3minute": KiteInterval(180, 100),
    "5minute": KiteInterval(300, 100),
    "10minute": KiteInterval(600, 100),
    "15minute": KiteInterval(900, 200),
    "30minute": KiteInterval(1_800, 200),
    "60minute": KiteInterval(3_600, 400),
    "day": KiteInterval(DAY_S, 2_000),
}


class HistoricalError(ValueError):
    """A request for candles that Kite refuses with 400; the message is Kite's."""


class Span(NamedTuple):
    """A checked request: epoch seconds, both ends included."""

    interval: KiteInterval
    start: int
    end: int


def read_span(interval: str, query: Mapping[str, str]) -> Span:
    """Interval and times of a request. Raises HistoricalError."""
    known = INTERVALS.get(interval)
    if known is None:
        raise HistoricalError("invalid interval")
    start, end = _local(query.get("from", ""), "from"), _local(query.get("to", ""), "to")
    if end < start:
        raise HistoricalError("invalid date range: `from` is after `to`")
    if end - start > known.span_days * DAY_S:
        raise HistoricalError(f"interval exceeds max limit: {known.span_days} days")
    if known.seconds == DAY_S:
        start -= (start + _IST_OFFSET_S) % DAY_S  # of a day's candle only the date counts
    return Span(known, start, end)


def _local(text: str, name: str) -> int:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=IST).timestamp())
        except ValueError:
            continue
    raise HistoricalError(f"invalid `{name}` date: use yyyy-mm-dd HH:MM:SS")
