"""Minutes, days and months as vendors count them: from midnight to midnight where the vendor lives.

Walls are epoch seconds UTC. Where clocks change, a day has 23 or 25 hours,
and a midnight that does not exist is the moment at which the clock jumps over it.
"""

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Period = Literal["minute", "day", "month"]


def zone_named(name: str) -> tzinfo:
    """Return the IANA time zone of that name. Raises ValueError if there is none."""
    if name == "UTC":
        return UTC  # needs no time zone database
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'"{name}" is not a time zone; write an IANA name, as "Asia/Kolkata"') from None


def day_of(zone: tzinfo, wall: float) -> date:
    """Return the calendar day that `wall` belongs to: the last one whose midnight has come."""
    # Whole seconds: datetime would round the last tenth of a microsecond before midnight up to the next day.
    day = datetime.fromtimestamp(math.floor(wall), zone).date()
    # A clock put back over midnight shows yesterday's date again, and a zone may leave a day out.
    while _midnight(day + timedelta(days=1), zone) <= wall:
        day += timedelta(days=1)
    return day


def bounds(period: Period, zone: tzinfo, wall: float) -> tuple[float, float]:
    """Start and end of the period that `wall` lies in: start <= wall < end."""
    if period == "minute":
        start = wall // 60.0 * 60.0
        return start, start + 60.0
    day = day_of(zone, wall)
    if period == "day":
        return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    first = day.replace(day=1)
    return _midnight(first, zone), _midnight((first + timedelta(days=31)).replace(day=1), zone)


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
