"""Regular trading hours by exchange: enough to know that silence is no fault at night.

Holidays, half days and special sessions are not in here: they come from the
calendars of `mds_engine.streams.trading_hours`, which falls back on this table.
"""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Session(NamedTuple):
    """One exchange's regular day, Monday to Friday, in its own time zone."""

    zone: str
    opens: time
    closes: time
    pause: tuple[time, time] | None = None
    """The lunch break, from and until."""


_INDIA = Session("Asia/Kolkata", time(9, 15), time(15, 30))
_NEW_YORK = Session("America/New_York", time(9, 30), time(16, 0))
_CHINA = Session("Asia/Shanghai", time(9, 30), time(15, 0), (time(11, 30), time(13, 0)))
_CURRENCIES = Session("Asia/Kolkata", time(9, 0), time(17, 0))

REGULAR_HOURS: dict[str, Session] = {
    "NSE": _INDIA,
    "BSE": _INDIA,
    "NFO": _INDIA,
    "BFO": _INDIA,
    "CDS": _CURRENCIES,
    "BCD": _CURRENCIES,
    "MCX": Session("Asia/Kolkata", time(9, 0), time(23, 30)),
    "NASDAQ": _NEW_YORK,
    "NYSE": _NEW_YORK,
    "AMEX": _NEW_YORK,
    "ARCA": _NEW_YORK,
    "BATS": _NEW_YORK,
    "US": _NEW_YORK,
    "TSX": Session("America/Toronto", time(9, 30), time(16, 0)),
    "SSE": _CHINA,
    "SZSE": _CHINA,
    "HKEX": Session("Asia/Hong_Kong", time(9, 30), time(16, 0), (time(12, 0), time(13, 0))),
    "TSE": Session("Asia/Tokyo", time(9, 0), time(15, 30), (time(11, 30), time(12, 30))),
    "SGX": Session("Asia/Singapore", time(9, 0), time(17, 0)),
    "ASX": Session("Australia/Sydney", time(10, 0), time(16, 0)),
    "LSE": Session("Europe/London", time(8, 0), time(16, 30)),
    "XETRA": Session("Europe/Berlin", time(9, 0), time(17, 30)),
    "EURONEXT": Session("Europe/Paris", time(9, 0), time(17, 30)),
}
"""Exchanges that are not here are taken to trade always."""


def is_open(exchange: str, wall: float) -> bool:
    """Whether `exchange` is in its regular hours at `wall` (epoch seconds UTC)."""
    session = REGULAR_HOURS.get(exchange)
    if session is None:
        return True
    local = datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(session.zone))
    if local.weekday() >= 5 or not session.opens <= local.time() < session.closes:
        return False
    return session.pause is None or not session.pause[0] <= local.time() < session.pause[1]


def next_open(exchange: str, wall: float) -> float:
    """`wall` if `exchange` is in its regular hours then, else when they next begin; epoch seconds UTC."""
    session = REGULAR_HOURS.get(exchange)
    if session is None or is_open(exchange, wall):
        return wall
    zone = ZoneInfo(session.zone)
    day = datetime.fromtimestamp(wall, UTC).astimezone(zone).date()
    begins = (session.opens,) if session.pause is None else (session.opens, session.pause[1])
    while True:
        for begin in begins if day.weekday() < 5 else ():
            at = datetime.combine(day, begin, zone).timestamp()
            if at > wall:
                return at
        day += timedelta(days=1)
