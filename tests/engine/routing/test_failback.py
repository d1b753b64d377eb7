"""A source that failed proves itself before it leads again, and then takes its load in steps."""

import pytest
from mds_engine.control import events
from mds_engine.control.commands import FailOver, Pin, SetPriority, Unpin
from mds_engine.errors import AllSourcesFailedError
from mds_engine.model import Capability
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings

OFTEN = HealthSettings(interval_s=10.0, doubt_interval_s=2.0)
SHORT = BreakerSettings(open_s=20.0)


async def fail_over(desk):
    """Break source a until the route has left it, then mend it."""
    await desk.quote()
    desk["a"].break_down()
    for _ in range(6):
        await desk.quote()
    assert desk.active() == "b"
    desk["a"].recover()


async def until_failed_back(desk, longest_s=300.0):
    """The time at which the route is back on its primary, in seconds from now."""
    began = desk.clock.now()
    while desk.active() != "a":
        assert desk.clock.now() - began < longest_s, "it never failed back"
        await desk.clock.sleep(0.1)
    return desk.clock.now() - began


def test_a_failover_is_told_with_its_cause_and_sticks(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN, breaker=SHORT) as desk:
            await fail_over(desk)
            told = desk.told(events.FailedOver)
            await clock.sleep(5.0)
            return [(event.route, event.before, event.after, event.why) for event in told], desk.active()

    told, active = virtually(scene)
    assert told == [("X/quote", "a", "b", "down")]
    assert active == "b"


def test_the_primary_leads_again_after_thirty_seconds_and_three_good_checks(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN, breaker=SHORT) as desk:
            await fail_over(desk)
            took_s = await until_failed_back(desk)
            closed_at = desk.told(events.BreakerClosed)[0].at
            back = desk.told(events.FailedBack)[0]
            return took_s, back.at - closed_at, (back.before, back.after)

    took_s, after_closing_s, move = virtually(scene)
    assert move == ("b", "a")
    assert 29.0 <= after_closing_s <= 45.0
    assert took_s >= 30.0


def test_a_failure_on_the_way_back_begins_the_proof_anew(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN, breaker=SHORT) as desk:
            await fail_over(desk)
            while desk.state("a") != "closed" and clock.now() < 300.0:
                await clock.sleep(0.1)
            await clock.sleep(20.0)
            desk["a"].break_down()
            await desk.failure(source="a")
            desk["a"].recover()
            return await until_failed_back(desk)

    assert virtually(scene) >= 30.0


def test_a_preemptive_route_goes_back_as_soon_as_the_primary_is_well(virtually, fake_desk):
    async def scene(clock):
        exchange = {"failback": "preemptive"}
        async with fake_desk(clock, health=OFTEN, breaker=SHORT, exchange=exchange) as desk:
            await fail_over(desk)
            await until_failed_back(desk)
            return desk.told(events.FailedBack)[0].at - desk.told(events.BreakerClosed)[0].at

    assert virtually(scene) <= 0.2


def test_after_a_failback_the_primary_gets_a_growing_share(virtually, fake_desk):
    async def scene(clock):
        settings = FailbackSettings(slow_start_s=10.0, slow_start_from=0.1)
        async with fake_desk(clock, health=OFTEN, breaker=SHORT, failback=settings) as desk:
            await fail_over(desk)
            await until_failed_back(desk)
            shares = []
            for second in range(12):
                sources = [(await desk.quote(f"S{second}x{number}")).source for number in range(90)]
                shares.append(sources.count("a") / 90)
                await clock.sleep(0.1)
            return shares, desk.told(events.FailedOver)[1:]

    shares, moves = virtually(scene)
    assert 0.0 < shares[0] < 0.35
    assert 0.35 < shares[4] < 0.8
    assert shares[11] == 1.0
    assert moves == [], "what the slow start leaves to the backup is no failover"


