"""What is a gap and what is none, who stands by, and whose numbers are compared."""

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState
from mds_engine.errors import Unavailable
from mds_engine.model import SourceSwitched, Tick, TickFlag
from mds_engine.sources.contract import StreamLimits

from tests.engine.streams.market import (
    OFTEN,
    ONE,
    TWO,
    Market,
    everything,
    fall_over,
    gaps,
    numbers,
    span,
    warm,
)
from tests.engine.streams.supervised import symbols


def test_an_instrument_that_was_quiet_for_longer_than_the_ring_holds_has_missed_nothing(virtually, fake_desk):
    async def scene(clock):
        async with warm(fake_desk, clock, same_vendor=False) as desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(3.0)
            market.mute = {("a", TWO), ("b", TWO)}
            await market.run(40.0)
            await fall_over(desk, market, for_s=2.0)
            market.mute.clear()
            await market.run(2.0)
            return everything(ticks)

    items = virtually(scene)
    assert gaps(items, ONE) == gaps(items, TWO) == []
    assert numbers(items, ONE) == span(1, 470)


def test_what_only_the_standby_had_and_let_go_is_a_gap(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(instrument_mute_after_s=1e6)
        desk = warm(fake_desk, clock, same_vendor=False, streams=streams)
        async with desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(3.0)
            market.mute = {("a", TWO)}
            await market.run(1.0)
            market.mute = {("a", TWO), ("b", TWO)}
            await market.run(20.0)
            await fall_over(desk, market, for_s=1.0)
            market.mute.clear()
            await market.run(2.0)
            return everything(ticks)

    items = virtually(scene)
    assert gaps(items, ONE) == []
    assert numbers(items, TWO) == span(1, 30) + span(251, 270)
    assert len(gaps(items, TWO)) == 1


@pytest.mark.parametrize(("away_s", "told"), [(0.0, 0), (2.0, 1)])
def test_a_standby_that_came_after_the_last_tick_has_all_if_the_other_carried_until_then(
    virtually, fake_desk, away_s, told
):
    async def scene(clock):
        async with warm(fake_desk, clock, same_vendor=False) as desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            desk["b"].stream_opens_in_s = 5.0
            await clock.sleep(1.0)
            await market.run(3.0)
            market.mute = {("a", TWO), ("b", TWO)}
            await market.run(4.0 if away_s else 8.0)
            if away_s:
                # The first is away while the second comes, so that for a moment nobody carries.
                desk["b"].stream.end(Unavailable("reset"))
                desk["a"].stream_opens_in_s = 3.0
                desk["a"].stream.end(Unavailable("reset"))
                await market.run(20.0)
            await fall_over(desk, market, for_s=1.0)
            market.mute.clear()
            await market.run(2.0)
            return everything(ticks)

    assert len(gaps(virtually(scene), TWO)) == told


def test_instruments_of_the_one_connection_that_was_lost_wait_for_nobody_and_tell_their_gap(
    virtually, fake_desk
):
    async def scene(clock):
        traits = {"a": {"stream_limits": StreamLimits(1, 2)}}
        async with (
            fake_desk(clock, health=OFTEN, traits=traits) as desk,
            desk.engine.ticks([ONE, TWO]) as ticks,
        ):
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(20.0)
            desk["a"].stream_opens_in_s, desk["b"].stream_opens_in_s = 9.0, 2.0
            desk["a"].open_streams[0].end(Unavailable("reset"))
            await clock.sleep(0.001)
            await market.run(8.0)
            return everything(ticks)

    items = virtually(scene)
    (gap,) = gaps(items, ONE)
    assert (gap.after_ns, gap.source) == (1_750_000_000_000_000_000 + 200 * 100_000_000, "b")
    assert numbers(items, ONE)[-1] == 280.0
    assert numbers(items, TWO) == span(1, 280)


def test_what_happened_while_a_source_was_out_of_service_is_a_gap(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", health=OFTEN) as desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(3.0)
            await desk.engine.apply(EnableSource(source="a", enabled=False))
            await market.run(3.0)
            await desk.engine.apply(EnableSource(source="a"))
            await market.run(3.0)
            return everything(ticks)

    items = virtually(scene)
    (gap,) = gaps(items)
    first = (gap.before_ns - 1_750_000_000_000_000_000) // 100_000_000
    last = (gap.after_ns - 1_750_000_000_000_000_000) // 100_000_000
    assert numbers(items) == span(1, last) + span(first, 90)
    assert "disabled" in gap.why


# --- Who stands by ---------------------------------------------------------------------------------------


def test_a_standby_that_was_kept_out_is_warm_again_soon_after(virtually, fake_desk):
    async def scene(clock):
        async with warm(fake_desk, clock, "abc") as desk, desk.engine.ticks([ONE, TWO]):
            await clock.sleep(1.0)
            desk.engine.sources["b"].block("disabled", "disabled")
            await clock.sleep(2.0)
            second = [symbols(stream) for stream in desk["c"].open_streams]
            desk.engine.sources["b"].unblock("disabled")
            await clock.sleep(2.0)
            return second, [symbols(stream) for stream in desk["b"].open_streams], desk["c"].open_streams

    assert virtually(scene) == (["ONETWO"], ["ONETWO"], [])


def test_what_was_silent_while_nobody_stood_by_stays_where_it_ticks_now(virtually, fake_desk):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            desk.engine.sources["b"].block("disabled", "disabled")
            await clock.sleep(1.0)
            await market.run(3.0)
            desk.engine._hub.mute(desk.engine.sources["a"], [ONE, TWO], "silent for 60 s")
            market.mute.add(("a", TWO))
            await market.run(1.0)
            desk.engine.sources["b"].unblock("disabled")
            await market.run(7.0)
            items = everything(ticks)
            return [(item.instrument, item.after) for item in items if isinstance(item, SourceSwitched)]

    assert virtually(scene) == [(TWO, "b")]


@pytest.mark.parametrize("ahead", [-5_000_000, 5_000_000])
def test_two_sources_of_one_kind_that_number_trades_apart_are_as_two_vendors(virtually, fake_desk, ahead):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            market.counts_from["b"] = ahead
            for name, counts in (("a", "trade"), ("b", "aggTrade")):
                source = desk.engine.sources[name].source
                source.numbering, source.has_trades, source.trades = counts, True, market.past(name)
            await clock.sleep(1.0)
            await market.run(3.0)
            await market.run(1.0, names="b")
            await fall_over(desk, market, for_s=10.0)
            return everything(ticks), desk.told(events.TicksFilled)

    items, filled = virtually(scene)
    assert numbers(items) == span(1, 140)
    assert gaps(items) == filled == []


@pytest.mark.parametrize("for_s", [2.0, None])
def test_trades_are_asked_of_no_source_that_may_not_be_called(virtually, fake_desk, for_s):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE]) as ticks:
            market, asked = Market(desk, clock), []
            for name in "ab":
                past = market.past(name)

                async def trades(request, name=name, past=past):
                    asked.append((name, clock.now()))
                    return await past(request)

                source = desk.engine.sources[name].source
                source.has_trades, source.trades = name == "a", trades
            await clock.sleep(1.0)
            await market.run(3.0)
            out = ForceBreaker(source="a", state=ForcedState.OPEN, ttl_s=for_s)
            assert (await desk.engine.apply(out)).accepted
            until = clock.now() + (for_s or 1e9)
            await market.run(1.0, names="")
            await market.run(9.0)
            return everything(ticks), [at >= until for _, at in asked]

    items, asked_in_time = virtually(scene)
    assert all(asked_in_time)
    if for_s is None:
        (gap,) = gaps(items)
        assert (gap.first_sequence, gap.last_sequence) == (31, 40)
        assert "nobody that has them may be asked now" in gap.why
    else:
        assert asked_in_time
        assert numbers(items) == span(1, 130)


