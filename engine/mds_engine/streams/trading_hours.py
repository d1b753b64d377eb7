"""When exchanges trade, to the day: holidays, half days, lunch breaks and special sessions.

The table of `mds_engine.model.hours` answers until an exchange's calendar is
there, where there is none, and beyond its last day. Exchanges that never close
have no calendar, and for them nothing is ever started.
"""

import asyncio
import json
import sys
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mds_engine.clock import Clock
from mds_engine.errors import MdsError
from mds_engine.log import get_logger
from mds_engine.model.hours import REGULAR_HOURS, Session, is_open, next_open

_log = get_logger(__name__)

_BEFORE_DAYS = 1
_AHEAD_DAYS = 45
_RENEW_BEFORE_S = 7 * 86_400.0
_RETRY_S = 3600.0
_LOAD_WITHIN_S = 60.0


class TradingCalendar(NamedTuple):
    """Where an exchange's days come from."""

    name: str
    """In `exchange_calendars`."""
    own_hours: bool = False
    """Whether only the days are the calendar's, and the hours those of the table."""


_INDIA = TradingCalendar("XBOM")
_INDIAN_DAYS = TradingCalendar("XBOM", own_hours=True)
_NEW_YORK = TradingCalendar("XNYS")
_CHINA = TradingCalendar("XSHG")

CALENDARS: dict[str, TradingCalendar] = {
    "NSE": _INDIA,
    "BSE": _INDIA,
    "NFO": _INDIA,
    "BFO": _INDIA,
    "CDS": _INDIAN_DAYS,
    "BCD": _INDIAN_DAYS,
    "MCX": _INDIAN_DAYS,
    "NASDAQ": _NEW_YORK,
    "NYSE": _NEW_YORK,
    "AMEX": _NEW_YORK,
    "ARCA": _NEW_YORK,
    "BATS": _NEW_YORK,
    "US": _NEW_YORK,
    "TSX": TradingCalendar("XTSE"),
    "SSE": _CHINA,
    "SZSE": _CHINA,
    "HKEX": TradingCalendar("XHKG"),
    "TSE": TradingCalendar("XTKS"),
    "SGX": TradingCalendar("XSES"),
    "ASX": TradingCalendar("XASX"),
    "LSE": TradingCalendar("XLON"),
    "XETRA": TradingCalendar("XETR"),
    "EURONEXT": TradingCalendar("XPAR"),
}
"""By exchange, each of which also stands in the table of regular hours.

NSE and BSE close on the same days. MCX trades on the evenings of some of their
holidays; it counts as closed then, because silence must be no fault when in doubt.
"""


class CalendarUnavailableError(MdsError):
    """The calendars could not be loaded; regular hours are used instead."""


CalendarDay = tuple[str, Sequence[Sequence[float]]]
"""A day, as YYYY-MM-DD in the exchange's zone, and its spans of trading in epoch seconds."""
CalendarLoader = Callable[[date, date, Sequence[str]], Awaitable[Mapping[str, Sequence[CalendarDay]]]]
"""Days of calendars, by name, from the first date to the last; raises CalendarUnavailableError."""


class _Known(NamedTuple):
    """What is known of one exchange: its spans between two moments, all in epoch seconds."""

    since: float
    until: float
    opens: tuple[float, ...]
    closes: tuple[float, ...]

    def is_open(self, wall: float) -> bool:
        place = bisect_right(self.opens, wall) - 1
        return place >= 0 and wall < self.closes[place]

    def next_open(self, wall: float) -> float | None:
        """None if nothing is known that far ahead."""
        if self.is_open(wall):
            return wall
        place = bisect_right(self.opens, wall)
        return self.opens[place] if place < len(self.opens) else None