def test_a_flapping_primary_does_not_drag_the_route_along(virtually, fake_desk):
    async def scene(clock):
        sharp = HealthSettings(interval_s=2.0, doubt_interval_s=1.0)
        async with fake_desk(clock, health=sharp, breaker=SHORT) as desk:
            await desk.quote()
            for _ in range(60):
                desk["a"].break_down()
                for _ in range(10):
                    await desk.quote()
                    await clock.sleep(0.5)
                desk["a"].recover()
                await clock.sleep(5.0)
            return len(desk.told(events.FailedOver)) + len(desk.told(events.FailedBack))

    assert virtually(scene) == 1


def test_a_route_whose_sources_are_all_out_is_told_once_and_its_return_too(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, breaker=SHORT) as desk:
            for vendor in desk.vendors.values():
                vendor.break_down()
            for _ in range(15):
                await desk.failure()
            desk["a"].recover()
            desk["b"].recover()
            await clock.sleep(21.0)
            quote = await desk.quote()
            return len(desk.told(events.RouteDown)), desk.told(events.RouteRestored), quote.source

    down, restored, source = virtually(scene)
    assert down == 1
    assert [event.source for event in restored] == [source]
    assert 20.0 < restored[0].down_for_s < 25.0


# --- An operator's word ---------------------------------------------------------------------------------


@pytest.mark.parametrize("failback", ["sticky", "preemptive"])
def test_an_operators_failover_is_not_undone_at_once(virtually, fake_desk, failback):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN, exchange={"failback": failback}) as desk:
            for _ in range(10):
                await desk.quote()
                await clock.sleep(10.0)
            result = await desk.engine.apply(FailOver(route="X/quote"))
            assert result.accepted
            await clock.sleep(20.0)
            after_a_while = desk.active()
            return after_a_while, 20.0 + await until_failed_back(desk)

    active, took_s = virtually(scene)
    assert active == "b"
    assert 30.0 <= took_s <= 60.0, "failback follows by itself, as after any failover"


def test_the_reverse_of_a_failover_is_obeyed_at_once(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc", health=OFTEN) as desk:
            result = await desk.engine.apply(FailOver(route="X/quote", to="c"))
            moved = (await desk.quote()).source
            back = await desk.engine.apply(result.reverse)
            return moved, back.accepted, (await desk.quote()).source

    assert virtually(scene) == ("c", True, "a")


def test_a_pin_holds_until_its_time_is_over(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc", health=OFTEN) as desk:
            result = await desk.engine.apply(Pin(route="X/quote", source="c", ttl_s=60.0, why="test"))
            desk["c"].break_down()
            held = [step.source for step in (await desk.failure()).decision.steps]
            view = desk.engine.snapshot().route("X/quote")
            desk["c"].recover()
            await clock.sleep(59.0)
            last = (await desk.quote()).source
            await clock.sleep(1.2)
            ended = desk.told(events.OverrideEnded)
            return (
                result.reverse,
                held,
                (view.pinned, view.pin_why, round(view.pinned_for_s)),
                last,
                (await desk.quote()).source,
                [event.subject for event in ended],
                round(ended[0].at - VIRTUAL_START),
            )

    reverse, held, view, last, after, subjects, at = virtually(scene)
    assert reverse == Unpin(route="X/quote")
    assert held == ["c"], "a pinned route asks nobody else"
    assert view == ("c", "test", 60)
    assert (last, after) == ("c", "a")
    assert (subjects, at) == (["X/quote"], 60)


VIRTUAL_START = 1_750_000_000


def test_other_priorities_take_effect_at_once(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            result = await desk.engine.apply(SetPriority(route="X/quote", sources=("c", "a", "b")))
            first = (await desk.quote()).source
            desk["c"].break_down()
            second = (await desk.quote()).source
            await desk.engine.apply(result.reverse)
            return first, second, desk.engine.snapshot().route("X/quote").sources, (await desk.quote()).source

    assert virtually(scene) == ("c", "a", ("a", "b", "c"), "a")


def test_a_route_that_no_source_serves_is_not_down(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", traits={"a": {"capabilities": [Capability.TICKS]}}) as desk:
            error = await desk.failure()
            return error, desk.told(events.RouteDown)

    error, told = virtually(scene)
    assert isinstance(error, AllSourcesFailedError)
    assert told == []