def test_what_the_active_stream_left_out_is_taken_from_the_standby(virtually, fake_desk):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            await clock.sleep(1.0)
            await market.run(3.0)
            await market.run(1.0, names="b")
            await market.run(3.0)
            filled = {
                (event.source, event.instrument, event.ticks) for event in desk.told(events.TicksFilled)
            }
            return everything(ticks), filled

    items, filled = virtually(scene)
    for instrument in (ONE, TWO):
        assert numbers(items, instrument) == span(1, 70)
    assert filled == {("b", "X:ONE", 10), ("b", "X:TWO", 10)}
    held = [tick.price for tick in items if isinstance(tick, Tick) and tick.flags & TickFlag.HELD]
    assert sorted(set(held)) == span(31, 40)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_standby_that_dies_at_the_same_moment_leaves_one_gap_or_none(virtually, fake_desk, numbered):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            market.numbered = numbered
            for name in "ab":
                source = desk.engine.sources[name].source
                source.has_trades, source.trades = numbered, market.past(name)
                desk[name].stream_opens_in_s = 3.0
            await clock.sleep(5.0)
            await market.run(15.0)
            for name in "ba":
                desk[name].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            await market.run(20.0)
            return everything(ticks)

    items = virtually(scene)
    if numbered:
        assert numbers(items) == span(1, 350)
        assert gaps(items) == []
    else:
        (gap,) = gaps(items)
        first = (gap.before_ns - 1_750_000_000_000_000_000) // 100_000_000
        assert numbers(items) == span(1, 150) + span(first, 350)


def test_what_a_standby_brings_in_place_of_a_suspect_source_is_not_suspect(virtually, fake_desk):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE]) as ticks:
            market, lane = Market(desk, clock), desk.engine._hub._lane_of[ONE]
            await clock.sleep(1.0)
            await market.run(1.0)
            lane.suspect = True
            await market.run(1.0)
            await market.run(1.0, names="b")
            await fall_over(desk, market, for_s=1.0)
            return [tick for tick in everything(ticks) if isinstance(tick, Tick)]

    ticks = virtually(scene)
    suspects = [tick.price for tick in ticks if tick.flags & TickFlag.SUSPECT]
    assert suspects == span(11, 20)
    assert [tick.price for tick in ticks if tick.flags & TickFlag.HELD] == span(21, 30)
