"""Trading hours to the day: from real calendars, renewed in time, and from the table where there are none."""

import asyncio
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from mds_engine.model.hours import REGULAR_HOURS
from mds_engine.streams.trading_hours import (
    CALENDARS,
    CalendarUnavailableError,
    TradingHours,
    load_calendars,
)

CHILDREN = Path(f"/proc/self/task/{threading.get_native_id()}/children")


class StoppedClock:
    """A wall clock that stands where it is put."""

    def __init__(self, at: str, zone: str = "Asia/Kolkata") -> None:
        self.at = wall(at, zone)

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def wall(at: str, zone: str = "Asia/Kolkata") -> float:
    return datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)).timestamp()


def children() -> list[str]:
    return CHILDREN.read_text().split()


class Shelf:
    """A loader of calendars in which only the days of `closed` are holidays; notes what it was asked."""

    def __init__(self, *closed: str, known_to: str = "2100-01-01") -> None:
        self.closed = closed
        self.known_to = date.fromisoformat(known_to)
        self.asked: list[tuple[str, ...]] = []
        self.fails = False

    async def __call__(self, first, last, calendars):
        self.asked.append(tuple(calendars))
        if self.fails:
            raise CalendarUnavailableError("no calendars today")
        days = []
        day = first
        while day <= min(last, self.known_to):
            opens = wall(f"{day}T09:15:00")
            days.append((str(day), [] if str(day) in self.closed else [(opens, opens + 22_500.0)]))
            day += timedelta(days=1)
        return dict.fromkeys(calendars, days)


async def test_the_calendars_know_holidays_half_days_and_lunch_breaks():
    hours = TradingHours(StoppedClock("2026-11-21T08:00:00"))

    await hours.prepare(["NSE", "MCX", "NASDAQ", "SSE", "BINANCE"])

    assert hours.is_open("NSE", wall("2026-11-23T10:00:00"))
    assert not hours.is_open("NSE", wall("2026-11-24T10:00:00")), "Guru Nanak's birthday"
    assert not hours.is_open("NSE", wall("2026-12-25T10:00:00"))
    assert hours.is_open("MCX", wall("2026-11-23T22:00:00")), "MCX has hours of its own"
    assert not hours.is_open("MCX", wall("2026-12-25T22:00:00"))
    new_york = "America/New_York"
    assert not hours.is_open("NASDAQ", wall("2026-11-26T12:00:00", new_york)), "Thanksgiving"
    assert hours.is_open("NASDAQ", wall("2026-11-27T12:59:00", new_york))
    assert not hours.is_open("NASDAQ", wall("2026-11-27T13:01:00", new_york)), "a half day"
    assert not hours.is_open("SSE", wall("2026-11-23T12:00:00", "Asia/Shanghai")), "lunch"
    assert hours.is_open("BINANCE", wall("2026-12-25T03:00:00"))


async def test_the_real_calendars_know_every_exchange_of_the_map():
    names = sorted({calendar.name for calendar in CALENDARS.values()})

    days = await load_calendars(date(2026, 11, 2), date(2026, 11, 6), names)

    assert sorted(days) == names
    assert all(len(week) == 5 for week in days.values())
    assert set(CALENDARS) <= set(REGULAR_HOURS)


async def test_a_calendar_that_failed_says_so_in_a_sentence():
    with pytest.raises(CalendarUnavailableError, match="the calendars failed: "):
        await load_calendars(date(1990, 11, 2), date(1990, 11, 6), ["XBOM"])


@pytest.mark.skipif(not CHILDREN.exists(), reason="child processes are counted in /proc")
async def test_a_cancelled_load_leaves_no_process_behind():
    before = children()
    loading = asyncio.ensure_future(load_calendars(date(2026, 11, 2), date(2026, 11, 6), ["XBOM"]))
    while children() == before:  # noqa: ASYNC110  nothing tells that a process has started
        await asyncio.sleep(0)

    loading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await loading
    assert children() == before


async def test_until_the_calendar_is_there_the_table_answers():
    hours = TradingHours(StoppedClock("2026-11-23T10:00:00"), load=Shelf("2026-11-23"))
    monday, saturday = wall("2026-11-23T10:00:00"), wall("2026-11-28T10:00:00")

    before = hours.is_open("NSE", monday), hours.is_open("NSE", saturday)
    await hours.prepare(["NSE"])

    assert before == (True, False)
    assert (hours.is_open("NSE", monday), hours.is_open("NSE", saturday)) == (False, True)