class TradingHours:
    """Answers at once from what it has; `run` is the task that loads and renews what was asked for."""

    def __init__(self, clock: Clock, *, load: CalendarLoader | None = None) -> None:
        self._clock = clock
        self._load = load or load_calendars
        self._expected: set[str] = set()
        self._known: dict[str, _Known] = {}
        self._next_load_at: dict[str, float] = {}
        """By exchange, in wall time."""
        self._changed = asyncio.Event()

    def is_open(self, exchange: str, wall: float) -> bool:
        """Whether `exchange` trades at `wall` (epoch seconds UTC). Takes microseconds; never raises."""
        known = self._known.get(exchange)
        if known is not None and known.since <= wall < known.until:
            return known.is_open(wall)
        return is_open(exchange, wall)

    def next_open(self, exchange: str, wall: float) -> float:
        """`wall` if `exchange` trades then, else when it next opens; epoch seconds UTC. Never raises."""
        known = self._known.get(exchange)
        if known is None or not known.since <= wall < known.until:
            return next_open(exchange, wall)
        found = known.next_open(wall)
        return found if found is not None else next_open(exchange, known.until)

    def expect(self, exchanges: Iterable[str]) -> None:
        """Say which exchanges will be asked about, so that `run` loads their calendars."""
        new = {exchange for exchange in exchanges if exchange in CALENDARS} - self._expected
        if new:
            self._expected |= new
            self._changed.set()

    async def run(self) -> None:
        """Load the calendars that are expected, and renew them in time. Ends only by cancellation."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._load_due()
            if self._expected:
                soonest = min(self._next_load_at[exchange] for exchange in self._expected)
                await self._sleep_or_change(soonest - self._clock.wall())

    async def prepare(self, exchanges: Iterable[str]) -> None:
        """Load the calendars of these exchanges that are not there; returns when they are, or cannot be."""
        self.expect(exchanges)
        await self._load_due()

    async def _load_due(self) -> None:
        wall = self._clock.wall()
        due = sorted(name for name in self._expected if self._next_load_at.get(name, 0.0) <= wall)
        if not due:
            return
        today = datetime.fromtimestamp(wall, UTC).date()
        first, last = today - timedelta(days=_BEFORE_DAYS), today + timedelta(days=_AHEAD_DAYS)
        self._next_load_at |= dict.fromkeys(due, wall + _RETRY_S)
        try:
            days_by_calendar = await self._load(first, last, sorted({CALENDARS[name].name for name in due}))
        except CalendarUnavailableError as error:
            _log.warning("trading_calendars_unavailable", exchanges=due, why=str(error))
            return
        for exchange in due:
            days = days_by_calendar.get(CALENDARS[exchange].name, ())
            if days:
                self._known[exchange] = known = _known(exchange, days)
                self._next_load_at[exchange] = max(known.until - _RENEW_BEFORE_S, wall + 86_400.0)
            else:
                _log.warning("trading_calendar_ended", exchange=exchange, calendar=CALENDARS[exchange].name)
                self._next_load_at[exchange] = wall + 86_400.0

    async def _sleep_or_change(self, seconds: float) -> None:
        """Return when something new is expected, or after so many seconds as if something were."""
        sleeping = asyncio.ensure_future(self._clock.sleep(max(1.0, seconds)))
        changing = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((sleeping, changing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, changing):
                task.cancel()
            await asyncio.gather(sleeping, changing, return_exceptions=True)
        self._changed.set()


def _known(exchange: str, days: Sequence[CalendarDay]) -> _Known:
    session = REGULAR_HOURS[exchange]
    if CALENDARS[exchange].own_hours:
        days = [(day, _own_spans(session, date.fromisoformat(day)) if spans else ()) for day, spans in days]
    spans = list(chain.from_iterable(spans for _, spans in days))
    return _Known(
        since=_at(session, date.fromisoformat(days[0][0]), time.min),
        until=_at(session, date.fromisoformat(days[-1][0]) + timedelta(days=1), time.min),
        opens=tuple(span[0] for span in spans),
        closes=tuple(span[1] for span in spans),
    )


def _own_spans(session: Session, day: date) -> list[tuple[float, float]]:
    return [(_at(session, day, session.opens), _at(session, day, session.closes))]


def _at(session: Session, day: date, moment: time) -> float:
    return datetime.combine(day, moment, ZoneInfo(session.zone)).timestamp()


async def load_calendars(
    first: date, last: date, calendars: Sequence[str]
) -> Mapping[str, Sequence[CalendarDay]]:
    """Ask a short-lived process, so that pandas never enters this one.

    Raises CalendarUnavailableError if it fails, or takes longer than a minute.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "mds_engine.streams.calendar_sessions",
            first.isoformat(),
            last.isoformat(),
            *calendars,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except (OSError, NotImplementedError) as error:
        raise CalendarUnavailableError(f"no process for the calendars could be started: {error}") from error
    try:
        async with asyncio.timeout(_LOAD_WITHIN_S):
            output, complaint = await process.communicate()
    except TimeoutError as error:
        raise CalendarUnavailableError(f"the calendars took longer than {_LOAD_WITHIN_S:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last_line = (complaint.decode(errors="replace").strip().splitlines() or ["no word"])[-1]
        raise CalendarUnavailableError(f"the calendars failed: {last_line}")
    try:
        days: Mapping[str, Sequence[CalendarDay]] = json.loads(output)
    except ValueError as error:
        raise CalendarUnavailableError(f"the calendars' answer could not be read: {error}") from error
    return days
