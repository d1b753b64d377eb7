"""When nobody answers: an early probe, a retry within its budget; and a hedge when the first is slow."""

import asyncio

import pytest
from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState
from mds_engine.errors import NotFound, Unavailable
from mds_engine.model import Verdict
from mds_engine.policy.hedging import HedgeSettings
from mds_engine.policy.panic import PanicSettings
from mds_engine.policy.retry import RetrySettings


async def break_all(desk):
    for name, vendor in desk.vendors.items():
        vendor.break_down()
        for _ in range(5):
            await desk.failure(source=name)
        assert desk.state(name) == "open"


def test_when_health_alone_keeps_all_out_one_is_probed_early_and_not_stormed(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await break_all(desk)
            desk["a"].recover()
            desk["b"].recover()
            views = {name: desk.engine.snapshot().source(name).breaker for name in "ab"}
            due_first = min(views, key=lambda name: views[name].retry_in_s)
            asked = {name: len(desk[name].asked) for name in "ab"}
            calls = (desk.quote(f"S{number}") for number in range(20))
            answers = await asyncio.gather(*calls, return_exceptions=True)
            served = [answer.source for answer in answers if not isinstance(answer, Exception)]
            return (
                served,
                due_first,
                {name: len(desk[name].asked) - asked[name] for name in "ab"},
                desk.permits,
            )

    served, due_first, reached, permits = virtually(scene)
    assert due_first in served
    assert reached == {"a": 1, "b": 1}, "one probe each, whoever else asks"
    assert permits == 0


@pytest.mark.parametrize("keeps_out", ["switched off", "disabled", "forced open"])
def test_no_early_probe_where_more_than_health_keeps_a_source_out(virtually, fake_desk, keeps_out):
    async def scene(clock):
        panic = PanicSettings(enabled=keeps_out != "switched off")
        async with fake_desk(clock, "a", panic=panic) as desk:
            await break_all(desk)
            if keeps_out == "disabled":
                await desk.engine.apply(EnableSource(source="a", enabled=False))
            elif keeps_out == "forced open":
                await desk.engine.apply(ForceBreaker(source="a", state=ForcedState.OPEN))
            asked = len(desk["a"].asked)
            for _ in range(5):
                await clock.sleep(2.0)
                await desk.failure()
            return len(desk["a"].asked) - asked

    assert virtually(scene) == 0


def test_a_retry_comes_only_when_nobody_is_left(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, retry=RetrySettings(attempts=1)) as desk:
            failures = iter([Unavailable("a moment")])
            desk["a"].fails = lambda: next(failures)
            first = await desk.quote()
            asked_a = len(desk["a"].asked)

            left = {"a": 1, "b": 1}

            def once(name):
                def fail():
                    left[name] -= 1
                    if not left[name]:
                        desk[name].fails = None
                    return Unavailable("a moment")

                return fail

            desk["a"].fails, desk["b"].fails = once("a"), once("b")
            second = await desk.quote()
            return (
                first.source,
                asked_a,
                [(step.source, step.verdict.value) for step in second.decision.steps],
            )

    source, asked_a, steps = virtually(scene)
    assert (source, asked_a) == ("b", 1)
    assert steps == [("a", "failed"), ("b", "failed"), ("a", "taken")]


def test_what_no_retry_can_mend_is_not_retried(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, retry=RetrySettings(attempts=3)) as desk:
            desk["a"].fails = desk["b"].fails = lambda: NotFound("unknown")
            await desk.failure()
            return len(desk["a"].asked), len(desk["b"].asked)

    assert virtually(scene) == (1, 1)


def test_retries_stay_within_their_budget(virtually, fake_desk):
    async def scene(clock):
        retry = RetrySettings(attempts=1, budget_minimum=3, budget_share=0.0, first_s=0.001)
        async with fake_desk(clock, "a", retry=retry) as desk:
            desk["a"].fails = lambda: Unavailable("down")
            await desk.engine.apply(force_closed("a"))
            for number in range(30):
                await desk.failure(f"S{number}")
            return len(desk["a"].asked)

    assert virtually(scene) == 33


def force_closed(source):
    return ForceBreaker(source=source, state=ForcedState.CLOSED, ttl_s=None)


# --- Hedges ---------------------------------------------------------------------------------------------

OFTEN = HedgeSettings(share=0.5)


async def learn(desk, calls=40):
    for number in range(calls):
        await desk.quote(f"L{number}")
    await desk.clock.sleep(2.0)


def test_no_hedge_unless_the_route_is_configured_to(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, hedging=OFTEN) as desk:
            await learn(desk)
            desk["a"].takes_s = 0.5
            return (await desk.quote()).source, desk["b"].asked

    assert virtually(scene) == ("a", [])


def test_a_slow_first_is_hedged_once_and_the_loser_counts_nowhere(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc", hedging=OFTEN, exchange={"hedge": True}) as desk:
            await learn(desk)
            desk["a"].takes_s = 0.5
            before = desk.engine.snapshot().source("a")
            began = clock.now()
            quote = await desk.quote()
            took_s = clock.now() - began
            after = desk.engine.snapshot().source("a")
            return (
                quote,
                took_s,
                (before.calls, before.failures) == (after.calls, after.failures),
                [
                    len(desk["b"].asked),
                    len(desk["c"].asked),
                    desk["a"].in_flight,
                    desk.permits,
                ],
            )

    quote, took_s, same, counts = virtually(scene)
    assert quote.source == "b"
    assert quote.decision.source == "b"
    assert [(step.source, step.verdict) for step in quote.decision.steps] == [
        ("a", Verdict.SKIPPED),
        ("b", Verdict.TAKEN),
    ]
    assert took_s < 0.1
    assert same
    assert counts == [1, 0, 0, 0]


def test_a_first_that_answers_in_its_usual_time_is_not_hedged(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, hedging=OFTEN, exchange={"hedge": True}) as desk:
            await learn(desk)
            await learn(desk)
            return desk["b"].asked

    assert virtually(scene) == []


def test_hedges_stay_within_their_share_of_the_calls(virtually, fake_desk):
    async def scene(clock):
        settings = HedgeSettings(share=0.05)
        async with fake_desk(clock, hedging=settings, exchange={"hedge": True}) as desk:
            await learn(desk, 100)
            desk["a"].takes_s = 0.09
            for number in range(60):
                await desk.quote(f"S{number}")
            return len(desk["b"].asked)

    assert 1 <= virtually(scene) <= 8


@pytest.mark.parametrize("metered", ["a", "b"])
def test_no_hedge_where_calls_are_counted(virtually, fake_desk, metered):
    async def scene(clock):
        plan = {metered: {"calls_per_day": 1000}}
        async with fake_desk(clock, hedging=OFTEN, exchange={"hedge": True}, sources=plan) as desk:
            await learn(desk)
            desk["a"].takes_s = 0.5
            return (await desk.quote()).source, desk["b"].asked

    assert virtually(scene) == ("a", [])


def test_a_hedge_that_fails_is_not_asked_again_by_the_same_call(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc", hedging=OFTEN, exchange={"hedge": True}) as desk:
            await learn(desk)
            desk["a"].takes_s, desk["a"].fails = 0.2, lambda: Unavailable("down")
            desk["b"].fails = lambda: Unavailable("down")
            quote = await desk.quote()
            return quote.source, len(desk["b"].asked), desk.permits

    assert virtually(scene) == ("c", 1, 0)


def test_a_caller_that_goes_away_takes_its_hedge_along(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, hedging=OFTEN, exchange={"hedge": True}) as desk:
            await learn(desk)
            desk["a"].hangs = desk["b"].hangs = True
            call = asyncio.create_task(desk.quote())
            await clock.sleep(0.5)
            flying = desk["a"].in_flight, desk["b"].in_flight
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            return flying, (desk["a"].in_flight, desk["b"].in_flight), desk.permits

    assert virtually(scene) == ((1, 1), (0, 0), 0)
