"""Drills on a running engine: what callers, vendors and readers see of them, and what is left: nothing."""

import asyncio
from typing import Any

import pytest
from mds_engine.control import events
from mds_engine.control.commands import (
    EnableSource,
    EndDrill,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    StartDrill,
)
from mds_engine.control.drill import SCENARIOS, DrillCard, DrillPhase
from mds_engine.drills.live import LiveDrills
from mds_engine.errors import AuthRequired
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.reconnect import ReconnectSettings

OF_CALLS = [scenario.name for scenario in SCENARIOS if scenario.hits_calls]
FAULT_S = 20.0


@pytest.fixture
def desk_of(fake_desk):
    """Makes a desk that may be rehearsed on, with checks every five seconds."""

    def make(clock, names: str = "ab", **more: Any):
        settings = {
            "health": HealthSettings(interval_s=5.0, doubt_interval_s=1.0),
            "breaker": BreakerSettings(open_s=4.0, open_cap_s=8.0),
            "failback": FailbackSettings(after_s=5.0),
            "reconnect": ReconnectSettings(first_s=0.5, cap_s=4.0),
            **more,
        }
        return fake_desk(clock, names, rehearsals=LiveDrills, **settings)

    return make


def _start(scenario: str = "refused", target: str = "a", **more: Any) -> StartDrill:
    return StartDrill(scenario=scenario, target=target, duration_s=FAULT_S, by="asha", **more)


async def _over(desk) -> DrillCard:
    """Wait for the drill's end; returns its scorecard."""
    while desk.engine.snapshot().drill is not None:
        await desk.clock.sleep(0.5)
    (ended,) = desk.told(events.DrillEnded)[-1:]
    return ended.card


async def _call(desk, pace_s: float = 0.25) -> None:
    while True:
        await desk.clock.sleep(pace_s)
        await desk.quote()


def _line(card: DrillCard, name: str) -> Any:
    return next(check for check in card.checks if check.name == name)


