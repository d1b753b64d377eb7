"""What a vendor allows is never exceeded; a wait is taken only where no other source is quicker."""

import asyncio

import pytest
from mds_engine.control import events
from mds_engine.control.commands import EnableSource, ResetBreaker
from mds_engine.errors import NotFound, QuotaExhausted, Throttled, Unavailable
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.limiter import LimitWindow


def most_in_any_window(times, window_s):
    """The most of these times that lie within a window, wherever it begins."""
    return max(sum(start <= at < start + window_s for at in times) for start in times)


def slow(limit, window_s=1.0):
    return {"windows": (LimitWindow(limit, window_s),)}


def test_what_one_source_may_not_send_goes_to_the_next(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, traits={"a": slow(5)}) as desk:
            quotes = await asyncio.gather(*(desk.quote(f"S{number}") for number in range(20)))
            return [quote.source for quote in quotes], clock.now(), quotes[-1].decision.steps[0].why

    sources, took_s, why = virtually(scene)
    assert sources == ["a"] * 5 + ["b"] * 15
    assert took_s < 0.1, "nobody waited for a limiter"
    assert "rate limit: " in why


def test_a_wait_is_taken_when_nobody_else_is_left(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, traits={"a": slow(5)}) as desk:
            desk["b"].fails = lambda: QuotaExhausted("used up")
            quotes = await asyncio.gather(*(desk.quote(f"S{number}") for number in range(20)))
            return {quote.source for quote in quotes}, desk["a"].asked, desk.permits

    sources, asked, permits = virtually(scene)
    assert sources == {"a"}
    assert most_in_any_window(asked, 1.0) == 5
    assert asked[-1] == pytest.approx(3.15, abs=0.2)
    assert permits == 0


