"""Quotes, asked for again and again in place of a stream: when, by whose leave, and what comes of it."""

import asyncio
import itertools

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import ForceBreaker, ForcedState, Pin
from mds_engine.errors import AuthRequired, InvalidPayload, QuotaExhausted, Throttled, Unavailable
from mds_engine.model import Capability, Gap, Instrument, Quote, SourceSwitched, Tick, TickFlag, TickKind
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.limiter import LimitWindow

ONE, TWO, THREE = (Instrument("X", symbol) for symbol in ("ONE", "TWO", "THREE"))
WITHOUT_STREAMS = {"capabilities": {Capability.QUOTE, Capability.BARS}, "polls": True}
OFTEN = HealthSettings(interval_s=10.0, doubt_interval_s=2.0)


def polling(fake_desk, clock, names="ab", *, polled="b", traits=(), settings=(), **more):
    """A desk on which those named in `polled` have no streams, and are asked every 10 s."""
    return fake_desk(
        clock,
        names,
        traits={name: {**WITHOUT_STREAMS, **dict(traits)} for name in polled},
        sources={name: {"pace_s": 10.0, **dict(settings)} for name in polled},
        **more,
    )


def refuse_streams(vendor):
    vendor.stream_fails = lambda: Unavailable("refused")


async def stream_on(vendor, for_s):
    for _ in range(round(for_s * 10)):
        await vendor.clock.sleep(0.1)
        for stream in vendor.open_streams:
            stream.push(1.0)


def drain(reader):
    found = list(reader._queue)
    reader._queue.clear()
    return found


def ticks_of(items):
    return [item for item in items if isinstance(item, Tick)]


# --- Taking over, and giving back -----------------------------------------------------------------------


def test_what_is_polled_takes_over_at_once_and_takes_turns(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock) as desk, desk.engine.ticks([ONE, TWO]) as reader:
            refuse_streams(desk["a"])
            await clock.sleep(5.0)
            first = drain(reader)
            await clock.sleep(30.0)
            return first, desk["b"].asked, desk["b"].subjects, desk.engine.snapshot().route("X/ticks").active

    first, asked, subjects, active = virtually(scene)
    (tick,) = ticks_of(first)
    assert (tick.instrument, tick.price, tick.kind, tick.source) == (ONE, 100.0, TickKind.QUOTE, "b")
    assert tick.flags == TickFlag.POLLED
    assert tick.time_ns is None, "the vendor tells none"
    assert tick.received_ns > 0
    assert asked[0] < 1.0
    assert [after - before for before, after in itertools.pairwise(asked)] == pytest.approx(
        [10.0] * 3, abs=0.1
    )
    assert subjects == [("X:ONE",), ("X:TWO",), ("X:ONE",), ("X:TWO",)]
    assert active == "b"


@pytest.mark.parametrize("standby", [True, False])
def test_nothing_is_polled_while_a_true_stream_is_there(virtually, fake_desk, standby):
    async def scene(clock):
        desk = polling(fake_desk, clock, "ba", exchange={"standby": standby}, health=OFTEN)
        async with desk, desk.engine.ticks([ONE]):
            await stream_on(desk["a"], for_s=100.0)
            return desk["b"].asked, desk.engine.snapshot().route("X/ticks").active

    assert virtually(scene) == ([], "a"), "although it stands first in the route"


def test_a_true_stream_takes_over_again_and_the_time_between_polls_is_a_gap(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, health=OFTEN) as desk, desk.engine.ticks([ONE]) as reader:
            refuse_streams(desk["a"])
            await clock.sleep(15.0)
            drain(reader)
            desk["a"].recover()
            desk["b"].price = 101.0
            await stream_on(desk["a"], for_s=60.0)
            items = drain(reader)
            polls = len(desk["b"].asked)
            await stream_on(desk["a"], for_s=60.0)
            return items, len(desk["b"].asked) - polls

    items, later = virtually(scene)
    places = [index for index, item in enumerate(items) if isinstance(item, SourceSwitched)]
    (place,) = places
    assert (items[place].before, items[place].after) == ("b", "a")
    assert {tick.flags for tick in ticks_of(items[:place])} == {TickFlag.POLLED}
    gap, first = items[place + 1 : place + 3]
    assert isinstance(gap, Gap)
    assert "polled" in gap.why
    assert first.source == "a"
    assert not {tick.flags & TickFlag.POLLED for tick in ticks_of(items[place:])} - {0}
    assert later == 0


def test_an_operator_may_force_a_route_onto_it(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock) as desk, desk.engine.ticks([ONE]) as reader:
            await clock.sleep(1.0)
            desk["a"].stream.push(1.0)
            await desk.engine.apply(Pin(route="X/ticks", source="b", by="test"))
            await clock.sleep(20.0)
            return [tick.source for tick in ticks_of(drain(reader))]

    assert virtually(scene) == ["a", "b"]


def test_a_pace_of_zero_leaves_it_unpolled(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, settings={"pace_s": 0.0})
        async with desk, desk.engine.ticks([ONE]):
            refuse_streams(desk["a"])
            await clock.sleep(30.0)
            return desk["b"].asked, Capability.TICKS in desk.engine.sources["b"].units

    assert virtually(scene) == ([], False)