# --- Calls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", OF_CALLS)
def test_callers_do_not_notice_and_the_vendor_is_not_asked(virtually, desk_of, scenario: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            for _ in range(5):
                await desk.quote()
            calling = asyncio.create_task(_call(desk))
            asked, checks = len(desk["a"].asked), desk["a"].checks
            began = clock.now()
            result = await desk.engine.apply(_start(scenario))
            while clock.now() < began + FAULT_S - 0.01:
                await clock.sleep(0.5)
            met = len(desk["a"].asked) - asked, desk["a"].checks - checks
            card = await _over(desk)
            good = (await desk.quote(source="a")).source
            calling.cancel()
            (outcome,) = await asyncio.gather(calling, return_exceptions=True)
            return result, met, card, good, outcome, desk.active(), desk.permits

    result, met, card, good, outcome, active, permits = virtually(scene)
    assert result.accepted, result.message
    assert isinstance(outcome, asyncio.CancelledError), outcome
    if scenario != "slow":  # whose requests go out, and whose answers are held back
        assert met == (0, 0)
        assert card.figures.held_back > 0
    assert [check for check in card.checks if not check.ok] == []
    assert card.verdict == "pass"
    assert card.ended == "its time was over"
    assert (good, active, permits) == ("a", "a", 0)
    assert card.figures.answered_by["b"] > 20
    assert _line(card, "routes moved to another source").value >= 1


@pytest.mark.parametrize("scenario", OF_CALLS)
def test_nothing_of_it_is_left(virtually, desk_of, scenario: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            runtime = desk.engine.sources["a"]
            await desk.quote()
            real, limiter = runtime.source, runtime.limiters["default"]
            calling = asyncio.create_task(_call(desk))
            await desk.engine.apply(_start(scenario))
            await clock.sleep(5.0)
            replaced = runtime.source is not real
            await _over(desk)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            now = clock.now()
            return (
                replaced,
                runtime.source is real,
                dict(runtime.blocks),
                runtime.last_error,
                (limiter.blocked_until(now), limiter.rate_factor),
                desk.state("a"),
                desk.state("a", ""),
                [route.watched for route in desk.engine._routes.values() if route.watched],
            )

    assert virtually(scene) == (True, True, {}, "", (None, 1.0), "closed", "closed", [])


def test_what_comes_from_a_drill_says_so_and_nothing_else_does(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock, "abc") as desk:
            calling = asyncio.create_task(_call(desk))
            await desk.engine.apply(_start())
            await clock.sleep(5.0)
            await desk.engine.apply(ForceBreaker(source="c", state=ForcedState.OPEN))
            await _over(desk)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await desk.engine.apply(FailOver(route="X/quote"))
            return desk.engine.events()

    told = virtually(scene)
    marked = {type(event) for event in told if event.drill}
    assert {events.DrillStarted, events.BreakerOpened, events.FailedOver, events.DrillEnded} <= marked
    assert {event.drill for event in told if event.drill} == {1}
    assert not any(event.drill for event in told if getattr(event, "source", "") == "c")
    over = next(event.number for event in told if isinstance(event, events.DrillEnded))
    assert not any(event.drill for event in told if event.number > over)


def test_it_is_seen_while_it_runs(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(_call(desk))
            before = desk.engine.snapshot().drill
            await desk.engine.apply(_start("errors"))
            await clock.sleep(8.0)
            during = desk.engine.snapshot().drill
            await clock.sleep(13.0)
            after = desk.engine.snapshot().drill
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return before, during, after

    before, during, after = virtually(scene)
    assert before is None
    assert (during.scenario, during.target, during.phase) == ("errors", "a", DrillPhase.FAULT)
    assert during.remaining_s == pytest.approx(12.0, abs=0.3)
    assert during.figures.calls == during.figures.answered >= 30
    assert during.figures.breakers["quote"] != "closed"
    assert during.figures.noticed_after_s < 3.0
    assert after.phase is DrillPhase.RECOVERY


def test_calls_that_never_went_out_are_not_counted_against_the_plan(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock, sources={"a": {"calls_per_day": 100}}) as desk:
            await desk.quote()
            account = desk.engine.sources["a"].account

            def used() -> float:
                return account.meters(clock.wall())[0].used

            before = used()
            await desk.engine.apply(_start("truncated"))
            for _ in range(8):
                await desk.quote()
            held_back = desk.engine.snapshot().drill.figures.held_back
            return held_back, used() - before

    held_back, more = virtually(scene)
    assert held_back >= 4
    assert more == 0


def test_a_call_that_hangs_gets_its_answer_when_the_fault_is_lifted(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock, sources={"a": {"timeout_s": 30.0}}) as desk:
            await desk.quote()
            await desk.engine.apply(_start("hangs"))
            asking = asyncio.create_task(desk.quote(source="a", deadline_s=30.0))
            await clock.sleep(3.0)
            waited = not asking.done()
            await desk.engine.apply(EndDrill())
            return waited, (await asking).source

    assert virtually(scene) == (True, "a")


# --- Refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (_start("nonsense"), "no drill 'nonsense'; known are refused, hangs"),
        (_start(target="z"), "no source 'z'; known are a, b"),
        (_start(target="Y/quote"), "no route 'Y/quote'"),
        (StartDrill(scenario="refused", target="a", duration_s=0.5), "from 1 s to 3600 s"),
    ],
)
def test_it_says_why_it_does_not_begin(virtually, desk_of, command: StartDrill, why: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.quote()
            return await desk.engine.apply(command), desk.engine.snapshot().drill

    result, drill = virtually(scene)
    assert not result.accepted
    assert why in result.message
    assert drill is None


def test_one_at_a_time(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(_start())
            return await desk.engine.apply(_start(target="b"))

    result = virtually(scene)
    assert not result.accepted
    assert "refused of a is under way" in result.message


def test_a_source_that_is_out_already_is_left_alone(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(EnableSource(source="a", enabled=False, why="maintenance"))
            disabled = await desk.engine.apply(_start())
            await desk.engine.apply(EnableSource(source="a"))
            await desk.engine.apply(ForceBreaker(source="a", state=ForcedState.OPEN))
            return disabled, await desk.engine.apply(_start())

    disabled, forced = virtually(scene)
    assert not disabled.accepted
    assert not forced.accepted
    assert "a is out already: disabled: maintenance" in disabled.message
    assert "breaker of a is forced open" in forced.message.replace("-", " ").replace("_", " ")


@pytest.mark.parametrize("forced", [True, False], ids=["forced onto it", "no other source"])
def test_what_would_be_lost_must_be_accepted(virtually, desk_of, forced: bool) -> None:
    async def scene(clock):
        async with desk_of(clock, "ab" if forced else "a") as desk:
            if forced:
                await desk.engine.apply(Pin(route="X/quote", source="a", ttl_s=None))
            await desk.quote()
            refused = await desk.engine.apply(_start("errors"))
            accepted = await desk.engine.apply(_start("errors", accept_loss=True))
            error = await desk.failure()
            return refused, accepted, error, await _over(desk)

    refused, accepted, error, card = virtually(scene)
    assert not refused.accepted
    assert "X/quote" in refused.message
    assert "--accept_loss true" in refused.message
    assert accepted.accepted
    assert "drill: answered 503" in str(error)
    assert _line(card, "calls lost as accepted").value >= 1
    assert _line(card, "calls failed").ok


def test_a_route_means_who_serves_it(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(FailOver(route="X/quote"))
            await desk.engine.apply(_start(target="X/quote"))
            return desk.engine.snapshot().drill.target

    assert virtually(scene) == "b"


# --- Its end ----------------------------------------------------------------------------------------------


def test_it_can_be_ended_early_and_then_its_recovery_too(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(_call(desk))
            await desk.engine.apply(_start())
            await clock.sleep(6.0)
            first = await desk.engine.apply(EndDrill(by="ravi"))
            between = desk.engine.snapshot().drill.phase, desk.state("a", "")
            second = await desk.engine.apply(EndDrill(by="ravi"))
            card = await _over(desk)
            third = await desk.engine.apply(EndDrill(by="ravi"))
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return first, between, second, card, third, desk.state("a", "")

    first, between, second, card, third, state = virtually(scene)
    assert first.accepted
    assert between[0] is DrillPhase.RECOVERY
    assert between[1] != "closed"
    assert second.accepted
    assert not third.accepted
    assert card.ended == "ravi ended it"
    assert card.cleared_at - card.began_at == pytest.approx(6.0)
    assert "the source breaker of a was reset" in card.cleaned
    assert state == "closed"
    assert _line(card, "well again after").ok


def test_it_ends_with_the_engine(virtually, desk_of) -> None:
    async def scene(clock):
        desk = desk_of(clock)
        async with desk:
            await desk.quote()
            real = desk.engine.sources["a"].source
            await desk.engine.apply(_start("login-ended"))
            await desk.quote()
            await clock.sleep(1.0)
        return desk.told(events.DrillEnded)[0].card, desk.engine.sources["a"].source is real

    card, is_real = virtually(scene)
    assert card.ended == "the engine was stopped"
    assert is_real


def test_a_login_that_is_really_needed_stays_needed(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(_start("slow"))
            desk["a"].fails = desk["a"].check_fails = lambda: AuthRequired("the token has expired")
            await desk.quote()
            await clock.sleep(1.0)
            await desk.engine.apply(EndDrill())
            await desk.engine.apply(EndDrill())
            await _over(desk)
            return desk.engine.snapshot().source("a").state.value

    assert virtually(scene) == "login needed"


def test_an_operators_word_on_a_breaker_outlasts_it(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(_call(desk))
            await desk.engine.apply(_start("errors"))
            await clock.sleep(5.0)
            await desk.engine.apply(
                ForceBreaker(source="a", capability="quote", state=ForcedState.OPEN, ttl_s=None)
            )
            await _over(desk)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return desk.state("a")

    assert "forced" in virtually(scene)


def test_a_vendor_that_stays_ill_fails_the_drill(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(_call(desk))
            await desk.engine.apply(_start())
            await clock.sleep(5.0)
            desk["a"].break_down()
            card = await _over(desk)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return card

    card = virtually(scene)
    assert card.verdict == "fail"
    assert [check.name for check in card.checks if not check.ok] == ["well again after"]
    assert card.cleaned


def test_it_ends_when_its_source_is_let_go(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            runtime = desk.engine.sources["a"]
            real = runtime.source
            await desk.engine.apply(_start())
            await clock.sleep(2.0)
            del desk.engine.sources["a"]
            card = await _over(desk)
            desk.engine.sources["a"] = runtime
            return card, runtime.source is real, clock.now()

    card, is_real, at = virtually(scene)
    assert card.ended == "its source was let go, or made anew"
    assert is_real
    assert at < 5.0


@pytest.mark.parametrize(
    ("scenario", "cleaned"),
    [
        ("login-ended", "a needs no login any more"),
        ("throttled", "a may be asked again at once"),
        ("errors", "the quote breaker of a was reset"),
    ],
)
def test_what_could_not_heal_is_put_back_by_hand(virtually, desk_of, scenario: str, cleaned: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            for _ in range(5):
                await desk.quote()
            await desk.engine.apply(_start(scenario))
            for _ in range(6):
                await desk.quote()
            await desk.engine.apply(EndDrill())
            await desk.engine.apply(EndDrill())
            card = await _over(desk)
            return card, (await desk.quote(source="a")).source, desk.state("a")

    card, answers, state = virtually(scene)
    assert cleaned in card.cleaned
    assert (answers, state) == ("a", "closed")
