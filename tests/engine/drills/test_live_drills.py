"""Drills on a running engine: what callers, vendors and readers see of them, and what is left: nothing."""

import asyncio

import pytest
from mds_engine.control import events
from mds_engine.control.commands import EndDrill, FailOver, ForceBreaker, ForcedState
from mds_engine.control.drill import SCENARIOS, DrillPhase

from tests.engine.drills.rehearsed import FAULT_S, keep_calling, line_of, scorecard, start_drill

OF_CALLS = [scenario.name for scenario in SCENARIOS if scenario.hits_calls]


@pytest.mark.parametrize("scenario", OF_CALLS)
def test_callers_do_not_notice_and_the_vendor_is_not_asked(virtually, desk_of, scenario: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            for _ in range(5):
                await desk.quote()
            calling = asyncio.create_task(keep_calling(desk))
            asked, checks = len(desk["a"].asked), desk["a"].checks
            began = clock.now()
            result = await desk.engine.apply(start_drill(scenario))
            while clock.now() < began + FAULT_S - 0.01:
                await clock.sleep(0.5)
            met = len(desk["a"].asked) - asked, desk["a"].checks - checks
            card = await scorecard(desk)
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
    assert line_of(card, "routes moved to another source").value >= 1


@pytest.mark.parametrize("scenario", OF_CALLS)
def test_nothing_of_it_is_left(virtually, desk_of, scenario: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            runtime = desk.engine.sources["a"]
            await desk.quote()
            real, limiter = runtime.source, runtime.limiters["default"]
            calling = asyncio.create_task(keep_calling(desk))
            await desk.engine.apply(start_drill(scenario))
            await clock.sleep(5.0)
            replaced = runtime.source is not real
            await scorecard(desk)
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
            calling = asyncio.create_task(keep_calling(desk))
            await desk.engine.apply(start_drill())
            await clock.sleep(5.0)
            await desk.engine.apply(ForceBreaker(source="c", state=ForcedState.OPEN))
            await scorecard(desk)
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
            calling = asyncio.create_task(keep_calling(desk))
            before = desk.engine.snapshot().drill
            await desk.engine.apply(start_drill("errors"))
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
            await desk.engine.apply(start_drill("truncated"))
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
            await desk.engine.apply(start_drill("hangs"))
            asking = asyncio.create_task(desk.quote(source="a", deadline_s=30.0))
            await clock.sleep(3.0)
            waited = not asking.done()
            await desk.engine.apply(EndDrill())
            return waited, (await asking).source

    assert virtually(scene) == (True, "a")
