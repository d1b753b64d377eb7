"""What a picture says of a route's sources: which instruments each has, and how many calls go there."""

import pytest
from mds_engine.control import commands
from mds_engine.control.snapshot import CoverageView
from mds_engine.model import Capability
from mds_engine.policy.limiter import LimitWindow
from mds_engine.rates import PerHour
from mds_engine.sources.contract import StreamLimits

WANTED = ("X:ONE", "X:TWO", "X:THREE")


def coverage(desk):
    return {view.source: view for view in desk.engine.snapshot().route("X/ticks").coverage}


async def _watched(desk, clock, *, seconds=3.0, **pushes):
    """Watch `WANTED`, and let each vendor push a tick a second of the symbols given for it."""
    await desk.engine.apply(commands.Subscribe(instruments=WANTED))
    for _ in range(int(seconds * 2)):
        await clock.sleep(0.5)
        for name, symbols in pushes.items():
            if desk[name].open_streams:
                desk[name].stream.push(100.0, symbols)


def test_what_ticks_is_had_and_what_was_never_asked_for_is_untried(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab") as desk:
            await _watched(desk, clock, a=("ONE", "TWO", "THREE"))
            return coverage(desk)

    assert virtually(scene) == {
        "a": CoverageView(source="a", has=3, lacks=0, untried=0),
        "b": CoverageView(source="b", has=0, lacks=0, untried=3),
    }


def test_what_a_standby_stays_silent_about_would_be_lost(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", exchange={"standby": True}) as desk:
            every = ("ONE", "TWO", "THREE")
            await _watched(desk, clock, seconds=60.0, a=every, b=("ONE", "TWO"))
            return coverage(desk)["b"]

    assert virtually(scene) == CoverageView(source="b", has=2, lacks=1, untried=0, lacking=("X:THREE",))


def test_what_the_serving_source_lacks_too_is_no_loss(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", exchange={"standby": True}) as desk:
            await _watched(desk, clock, seconds=60.0, a=("ONE", "TWO"), b=("ONE", "TWO"))
            return coverage(desk)

    found = virtually(scene)
    assert (found["a"].lacks, found["a"].lacking) == (1, ("X:THREE",))
    assert (found["b"].has, found["b"].lacks, found["b"].untried) == (2, 0, 0)


def test_what_was_had_once_is_remembered_after_a_failover(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab") as desk:
            every = ("ONE", "TWO", "THREE")
            await _watched(desk, clock, a=every)
            await desk.engine.apply(commands.Pin(route="X/ticks", source="b"))
            await _watched(desk, clock, seconds=8.0, a=every, b=every)
            return coverage(desk)["a"], coverage(desk)["b"]

    a, b = virtually(scene)
    assert (a.has, b.has) == (3, 3)


def test_prices_polls_bounds_and_published_limits_can_be_seen(virtually, fake_desk):
    async def scene(clock):
        sources = {"a": {"cost_per_call": "0.002", "currency": "EUR", "rate_limit": 5}}
        traits = {
            "a": {"windows": (LimitWindow(20, 1.0),), "stream_limits": StreamLimits(10, 2)},
            "b": {
                "polls": True,
                "capabilities": {Capability.QUOTE},
                "quotes_at_once": 4,
                "windows": (LimitWindow(30, 60.0),),
            },
        }
        async with fake_desk(clock, "ab", sources=sources, traits=traits) as desk:
            picture = desk.engine.snapshot()
            return picture.source("a"), picture.source("b")

    a, b = virtually(scene)
    assert (a.price.per_call, a.price.per_month, a.price.currency) == ("0.002", "0.00", "EUR")
    assert (a.carries, a.polls) == (20, None)
    assert (a.limiters[0].limit, a.limiters[0].published) == (5, 20)
    assert not a.limiters[0].weighed
    assert (b.price, b.carries) == (None, None)
    assert (b.polls.pace_s, b.polls.at_once) == (4.0, 4)


def test_calls_an_hour_are_those_of_the_last_minute(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            for number in range(90):
                await desk.quote(f"S{number}")
                await clock.sleep(0.99)
                busy = desk.engine.snapshot().route("X/quote").calls_per_hour
            await clock.sleep(120.0)
            desk.engine.snapshot()
            await clock.sleep(30.0)
            return busy, desk.engine.snapshot().route("X/quote").calls_per_hour

    busy, idle = virtually(scene)
    assert busy == pytest.approx(3600.0, rel=0.02)
    assert idle == 0.0


def test_an_hourly_rate_is_sixty_times_what_the_last_minute_brought():
    rate = PerHour()
    told = [rate.take(count, now) for count, now in ((0, 0.0), (9, 12.0), (40, 40.0), (40, 60.0), (40, 70.0))]
    assert told == [0.0, 540.0, 2400.0, 2400.0, 1860.0]


def vendor_says(desk, limit):
    """What an adapter does when its vendor publishes another limit."""
    desk.engine.sources["a"].set_limit("default", 1.0, limit)
    view = desk.engine.snapshot().source("a").limiters[0]
    return view.limit, view.published


def test_the_vendors_next_word_does_not_undo_an_operators(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, traits={"a": {"windows": (LimitWindow(100, 1.0),)}}) as desk:
            seen = [vendor_says(desk, 120)]
            await desk.engine.apply(commands.SetRateLimit(source="a", limit=50))
            seen += [vendor_says(desk, 90), vendor_says(desk, 40)]
            await desk.engine.apply(commands.SetRateLimit(source="a", limit=60))
            seen += [vendor_says(desk, 30)]
            return seen

    assert virtually(scene) == [(120, 120), (50, 90), (40, 40), (60, 30)]
