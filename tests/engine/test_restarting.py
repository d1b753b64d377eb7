"""A source is closed and connected anew: what is interrupted, what is kept, what is said of it."""

import asyncio

import pytest
from mds_engine.control import commands, events
from mds_engine.errors import Throttled, Unavailable
from mds_engine.policy.limiter import LimitWindow

RESTART = commands.RestartSource(source="a")


async def _prove(desk, clock):
    """Long enough and often enough for a failback."""
    for _ in range(5):
        await desk.quote(source="a")
        await clock.sleep(10.0)


def test_a_restart_puts_a_fresh_adapter_in_place_and_says_that_it_answers(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await clock.sleep(60.0)
            before = desk.engine.sources["a"].source
            result = await desk.engine.apply(RESTART)
            after = desk.engine.sources["a"].source
            return (
                result,
                before is after,
                len(desk.told(events.SourceConnected)),
                (await desk.quote(source="a")).source,
            )

    result, same, connected, answered = virtually(scene)
    assert (result.accepted, result.message) == (True, "a was restarted and answers")
    assert not same
    assert connected == 3, "two at the start, and one after the restart"
    assert answered == "a"


def test_calls_go_to_others_meanwhile_and_none_under_way_is_cut_off(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await _prove(desk, clock)
            desk["a"].takes_s = 0.8
            under_way = asyncio.create_task(desk.quote("ONE"))
            await clock.sleep(0.1)
            restarting = asyncio.create_task(desk.engine.apply(RESTART))
            await clock.sleep(0.1)
            meanwhile = await desk.quote("TWO")
            first = await under_way
            await restarting
            await clock.sleep(0.2)
            return first.source, meanwhile.source, desk.active(), desk.engine.snapshot().source("a").failures

    assert virtually(scene) == ("a", "b", "a", 0)


def test_streams_end_and_are_subscribed_anew(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(commands.Subscribe(instruments=("X:ONE", "X:TWO")))
            await _tick(desk, clock, seconds=40)
            old = desk["a"].stream
            restarting = asyncio.create_task(desk.engine.apply(RESTART))
            await clock.sleep(0.3)
            meanwhile = desk.active("X/ticks")
            await _tick(desk, clock, seconds=10)
            await restarting
            new = desk["a"].stream
            lost = desk.told(events.StreamLost)
            routes = meanwhile, desk.active("X/ticks")
            return old.is_open, new is old, {str(one) for one in new.subscribed}, lost, routes

    was_open, same, subscribed, lost, routes = virtually(scene)
    assert (was_open, same) == (False, False)
    assert subscribed == {"X:ONE", "X:TWO"}
    assert lost == [], "our own doing is no failure of the vendor"
    assert routes == ("b", "a")


async def _tick(desk, clock, *, seconds):
    for _ in range(2 * seconds):
        await clock.sleep(0.5)
        for name in "ab":
            for stream in desk[name].open_streams:
                stream.push(2.0)


def test_what_the_vendor_allows_holds_over_a_restart(virtually, fake_desk):
    async def scene(clock):
        traits = {"a": {"windows": (LimitWindow(3, 3600.0),)}}
        plan = {"a": {"calls_per_day": 100}}
        async with fake_desk(clock, traits=traits, sources=plan) as desk:
            await desk.quote("ONE")
            await desk.engine.apply(commands.SetRateLimit(source="a", limit=2, window_s=3600.0))
            await desk.engine.apply(RESTART)
            view = desk.engine.snapshot().source("a")
            full = [(await desk.quote(f"S{number}")).source for number in range(2)]
            return view.limiters[0].limit, view.limiters[0].used, view.meters[0].used, full

    limit, used, calls, full = virtually(scene)
    assert limit == 2
    assert used == 2, "the call before it, and the check after it"
    assert calls == 2
    assert full == ["b", "b"]


def test_breakers_and_bans_hold_over_a_restart(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].fails = lambda: Throttled("banned", retry_after_s=3600.0, banned=True)
            await desk.quote()
            desk["b"].break_down("refused", unreachable=True)
            for _ in range(5):
                await desk.failure(source="b")
            desk["a"].recover()
            desk["b"].check_fails = None
            banned = await desk.engine.apply(RESTART)
            why = desk.engine.snapshot().source("a").why
            return banned.message, why, desk.state("b", "")

    message, why, state = virtually(scene)
    assert message.startswith("a was restarted and is not well: ")
    assert why.startswith("banned for")
    assert state == "open"


@pytest.mark.parametrize("what", ["close", "connect", "check"])
def test_a_vendor_that_fails_at_it_is_told_and_ends_nothing(virtually, fake_desk, what, monkeypatch):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            if what == "close":

                async def close(_self):
                    raise RuntimeError("stuck")

                monkeypatch.setattr(type(desk.engine.sources["a"].source), "close", close)
            elif what == "connect":
                desk["a"].connect_fails = desk["a"].check_fails = lambda: Unavailable("no route to host")
            else:
                desk["a"].check_fails = lambda: Unavailable("no route to host")
            result = await desk.engine.apply(RESTART)
            return result.message, (await desk.quote()).source

    message, source = virtually(scene)
    assert message == (
        "a was restarted and answers"
        if what == "close"
        else "a was restarted and is not well: no route to host"
    )
    assert source == "a"


def test_one_that_takes_long_to_connect_is_said_to_be_connecting(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, sources={"a": {"timeout_s": 60.0}}) as desk:
            await clock.sleep(1.0)
            desk["a"].connect_takes_s = 20.0
            return (await desk.engine.apply(RESTART)).message

    assert virtually(scene) == "a was restarted and is still connecting"


def test_a_restart_that_makes_no_sense_is_refused(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].takes_s = 0.5
            call = asyncio.create_task(desk.quote())
            await clock.sleep(0.1)
            first = asyncio.create_task(desk.engine.apply(RESTART))
            await clock.sleep(0.1)
            second = await desk.engine.apply(RESTART)
            await asyncio.gather(call, first)
            await desk.engine.apply(commands.EnableSource(source="a", enabled=False))
            disabled = await desk.engine.apply(RESTART)
            return second, disabled, desk.engine.snapshot().source("a").state.value

    second, disabled, state = virtually(scene)
    assert (second.accepted, second.message) == (False, "a is being restarted already")
    assert (disabled.accepted, disabled.message) == (
        False,
        "a is out of service: take it into service instead",
    )
    assert state == "disabled"


def test_an_engine_that_stops_meanwhile_stops(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].hangs = True
            calling = asyncio.create_task(desk.failure(source="a"))
            await clock.sleep(0.1)
            restarting = asyncio.create_task(desk.engine.apply(RESTART))
            await clock.sleep(0.1)
            restarting.cancel()
            outcome = (await asyncio.gather(restarting, return_exceptions=True))[0]
            await calling
            return type(outcome), "restart" in desk.engine.sources["a"].blocks

    assert virtually(scene) == (asyncio.CancelledError, False)
