"""Regular trading hours by exchange: enough to know that silence is no fault at night.

Holidays and special sessions are not in here: on those days an exchange reads
open, and a quiet stream may be moved once to its backup.
"""

from datetime import UTC, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Session(NamedTuple):
    """One exchange's regular day, Monday to Friday, in its own time zone."""

    zone: str
    opens: time
    closes: time


_INDIA = Session("Asia/Kolkata", time(9, 15), time(15, 30))
_NEW_YORK = Session("America/New_York", time(9, 30), time(16, 0))

REGULAR_HOURS: dict[str, Session] = {
    "NSE": _INDIA,
    "BSE": _INDIA,
    "NFO": _INDIA,
    "BFO": _INDIA,
    "CDS": Session("Asia/Kolkata", time(9, 0), time(17, 0)),
    "BCD": Session("Asia/Kolkata", time(9, 0), time(17, 0)),
    "MCX": Session("Asia/Kolkata", time(9, 0), time(23, 30)),
    "NASDAQ": _NEW_YORK,
    "NYSE": _NEW_YORK,
    "SSE": Session("Asia/Shanghai", time(9, 30), time(15, 0)),
    "SZSE": Session("Asia/Shanghai", time(9, 30), time(15, 0)),
}
"""Exchanges that are not here are taken to trade always."""


def is_open(exchange: str, wall: float) -> bool:
    """Whether `exchange` is in its regular hours at `wall` (epoch seconds UTC)."""
    session = REGULAR_HOURS.get(exchange)
    if session is None:
        return True
    local = datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(session.zone))
    return local.weekday() < 5 and session.opens <= local.time() < session.closes