# --- What is delivered ----------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_delivered_again(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk, desk.engine.ticks([ONE]) as reader:
            await clock.sleep(35.0)
            desk["b"].price = 101.0
            await clock.sleep(20.0)
            return [tick.price for tick in ticks_of(drain(reader))], len(desk["b"].asked)

    assert virtually(scene) == ([100.0, 101.0], 6)


def test_the_vendors_own_time_makes_the_same_price_news(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk, desk.engine.ticks([ONE]) as reader:

            async def quotes(instruments):
                time_ns = int(clock.now() // 20) * 20 * 10**9
                return {one: Quote(instrument=one, price=5.0, time_ns=time_ns) for one in instruments}

            desk.engine.sources["b"].source.quotes = quotes
            await clock.sleep(45.0)
            return [tick.time_ns // 10**9 for tick in ticks_of(drain(reader))]

    assert virtually(scene) == [0, 20, 40]


def test_a_request_that_carries_many_asks_for_as_many(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", traits={"quotes_at_once": 2})
        async with desk, desk.engine.ticks([ONE, TWO, THREE]) as reader:
            await clock.sleep(25.0)
            return desk["b"].subjects, {tick.instrument for tick in ticks_of(drain(reader))}

    subjects, ticked = virtually(scene)
    assert subjects == [("X:ONE", "X:THREE"), ("X:TWO", "X:ONE"), ("X:THREE", "X:ONE")]
    assert ticked == {ONE, TWO, THREE}


def test_what_the_vendor_does_not_have_is_named_once_and_asked_no_more(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk:
            desk["b"].unknown = {"TWO"}
            async with desk.engine.ticks([ONE, TWO]):
                await clock.sleep(65.0)
                told = [(event.source, event.instruments) for event in desk.told(events.InstrumentsMute)]
                return told, [subject for (subject,) in desk["b"].subjects], desk.told(events.StreamLost)

    told, subjects, lost = virtually(scene)
    assert told == [("b", ("X:TWO",))]
    assert subjects == ["X:ONE", "X:TWO", *["X:ONE"] * 5]
    assert lost == []


def test_a_long_pace_is_no_silence(virtually, fake_desk):
    """Neither the connection nor an instrument is mute that is asked for every five minutes."""

    async def scene(clock):
        settings = StreamSettings(mute_after_s=5.0, instrument_mute_after_s=5.0, confirm_within_s=5.0)
        desk = polling(fake_desk, clock, "b", settings={"pace_s": 300.0}, streams=settings)
        async with desk, desk.engine.ticks([ONE, TWO, THREE]) as reader:
            for _ in range(4):
                await clock.sleep(300.0)
                desk["b"].price += 1.0
            told = [*desk.told(events.StreamLost), *desk.told(events.InstrumentsMute)]
            return told, len(ticks_of(drain(reader))), len(desk.told(events.StreamConnected))

    assert virtually(scene) == ([], 4, 1)


def test_a_closed_market_is_asked_once_and_left_alone(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk:
            polls = desk.engine.sources["b"].polls
            assert polls.trades("X")
            assert not polls.trades("NASDAQ"), "it is Sunday"
            polls.trades = lambda _: clock.now() > 100.0
            async with desk.engine.ticks([ONE, TWO]):
                await clock.sleep(100.0)
                closed = desk["b"].subjects[:]
                await clock.sleep(25.0)
                return closed, desk["b"].subjects[len(closed) :]

    closed, opened = virtually(scene)
    assert closed == [("X:ONE",), ("X:TWO",)]
    assert opened == [("X:ONE",), ("X:TWO",), ("X:ONE",)]


# --- By whose leave -------------------------------------------------------------------------------------


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
            return desk["b"].asked, desk.state("b", "ticks"), desk.state("b", "quote")

    asked, ticks, quotes = virtually(scene)
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


def test_no_poll_passes_a_breaker_that_is_forced_open(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock, "b") as desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            command = ForceBreaker(source="b", capability=None, state=ForcedState.OPEN, by="test")
            await desk.engine.apply(command)
            await clock.sleep(60.0)
            return len(desk["b"].asked)

    assert virtually(scene) == 1


def test_a_poll_waits_for_calls_and_never_makes_them_wait_for_a_place(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", settings={"connections": 1, "timeout_s": 30.0})
        async with desk, desk.engine.ticks([ONE]):
            await clock.sleep(5.0)
            desk["b"].takes_s = 20.0
            await desk.quote(deadline_s=60.0)
            return desk["b"].asked

    asked = virtually(scene)
    assert asked[:2] == pytest.approx([0.0, 5.0], abs=0.1), "the call"
    assert len(asked) == 2, "and no poll beside it"


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


def test_a_set_pace_may_use_the_plan_up_and_never_more(virtually, fake_desk):
    async def scene(clock):
        desk = polling(fake_desk, clock, "b", settings={"pace_s": 2.0, "calls_per_day": 12})
        async with desk, desk.engine.ticks([ONE]):
            await clock.sleep(100.0)
            meter = desk.engine.snapshot().source("b").meters[0]
            return len(desk["b"].asked), meter.used, len(desk.told(events.QuotaSpent))

    assert virtually(scene) == (12, 12, 1)
