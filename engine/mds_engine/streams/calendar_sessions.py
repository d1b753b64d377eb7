"""The sessions of exchange calendars, computed in a process of their own.

    python -m mds_engine.streams.calendar_sessions FIRST_DAY LAST_DAY CALENDAR...

writes them as JSON. The calendars need pandas, 120 MB of memory and a second to
start: a process that ends gives both back, where an import would keep them.
"""

import json
import sys
from datetime import date, timedelta
from typing import Any

Sessions = dict[str, list[tuple[str, list[tuple[float, float]]]]]
"""By calendar: each day that is known, as YYYY-MM-DD, with its spans of trading in epoch seconds."""


def sessions(first: date, last: date, calendars: list[str]) -> Sessions:
    """Every day that a calendar knows between two dates, both included.

    A holiday has no spans, a lunch break makes two of one.
    A calendar that ends before `first` has no days; one that nobody knows is left out.
    """
    import exchange_calendars

    found: Sessions = {}
    for name in calendars:
        try:
            kind = type(exchange_calendars.get_calendar(name))
        except exchange_calendars.errors.InvalidCalendarName:
            continue
        ends = kind.bound_max()
        last_known = last if ends is None else min(last, ends.date())
        found[name] = [] if last_known < first else _days(name, first, last_known)
    return found


def _days(name: str, first: date, last: date) -> list[tuple[str, list[tuple[float, float]]]]:
    import exchange_calendars

    # Two weeks more: a calendar must have a session, and a span of holidays has none.
    calendar = exchange_calendars.get_calendar(
        name, start=(first - timedelta(days=14)).isoformat(), end=last.isoformat()
    )
    spans = {row.Index.date(): _spans(row) for row in calendar.schedule.itertuples()}
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [(day.isoformat(), spans.get(day, [])) for day in days]


def _spans(row: Any) -> list[tuple[float, float]]:
    opens, closes = row.open.timestamp(), row.close.timestamp()
    if row.break_start != row.break_start:  # not a time: no break
        return [(opens, closes)]
    return [(opens, row.break_start.timestamp()), (row.break_end.timestamp(), closes)]


def main(arguments: list[str]) -> int:
    """Write the sessions that the arguments ask for."""
    first, last, *calendars = arguments
    json.dump(sessions(date.fromisoformat(first), date.fromisoformat(last), calendars), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