def test_a_wait_that_does_not_fit_the_deadline_fails_at_once(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", traits={"a": slow(1, 60.0)}) as desk:
            await desk.quote("S1")
            began = clock.now()
            error = await desk.failure("S2", deadline_s=5.0)
            return clock.now() - began, error.retry_at - clock.wall(), error.decision.steps[-1].why

    took_s, due_in_s, why = virtually(scene)
    assert took_s < 0.01
    assert due_in_s == pytest.approx(60.0, abs=0.5)
    assert "rate limit: " in why


def test_of_two_limited_sources_the_one_due_sooner_is_waited_for(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, traits={"a": slow(1, 8.0), "b": slow(1, 2.0)}) as desk:
            sources = [(await desk.quote(f"S{number}")).source for number in range(3)]
            return sources, clock.now()

    sources, at = virtually(scene)
    assert sources == ["a", "b", "b"]
    assert at == pytest.approx(2.05, abs=0.2)


def test_a_caller_that_goes_away_while_it_waits_gives_its_place_back(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", traits={"a": slow(1, 2.0)}) as desk:
            await desk.quote("S1")
            gone = asyncio.create_task(desk.quote("S2"))
            await clock.sleep(0.5)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            await desk.quote("S3")
            return clock.now(), len(desk["a"].asked), desk.permits

    at, asked, permits = virtually(scene)
    assert at == pytest.approx(2.06, abs=0.1)
    assert (asked, permits) == (2, 0)


def test_who_waits_for_a_source_that_is_disabled_meanwhile_is_not_sent(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", traits={"a": slow(1, 2.0)}) as desk:
            await desk.quote("S1")
            waiting = asyncio.create_task(desk.failure("S2"))
            await clock.sleep(0.5)
            await desk.engine.apply(EnableSource(source="a", enabled=False))
            return (await waiting).decision.steps[-1].why, len(desk["a"].asked), desk.permits

    assert virtually(scene) == ("disabled", 1, 0)


def test_a_throttle_goes_to_the_next_source_and_is_obeyed(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=HealthSettings()) as desk:
            desk["a"].fails = lambda: Throttled("slow down", retry_after_s=120.0)
            first = (await desk.quote()).source
            desk["a"].recover()
            for _ in range(10):
                await clock.sleep(11.0)
                assert (await desk.quote()).source == "b"
            asked = len(desk["a"].asked)
            await clock.sleep(200.0)
            return (
                first,
                asked,
                (await desk.quote()).source,
                desk.state("a"),
                len(desk.told(events.Throttled)),
            )

    assert virtually(scene) == ("b", 1, "a", "closed", 1)


def test_a_spent_plan_blocks_until_its_reset(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            resets_at = clock.wall() + 3600.0
            desk["a"].fails = lambda: QuotaExhausted("25 calls a day", resets_at=resets_at)
            await desk.quote()
            desk["a"].recover()
            await clock.sleep(3590.0)
            before = (await desk.quote()).source, len(desk["a"].asked)
            await clock.sleep(11.0)
            return (
                before,
                (await desk.quote(source="a")).source,
                len(desk.told(events.QuotaSpent)),
                desk.state("a"),
            )

    assert virtually(scene) == (("b", 1), "a", 1, "closed")


def test_a_plan_of_so_many_calls_is_never_exceeded(virtually, fake_desk):
    async def scene(clock):
        plan = {"a": {"calls_per_day": 10}}
        async with fake_desk(clock, sources=plan, traits={"a": slow(1, 1.0)}) as desk:
            calls = [desk.quote(f"S{number}", source="a", deadline_s=60.0) for number in range(30)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            meter = desk.engine.snapshot().source("a").meters[0]
            good = sum(not isinstance(answer, Exception) for answer in answers)
            percents = [event.percent for event in desk.told(events.BudgetCrossed)]
            return good, len(desk["a"].asked), meter.used, meter.state, percents, desk.permits

    assert virtually(scene) == (10, 10, 10, "exhausted", [80.0, 100.0], 0)


def test_no_window_is_over_its_limit_with_many_callers_of_all_kinds(virtually, fake_desk):
    async def scene(clock):
        windows = {"a": {"windows": (LimitWindow(10, 1.0), LimitWindow(100, 20.0))}}
        async with fake_desk(clock, "a", traits=windows) as desk:
            desk["a"].takes_s = 0.3

            async def caller(number):
                for turn in range(10):
                    await clock.sleep(number % 7 * 0.13)
                    call = asyncio.create_task(desk.quote(f"S{number}x{turn}", deadline_s=30.0))
                    if number % 5 == 0:
                        await clock.sleep(0.2)
                        call.cancel()
                    await asyncio.gather(call, return_exceptions=True)

            await asyncio.gather(*(caller(number) for number in range(40)))
            return desk["a"].asked, desk.permits

    asked, permits = virtually(scene)
    assert len(asked) > 200
    assert most_in_any_window(asked, 1.0) <= 10
    assert most_in_any_window(asked, 20.0) <= 100
    assert permits == 0


def test_a_wait_short_enough_for_the_next_source_is_still_too_long_for_a_hasty_caller(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, traits={"a": slow(1, 0.08)}) as desk:
            desk["b"].hangs = True
            await desk.quote("S1")
            began = clock.now()
            await desk.failure("S2", deadline_s=0.05)
            return clock.now() - began, desk.permits

    took_s, permits = virtually(scene)
    assert took_s <= 0.06
    assert permits == 0


def test_a_vendor_that_holds_us_off_for_long_is_no_longer_active_and_takes_over_again_after(
    virtually, fake_desk
):
    async def scene(clock):
        async with fake_desk(clock, health=HealthSettings()) as desk:
            await desk.quote()
            desk["a"].fails = lambda: Throttled("slow down", retry_after_s=3600.0)
            await desk.quote()
            desk["a"].recover()
            await clock.sleep(2.0)
            held = desk.active()
            await clock.sleep(3900.0)
            return held, desk.active(), desk.state("a")

    assert virtually(scene) == ("b", "a", "closed")


def test_a_call_that_found_nobody_uses_nothing_of_the_plan(virtually, fake_desk):
    async def scene(clock):
        plan = {"a": {"calls_per_day": 10, "cost_per_call": "0.5"}}
        async with fake_desk(clock, sources=plan) as desk:
            await desk.quote("S0", source="a")
            desk["a"].fails = lambda: Unavailable("connection refused", unreachable=True)
            for number in range(1, 4):
                await asyncio.gather(desk.quote(f"S{number}", source="a"), return_exceptions=True)
            refused = desk.engine.snapshot().source("a")
            desk["a"].fails = lambda: Unavailable("the connection was reset")
            await desk.engine.apply(ResetBreaker(source="a"))
            await asyncio.gather(desk.quote("S9", source="a"), return_exceptions=True)
            reset = desk.engine.snapshot().source("a")
            return [(one.meters[0].used, one.money[0].today) for one in (refused, reset)]

    assert virtually(scene) == [(1, "0.50"), (2, "1.00")]


def test_a_question_that_was_never_sent_uses_nothing_of_the_plan(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, sources={"a": {"calls_per_day": 10}}) as desk:
            used = []
            for local in (True, True, False):
                desk["a"].fails = lambda local=local: NotFound("no such symbol", local=local)
                await asyncio.gather(desk.quote("S0", source="a"), return_exceptions=True)
                used.append(desk.engine.snapshot().source("a").meters[0].used)
            return used

    assert virtually(scene) == [0, 0, 1]


def test_the_last_call_of_a_plan_is_there_again_where_it_found_nobody(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, sources={"a": {"calls_per_day": 2}}) as desk:
            await desk.quote("S0", source="a")
            desk["a"].fails = lambda: Unavailable("connection refused", unreachable=True)
            await asyncio.gather(desk.quote("S1", source="a"), return_exceptions=True)
            desk["a"].fails = None
            await desk.engine.apply(ResetBreaker(source="a", capability="quote"))
            source = (await desk.quote("S2", source="a")).source
            meter = desk.engine.snapshot().source("a").meters[0]
            last = await asyncio.gather(desk.quote("S3", source="a"), return_exceptions=True)
            return source, meter.used, repr(last[0])

    source, used, last = virtually(scene)
    assert (source, used) == ("a", 2)
    assert "quota spent" in last, last


@pytest.mark.parametrize("outcome", ["an answer", "a refusal"])
def test_a_call_counts_from_when_it_may_have_reached_the_vendor(virtually, fake_desk, outcome):
    async def scene(clock):
        async with fake_desk(clock, "a", traits={"a": slow(1)}) as desk:
            vendor = desk["a"]
            await clock.sleep(5.0)  # its first check takes a turn too
            vendor.reached_in_s = 0.4  # as the first call does, whose connection is made first
            vendor.fails = (lambda: NotFound("not listed")) if outcome == "a refusal" else None
            first = asyncio.create_task(desk.failure("S0") if vendor.fails else desk.quote("S0"))
            await clock.sleep(0.1)
            waiting = [asyncio.create_task(desk.quote(f"S{number}")) for number in (1, 2)]
            await first
            vendor.reached_in_s, vendor.fails = 0.0, None
            await asyncio.gather(*waiting)
            return vendor.asked

    asked = virtually(scene)
    assert most_in_any_window(asked, 1.0) == 1
    assert asked[-1] < 5.0 + 2.8, "and no later than that needs"


def test_what_a_source_usually_takes_does_not_slow_it_down(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", traits={"a": slow(1)}) as desk:
            desk["a"].takes_s = 0.5
            await desk.quote("S0")
            await clock.sleep(10.0)
            began = clock.now()
            for number in range(1, 11):
                await desk.quote(f"S{number}")
            return clock.now() - began

    assert virtually(scene) == pytest.approx(9 * 1.05 + 0.5, abs=0.2)
