"""By whose leave a source is polled: breakers, limits, its plan, and calls come first."""

import asyncio
import itertools

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState
from mds_engine.errors import AuthRequired, InvalidPayload, QuotaExhausted, Throttled, Unavailable
from mds_engine.model import Capability
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.policy.limiter import LimitWindow

from tests.engine.streams.polled import ONE, TWO, drain, polling, ticks_of

# --- Breakers and limits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (lambda: Unavailable("down"), events.StreamLost),
        (lambda: InvalidPayload("not JSON"), events.StreamLost),
        (lambda: Throttled("too many", retry_after_s=40.0), events.Throttled),
        (lambda: QuotaExhausted("spent", resets_at=None), events.QuotaSpent),
        (lambda: AuthRequired("wrong key"), events.LoginNeeded),
    ],
    ids=["unavailable", "invalid", "throttled", "quota", "login"],
)
def test_a_poll_that_fails_ends_it_and_the_next_source_is_asked(virtually, fake_desk, failure, told):
    async def scene(clock):
        async with polling(fake_desk, clock, "bc", polled="bc") as desk, desk.engine.ticks([ONE]) as reader:
            await clock.sleep(5.0)
            desk["b"].fails = failure
            await clock.sleep(7.0)
            sources = [tick.source for tick in ticks_of(drain(reader))]
            lost = [(event.source, event.why) for event in desk.told(events.StreamLost)]
            return sources, lost, desk.told(told), desk["b"].asked, desk["c"].asked

    sources, lost, seen, asked, others = virtually(scene)
    assert sources == ["b", "c"]
    assert lost == [("b", failure().message)]
    assert [event.source for event in seen] == ["b"]
    assert len(asked) == 2
    assert others[0] == pytest.approx(asked[1], abs=0.2)


def test_failures_count_against_the_breaker_at_the_polls_own_pace(virtually, fake_desk):
    async def scene(clock):
        breaker = BreakerSettings(consecutive_failures=3, open_s=1000.0, open_cap_s=1000.0)
        async with polling(fake_desk, clock, "b", breaker=breaker) as desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            desk["b"].break_down()
            await clock.sleep(100.0)
            told = len(desk.told(events.StreamConnected)), len(desk.told(events.StreamLost))
            return desk["b"].asked, desk.state("b", "ticks"), desk.state("b", "quote"), told

    asked, ticks, quotes, told = virtually(scene)
    assert told == (1, 1), "connected is who has answered"
    assert asked == pytest.approx([0.0, 10.0, 20.0, 30.0], abs=0.5)
    assert (ticks, quotes) == ("open", "closed")


def test_a_breaker_that_is_half_open_is_closed_by_a_poll_and_not_by_less(virtually, fake_desk):
    async def scene(clock):
        breaker = BreakerSettings(consecutive_failures=1, open_s=3.0, half_open_successes=1)
        async with polling(fake_desk, clock, "b", breaker=breaker) as desk, desk.engine.ticks([ONE]):
            desk["b"].break_down()
            await clock.sleep(9.0)
            before = desk.state("b", "ticks"), len(desk["b"].asked)
            desk["b"].recover()
            await clock.sleep(3.0)
            return before, desk.state("b", "ticks"), len(desk["b"].asked)

    assert virtually(scene) == (("half-open", 1), "closed", 2)


def test_a_stream_that_is_opened_before_a_poll_is_due_proves_nothing(virtually, fake_desk):
    async def scene(clock):
        breaker = BreakerSettings(open_s=1.0, half_open_successes=1)
        desk = polling(fake_desk, clock, "b", breaker=breaker, streams=StreamSettings(linger_s=0.0))
        async with desk:
            async with desk.engine.ticks([ONE]):
                await clock.sleep(1.0)
            desk["b"].break_down(unreachable=True)
            while desk.state("b", "") != "open":
                await desk.failure()
            await clock.sleep(2.0)
            asked = len(desk["b"].asked)
            async with desk.engine.ticks([ONE]):
                await clock.sleep(2.0)
                connections = desk.engine.snapshot().source("b").stream.connections
                return connections, desk.state("b", ""), len(desk["b"].asked) - asked

    assert virtually(scene) == (1, "half-open", 0)


