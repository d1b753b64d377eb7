"""Who is ill is left alone: nothing but probes reaches a source whose breaker is open."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from mds_engine.config.schema import EngineSettings
from mds_engine.control import events
from mds_engine.control.commands import ForceBreaker, ForcedState
from mds_engine.errors import AuthRequired, InvalidPayload, MdsError, Unavailable
from mds_engine.model import Verdict
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.limiter import LimitWindow
from mds_engine.policy.panic import PanicSettings

END = datetime(2026, 1, 2, tzinfo=UTC)
NEVER = PanicSettings(enabled=False)


async def break_down(desk, name="a"):
    desk[name].break_down()
    for _ in range(5):
        await desk.failure(source=name)
    assert desk.state(name) == "open"


def test_no_call_reaches_a_source_whose_breaker_is_open(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await break_down(desk)
            asked = len(desk["a"].asked)
            quotes = await asyncio.gather(*(desk.quote(f"S{number}") for number in range(200)))
            return len(desk["a"].asked) - asked, quotes[0].decision.steps[0]

    reached, step = virtually(scene)
    assert reached == 0
    assert step.verdict is Verdict.SKIPPED
    assert "quote breaker open, next probe in" in step.why


def test_of_fifty_callers_one_probes_and_the_others_are_refused(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await break_down(desk)
            await clock.sleep(61.0)
            asked, desk["a"].most_in_flight = len(desk["a"].asked), 0
            desk["a"].recover()
            desk["a"].takes_s = 0.5
            calls = (desk.quote(f"S{number}", source="a") for number in range(50))
            answers = await asyncio.gather(*calls, return_exceptions=True)
            reached, refused = len(desk["a"].asked) - asked, [str(answer) for answer in answers[1:]]
            for _ in range(2):
                await desk.quote(source="a")
            return reached, desk["a"].most_in_flight, refused, desk.state("a"), desk.permits

    reached, probes, refused, state, permits = virtually(scene)
    assert (reached, probes) == (1, 1)
    assert all("half-open, its probe is in flight" in words for words in refused)
    assert (state, permits) == ("closed", 0)


def test_a_failed_probe_opens_it_for_longer(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await break_down(desk)
            await clock.sleep(61.0)
            assert desk.state("a") == "half-open"
            await desk.failure(source="a")
            return [event.open_for_s for event in desk.told(events.BreakerOpened)], desk.state("a")

    (first, second), state = virtually(scene)
    assert 54.0 <= first <= 60.0 < 108.0 <= second <= 120.0
    assert state == "open"


def test_a_caller_that_waited_for_the_limiter_is_not_sent_to_a_source_that_opened_meanwhile(
    virtually, fake_desk
):
    async def scene(clock):
        traits = {"a": {"windows": (LimitWindow(5, 10.0),)}}
        async with fake_desk(clock, "a", traits=traits, panic=NEVER) as desk:
            desk["a"].break_down()
            calls = [asyncio.create_task(desk.failure(f"S{number}", deadline_s=60.0)) for number in range(12)]
            errors = await asyncio.gather(*calls)
            return len(desk["a"].asked), "breaker open" in str(errors[-1]), desk.permits

    assert virtually(scene) == (5, True, 0)


def test_two_capabilities_that_open_take_the_source_out_as_a_whole(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].break_down()
            for _ in range(5):
                await desk.quote()
                await desk.engine.fetch_bars("X:ONE", "1d", END - timedelta(days=1), END)
            opened = {event.capability for event in desk.told(events.BreakerOpened)}
            return opened, desk.state("a", ""), desk.state("a", "ticks")

    assert virtually(scene) == ({"quote", "bars", ""}, "open", "closed")


def test_a_vendor_that_cannot_be_reached_is_learned_once_for_all_capabilities(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].break_down("refused", unreachable=True)
            for _ in range(3):
                await desk.quote()
            for _ in range(2):
                await desk.engine.fetch_bars("X:ONE", "1d", END - timedelta(days=1), END)
            asked = len(desk["a"].asked)
            await desk.quote()
            return desk.state("a", ""), desk.state("a"), len(desk["a"].asked) - asked

    assert virtually(scene) == ("open", "closed", 0)


@pytest.mark.parametrize(
    ("forced", "answers"), [(ForcedState.OPEN, "b"), (ForcedState.CLOSED, "a")], ids=["open", "closed"]
)
def test_a_forced_breaker_holds_whatever_happens(virtually, fake_desk, forced, answers):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            if forced is ForcedState.CLOSED:
                await break_down(desk)
            await desk.engine.apply(ForceBreaker(source="a", state=forced, ttl_s=None))
            desk["a"].fails = (lambda: InvalidPayload("x")) if forced is ForcedState.CLOSED else None
            asked = len(desk["a"].asked)
            for _ in range(30):
                await clock.sleep(30.0)
                await desk.quote()
            reached = len(desk["a"].asked) - asked
            desk["a"].recover()
            return desk.state("a"), reached, (await desk.quote()).source

    state, reached, source = virtually(scene)
    assert state == f"forced-{forced.value}"
    assert reached == (30 if forced is ForcedState.CLOSED else 0)
    assert source == answers


def test_forcing_every_breaker_closed_sends_calls_though_the_whole_source_was_out(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].break_down("refused", unreachable=True)
            for _ in range(5):
                await desk.quote()
            assert desk.state("a", "") == "open"
            desk["a"].recover()
            await desk.engine.apply(ForceBreaker(source="a", state=ForcedState.CLOSED, ttl_s=5.0))
            quote = await desk.quote(source="a")
            await clock.sleep(6.0)
            return quote.source, desk.state("a"), desk.state("a", "")

    assert virtually(scene) == ("a", "closed", "closed")


# --- Checks ---------------------------------------------------------------------------------------------

OFTEN = HealthSettings(interval_s=30.0, doubt_interval_s=2.0)


def test_a_source_that_is_well_again_is_noticed_by_its_checks_though_nobody_calls(virtually, fake_desk):
    async def scene(clock):
        breaker = BreakerSettings(open_s=300.0)
        async with fake_desk(clock, health=OFTEN, breaker=breaker) as desk:
            await desk.quote()
            await break_down(desk)
            await clock.sleep(20.0)
            desk["a"].recover()
            cleared, asked = clock.wall(), len(desk["a"].asked)
            await clock.sleep(60.0)
            recovered = [event.at - cleared for event in desk.told(events.SourceRecovered)]
            return desk.state("a"), recovered, len(desk["a"].asked) - asked, desk.permits

    state, recovered, probes, permits = virtually(scene)
    assert state == "closed"
    assert len(recovered) == 1
    assert recovered[0] <= 60.0
    assert probes == 3, "a check is followed by probes for data: a ping proves nothing"
    assert permits == 0


def test_a_login_that_works_again_is_noticed_by_a_check(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN) as desk:
            desk["a"].fails = desk["a"].check_fails = lambda: AuthRequired("token expired")
            for _ in range(10):
                assert (await desk.quote()).source == "b"
            refused, asked = desk.engine.sources["a"].refusal(), len(desk["a"].asked)
            desk["a"].recover()
            await clock.sleep(61.0)
            return refused, asked, len(desk.told(events.LoginNeeded)), (await desk.quote(source="a")).source

    assert virtually(scene) == ("login needed: token expired", 1, 1, "a")


def test_a_metered_source_is_checked_only_while_it_is_out(virtually, fake_desk):
    async def scene(clock):
        plan = {"a": {"calls_per_day": 1000}}
        async with fake_desk(clock, health=OFTEN, sources=plan) as desk:
            await clock.sleep(600.0)
            while_well, others = desk["a"].checks, desk["b"].checks
            await break_down(desk)
            await clock.sleep(120.0)
            return while_well, others > 10, 0 < desk["a"].checks <= 5

    assert virtually(scene) == (0, True, True)


@pytest.mark.parametrize("bug", [KeyError("x"), None], ids=["raises", "answers nothing"])
def test_a_check_that_meets_a_bug_ends_no_engine(virtually, fake_desk, bug):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN) as desk:
            await desk.quote()
            await break_down(desk)
            desk["a"].recover()
            if bug is None:
                desk.engine.sources["a"].source.quotes = lambda _instruments: asyncio.sleep(0)
            else:
                desk["a"].check_fails = lambda: bug
            broken = asyncio.create_task(desk.engine.wait_broken())
            await clock.sleep(300.0)
            ended = broken.done()
            broken.cancel()
            return ended, desk.state("a") != "closed", desk.permits

    assert virtually(scene) == (False, True, 0)


def test_with_failover_off_the_primary_alone_is_asked(virtually, fake_desk):
    async def scene(clock):
        settings = EngineSettings(state_path=":memory:", failover_enabled=False)
        async with fake_desk(clock, engine=settings) as desk:
            desk["a"].fails = lambda: Unavailable("down")
            with pytest.raises(MdsError):
                await desk.quote()
            desk["a"].recover()
            desk["a"].unknown = {"TWO"}
            found = await desk.engine.quotes(["X:ONE", "X:TWO"])
            return sorted(found), desk["b"].asked

    assert virtually(scene) == (["X:ONE"], [])