async def test_beyond_the_calendars_last_day_the_table_answers():
    shelf = Shelf("2026-12-31", "2027-01-01", known_to="2026-12-31")
    hours = TradingHours(StoppedClock("2026-12-30T10:00:00"), load=shelf)

    await hours.prepare(["NSE"])

    assert not hours.is_open("NSE", wall("2026-12-31T10:00:00"))
    assert hours.is_open("NSE", wall("2027-01-01T10:00:00"))


async def test_nothing_is_loaded_for_exchanges_that_never_close():
    shelf = Shelf()
    hours = TradingHours(StoppedClock("2026-11-23T10:00:00"), load=shelf)

    await hours.prepare(["BINANCE"])

    assert shelf.asked == []
    assert hours.is_open("BINANCE", wall("2026-11-28T03:00:00"))


async def test_a_calendar_is_loaded_once_for_all_exchanges_that_share_it():
    shelf = Shelf()
    hours = TradingHours(StoppedClock("2026-11-23T10:00:00"), load=shelf)

    await hours.prepare(["NSE", "NFO", "CDS"])
    await hours.prepare(["NSE"])

    assert shelf.asked == [("XBOM",)]


def test_calendars_are_loaded_when_expected_and_renewed_before_they_end(virtually):
    shelf = Shelf()

    async def scene(clock):
        hours = TradingHours(clock, load=shelf)
        running = asyncio.ensure_future(hours.run())
        await clock.sleep(86_400.0)
        before = len(shelf.asked)
        hours.expect(["NSE", "BINANCE"])
        await clock.sleep(1.0)
        loaded = len(shelf.asked)
        open_days = []
        for _ in range(80):
            await clock.sleep(86_400.0)
            open_days.append(
                hours.is_open("NSE", wall(f"{datetime.fromtimestamp(clock.wall(), UTC).date()}T12:00:00"))
            )
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return before, loaded, all(open_days)

    assert virtually(scene) == (0, 1, True)
    assert len(shelf.asked) == 3


def test_after_a_failure_the_table_answers_and_it_is_tried_again_in_an_hour(virtually):
    shelf = Shelf()
    shelf.fails = True

    async def scene(clock):
        hours = TradingHours(clock, load=shelf)
        running = asyncio.ensure_future(hours.run())
        hours.expect(["NSE"])
        await clock.sleep(3599.0)
        tries = len(shelf.asked)
        open_on_sunday = hours.is_open("NSE", wall("2025-06-22T12:00:00"))
        shelf.fails = False
        await clock.sleep(2.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return tries, open_on_sunday, hours.is_open("NSE", wall("2025-06-22T12:00:00"))

    assert virtually(scene) == (1, False, True)


async def test_the_next_open_is_past_weekends_holidays_and_lunch_and_the_table_goes_on_where_days_end():
    hours = TradingHours(StoppedClock("2026-11-20T08:00:00"), load=Shelf("2026-11-24"))
    assert hours.next_open("NSE", wall("2026-11-23T16:00:00")) == wall("2026-11-24T09:15:00"), "the table"
    await hours.prepare(["NSE"])
    assert hours.next_open("NSE", wall("2026-11-23T16:00:00")) == wall("2026-11-25T09:15:00")
    assert hours.next_open("NSE", wall("2026-11-23T10:00:00")) == wall("2026-11-23T10:00:00")
    # The shelf has every day, weekends too; the table, far ahead, has none of those.
    assert hours.next_open("NSE", wall("2027-06-05T10:00:00")) == wall("2027-06-07T09:15:00")
    assert hours.next_open("SSE", wall("2026-11-20T12:00:00", "Asia/Shanghai")) == wall(
        "2026-11-20T13:00:00", "Asia/Shanghai"
    )
    assert hours.next_open("BINANCE", 5.0) == 5.0


async def test_beyond_the_last_day_that_is_known_the_table_says_when_it_opens():
    hours = TradingHours(StoppedClock("2026-11-20T08:00:00"), load=Shelf(known_to="2026-11-20"))
    await hours.prepare(["NSE"])
    assert hours.next_open("NSE", wall("2026-11-20T16:00:00")) == wall("2026-11-23T09:15:00")