def test_no_poll_passes_a_breaker_that_is_forced_open(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            command = ForceBreaker(source="b", capability=None, state=ForcedState.OPEN, by="test")
            await desk.engine.apply(command)
            await clock.sleep(60.0)
            return len(desk["b"].asked)

    assert virtually(scene) == 1


def test_no_poll_passes_a_breaker_that_calls_have_opened(virtually, fake_desk):
    async def scene(clock):
        breaker = BreakerSettings(open_s=300.0)
        async with polling(fake_desk, clock, "b", breaker=breaker) as desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            desk["b"].break_down(unreachable=True)
            while desk.state("b", "") != "open":
                await desk.failure()
            desk["b"].recover()
            asked = len(desk["b"].asked)
            await clock.sleep(60.0)
            return len(desk["b"].asked) - asked, desk.told(events.StreamLost)

    assert virtually(scene) == (0, [])


def test_no_poll_is_sent_once_the_source_is_disabled(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b", settings={"pace_s": 0.1}) as desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            await desk.engine.apply(EnableSource(source="b", enabled=False))
            asked = len(desk["b"].asked)
            await clock.sleep(10.0)
            return asked, len(desk["b"].asked) - asked

    asked, later = virtually(scene)
    assert asked > 10
    assert later == 0


def test_every_poll_is_booked_once(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk, desk.engine.ticks([ONE]):
            await clock.sleep(35.0)
            desk["b"].break_down()
            await clock.sleep(20.0)
            unit = desk.engine.sources["b"].units[Capability.TICKS]
            return len(desk["b"].asked), unit.calls, unit.failures

    assert virtually(scene) == (6, 6, 2)


def test_a_call_that_is_throttled_sends_the_route_to_another_source_too(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "bc", polled="bc") as desk, desk.engine.ticks([ONE]) as reader:
            await clock.sleep(5.0)
            desk["b"].fails = lambda: Throttled("too many", retry_after_s=40.0)
            await desk.failure(source="b")
            await clock.sleep(1.0)
            return [tick.source for tick in ticks_of(drain(reader))]

    assert virtually(scene) == ["b", "c"]


@pytest.mark.parametrize(("places", "polls"), [(1, 0), (2, 0), (3, 1)])
def test_a_poll_leaves_a_place_to_calls(virtually, fake_desk, places, polls):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", settings={"connections": places, "timeout_s": 30.0})
        async with desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            desk["b"].takes_s = 20.0
            await desk.quote(deadline_s=60.0)
            return desk["b"].asked

    first, call, *beside = virtually(scene)
    assert (first, call) == pytest.approx((0.0, 5.0), abs=0.1)
    assert len(beside) == polls, "while the call took its time"


def test_calls_that_leave_no_room_for_long_end_it(virtually, fake_desk):
    async def scene(clock):
        settings = {"connections": 1, "timeout_s": 1000.0}
        desk = polling(fake_desk, clock, "bc", polled="bc", settings=settings)
        async with desk, desk.engine.ticks([ONE]) as reader:
            await clock.sleep(5.0)
            desk["b"].hangs = True
            call = desk.engine.quote(ONE, source="b", deadline_s=900.0)
            calling = asyncio.create_task(call)
            await clock.sleep(120.0)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            lost = [event.why for event in desk.told(events.StreamLost)]
            return lost, ticks_of(drain(reader))[-1].source, desk.state("b", "ticks")

    assert virtually(scene) == (["calls leave no room for its polls"], "c", "closed")


def test_polls_and_calls_together_keep_the_vendors_limit(virtually, fake_desk):
    async def scene(clock):
        desk = polling(
            fake_desk,
            clock,
            "b",
            traits={"windows": (LimitWindow(1, 1.0),)},
            settings={"pace_s": None, "timeout_s": 20.0},
        )
        async with desk, desk.engine.ticks([ONE, TWO]):
            for _ in range(20):
                await desk.quote()
                await clock.sleep(0.4)
            calls_and_polls = desk["b"].asked[:]
            await clock.sleep(21.0)
            return calls_and_polls, len(desk["b"].asked) - len(calls_and_polls)

    asked, alone = virtually(scene)
    assert min(after - before for before, after in itertools.pairwise(asked)) >= 1.0
    assert alone == pytest.approx(10, abs=1), "half of the limit is left to calls"


def test_everything_is_given_back_where_it_ends_amid_a_poll(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", settings={"timeout_s": 30.0})
        async with desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            desk["b"].hangs = True
            await clock.sleep(5.5)
            seats = desk.engine.sources["b"].seats
            amid = desk["b"].in_flight, seats.taken, desk.permits
            await desk.engine.apply(
                ForceBreaker(source="b", capability="ticks", state=ForcedState.OPEN, by="test")
            )
            await clock.sleep(2.0)
            return amid, (desk["b"].in_flight, seats.taken, desk.permits)

    assert virtually(scene) == ((1, 1, 2), (0, 0, 0))


# --- The plan -------------------------------------------------------------------------------------------


def test_a_small_plan_is_polled_seldom_and_its_last_calls_are_kept(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "bc", polled="bc", settings={"pace_s": None, "calls_per_day": 10})
        async with desk, desk.engine.ticks([ONE]):
            await clock.sleep(1.0)
            polls = desk.engine.sources["b"].polls
            left_s = 86400.0 - (clock.wall() % 86400.0)
            at_first = polls.pace_s, left_s / 7
            for _ in range(7):
                await desk.engine.quote(ONE, source="b")
            await clock.sleep(2.0)
            unit = desk.engine.sources["b"].units[Capability.TICKS]
            problem = desk.engine.sources["b"].is_out(unit, clock.now())
            answer = await desk.engine.quote(ONE, source="b")
            return at_first, problem, answer.source, len(desk["b"].asked), len(desk["c"].asked)

    (pace_s, expected_s), problem, source, asked, others = virtually(scene)
    assert pace_s == pytest.approx(expected_s)
    assert "kept for calls" in problem
    assert (source, asked, others) == ("b", 9, 1), "one poll, eight calls; the next source polls on"


def test_polls_that_are_used_up_begin_again_with_the_vendors_next_day(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", settings={"pace_s": None, "calls_per_day": 10})
        async with desk, desk.engine.ticks([ONE]) as reader:
            for _ in range(8):
                await desk.quote()
            await clock.sleep(2.0)
            used = desk.engine.snapshot().source("b").stream.connections, len(desk["b"].asked)
            desk["b"].price = 101.0
            # The evening passes at once: hours of rounds ten times a second would take their time.
            clock._loop.advance(86400.0 - clock.wall() % 86400.0)
            await clock.sleep(5.0)
            return used, [tick.price for tick in ticks_of(drain(reader))], len(desk["b"].asked)

    assert virtually(scene) == ((0, 9), [100.0, 101.0], 10)


def test_a_set_pace_may_use_the_plan_up_and_never_more(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", settings={"pace_s": 2.0, "calls_per_day": 12})
        async with desk, desk.engine.ticks([ONE]):
            await clock.sleep(100.0)
            meter = desk.engine.snapshot().source("b").meters[0]
            return len(desk["b"].asked), meter.used, len(desk.told(events.QuotaSpent))

    assert virtually(scene) == (12, 12, 1)
