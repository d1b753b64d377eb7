"""Quotes, asked for again and again in place of a stream: when they take over, and what is delivered."""

import itertools

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import Pin, Subscribe
from mds_engine.model import Capability, Gap, Quote, SourceSwitched, TickFlag, TickKind
from mds_engine.policy.health import HealthSettings

from tests.engine.streams.polled import ONE, THREE, TWO, drain, polling, refuse_streams, stream_on, ticks_of

OFTEN = HealthSettings(interval_s=10.0, doubt_interval_s=2.0)


# --- Taking over, and giving back -----------------------------------------------------------------------


def test_what_is_polled_takes_over_at_once_and_takes_turns(virtually, fake_desk):
    async def scene(clock):
        async with polling(fake_desk, clock) as desk, desk.engine.ticks([ONE, TWO]) as reader:
            refuse_streams(desk["a"])
            await clock.sleep(5.0)
            first = drain(reader)
            seen = desk.engine.snapshot()
            await clock.sleep(30.0)
            return first, desk["b"].asked, desk["b"].subjects, seen

    first, asked, subjects, seen = virtually(scene)
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
    assert seen.route("X/ticks").active == "b"
    assert seen.source("a").stream.next_poll_s is None
    assert seen.source("b").stream.next_poll_s == pytest.approx(10.0 - (5.0 - asked[0]), abs=0.01)


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


def test_a_new_stream_goes_on_with_the_round_where_the_last_one_was(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(linger_s=0.0)
        async with polling(fake_desk, clock, "b", streams=streams) as desk:
            for _ in range(3):
                async with desk.engine.ticks([ONE, TWO, THREE]):
                    await clock.sleep(5.0)
                await clock.sleep(6.0)
            return desk["b"].subjects

    assert virtually(scene) == [("X:ONE",), ("X:THREE",), ("X:TWO",)]


@pytest.mark.parametrize("what", ["it fails", "it does not have an instrument"])
def test_no_poll_is_left_over_where_a_true_stream_serves_again(virtually, fake_desk, what):
    async def scene(clock):
        desk = polling(fake_desk, clock, health=OFTEN)
        async with desk, desk.engine.ticks([ONE, TWO]):
            refuse_streams(desk["a"])
            await clock.sleep(5.0)
            if what == "it fails":
                desk["b"].break_down()
            else:
                desk["b"].unknown = {"TWO"}
            await clock.sleep(7.0)
            desk["a"].recover()
            await stream_on(desk["a"], for_s=60.0)
            desk["b"].recover()
            polls = len(desk["b"].asked)
            await stream_on(desk["a"], for_s=60.0)
            seen = desk.engine.snapshot()
            return seen.route("X/ticks").active, seen.source("b").stream, len(desk["b"].asked) - polls

    assert virtually(scene) == ("a", None, 0)


def test_what_is_polled_is_not_held_against_what_streams(virtually, fake_desk):
    """A price of minutes ago would look wrong, and one that stands still frozen."""

    async def scene(clock):
        async with polling(fake_desk, clock) as desk:
            await desk.engine.apply(Subscribe(instruments=("X:ONE",)))
            refuse_streams(desk["a"])
            await clock.sleep(5.0)
            (row,) = desk.engine.snapshot().watch
            return row.source, row.price, row.prices

    assert virtually(scene) == ("b", 100.0, ())


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


def test_an_instrument_that_stands_still_is_not_mute(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(instrument_mute_after_s=5.0, confirm_within_s=5.0)
        desk = polling(fake_desk, clock, "b", settings={"pace_s": 1.0}, streams=streams)
        async with desk, desk.engine.ticks([ONE, TWO]):

            async def quotes(instruments):
                now = 1.0 + clock.now()
                prices = {ONE: min(now, 60.0), TWO: now}
                return {one: Quote(instrument=one, price=prices[one]) for one in instruments}

            desk.engine.sources["b"].source.quotes = quotes
            await clock.sleep(400.0)
            return desk.told(events.InstrumentsMute)

    assert virtually(scene) == []


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
