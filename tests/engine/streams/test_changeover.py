"""Through failovers, failbacks and holes: nothing lost, nothing twice, and what nobody has is told."""

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import Pin
from mds_engine.errors import Unavailable
from mds_engine.model import Gap, SourceSwitched, Tick, TickFlag
from mds_engine.policy.failback import FailbackSettings

from tests.engine.streams.market import OFTEN, ONE, TWO, Market, everything, numbers, span, warm


def test_a_warm_standby_takes_over_at_once_and_nothing_is_lost(virtually, fake_desk):
    async def scene(clock):
        async with warm(fake_desk, clock) as desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            await clock.sleep(1.0)
            await market.run(3.0)
            # The primary stops saying anything before it is known to be dead.
            await market.run(2.0, names="b")
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            at_once = everything(ticks)
            await market.run(3.0)
            told = desk.told(events.TicksSwitched)
            return at_once, at_once + everything(ticks), told

    at_once, items, told = virtually(scene)
    for instrument in (ONE, TWO):
        assert numbers(items, instrument) == span(1, 80)
        assert numbers(at_once, instrument) == span(1, 50), "what the ring held came with the switch"
    switched = [item for item in items if isinstance(item, SourceSwitched)]
    assert {(item.instrument, item.before, item.after) for item in switched} == {
        (ONE, "a", "b"),
        (TWO, "a", "b"),
    }
    assert [tick.flags for tick in items if isinstance(tick, Tick) and 30 < tick.price <= 50] == [
        TickFlag.HELD
    ] * 40
    assert (told[0].instruments, told[0].held, told[0].why) == (2, 40, "reset")
    assert not [item for item in items if isinstance(item, Gap)]


def test_a_failback_loses_nothing_and_brings_nothing_twice(virtually, fake_desk):
    async def scene(clock):
        failback = FailbackSettings(after_s=5.0)
        async with warm(fake_desk, clock, failback=failback) as desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            await clock.sleep(1.0)
            await market.run(20.0)
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            await market.run(120.0)
            return everything(ticks), desk.active("X/ticks")

    items, active = virtually(scene)
    switches = [(item.before, item.after) for item in items if isinstance(item, SourceSwitched)]
    assert switches == [("a", "b"), ("b", "a")]
    assert active == "a"
    assert numbers(items) == span(1, 1400)
    assert not [item for item in items if isinstance(item, Gap)]


def test_what_no_stream_had_is_asked_for_over_rest(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock, "a", health=OFTEN)
        async with desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            source = desk.engine.sources["a"].source
            source.has_trades, source.trades = True, market.past("a")
            await clock.sleep(1.0)
            await market.run(2.0)
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            await market.run(10.0)
            return everything(ticks), desk.told(events.TicksFilled)

    items, filled = virtually(scene)
    assert numbers(items) == span(1, 120)
    assert sum(event.ticks for event in filled) > 0
    assert not [item for item in items if isinstance(item, Gap)]


@pytest.mark.parametrize("rest", ["none", "fails", "hangs", "has some"])
def test_what_nobody_has_is_a_gap_with_its_bounds(virtually, fake_desk, rest):
    async def scene(clock):
        desk = fake_desk(clock, "a", health=OFTEN)
        async with desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            source = desk.engine.sources["a"].source
            whole = market.past("a")

            async def trades(request):
                if rest == "hangs":
                    await clock.sleep(1e6)
                if rest == "fails":
                    raise Unavailable("no REST today")
                return [tick for tick in await whole(request) if tick.sequence > 35]

            source.has_trades, source.trades = rest != "none", trades
            await clock.sleep(1.0)
            await market.run(3.0)
            await market.run(1.0, names="")
            await market.run(10.0)
            return everything(ticks), desk.told(events.TicksGapped)

    items, told = virtually(scene)
    (gap,) = [item for item in items if isinstance(item, Gap)]
    first, last = gap.first_sequence, gap.last_sequence
    assert (first, last) == ((31, 35) if rest == "has some" else (31, 40))
    assert numbers(items) == span(1, first - 1) + span(last + 1, 140)
    assert (told[0].missing, told[0].why) == (last - first + 1, gap.why)
    assert gap.why in {
        "no source of its route gives past trades",
        "a: no REST today",
        "not had within 5 s",
        "a no longer has them",
    }


def test_a_trade_that_comes_a_little_late_is_waited_for(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock, "a")
        async with desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            await clock.sleep(1.0)
            stream = desk["a"].stream
            for number in (1, 3, 2, 4):
                stream.deliver([market.trade(number, ONE, "a")])
                await clock.sleep(0.05)
            return everything(ticks)

    assert numbers(virtually(scene)) == [1.0, 2.0, 3.0, 4.0]


def test_a_cold_backup_of_another_vendor_leaves_a_gap_and_says_so(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN) as desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(3.0)
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            await market.run(1.0, names="")
            await market.run(3.0)
            return everything(ticks)

    items = virtually(scene)
    (gap,) = [item for item in items if isinstance(item, Gap)]
    after = (gap.before_ns - gap.after_ns) // 100_000_000
    assert after >= 11
    assert numbers(items) == span(1, 30) + span(30 + after, 70)


def test_a_warm_standby_of_another_vendor_leaves_none(virtually, fake_desk):
    async def scene(clock):
        desk = warm(fake_desk, clock, same_vendor=False)
        async with desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(3.0)
            await market.run(1.0, names="b")
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            await market.run(3.0)
            return everything(ticks)

    items = virtually(scene)
    assert numbers(items) == span(1, 70)
    assert not [item for item in items if isinstance(item, Gap)]


def test_an_operators_word_moves_the_ticks_without_loss(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN) as desk, desk.engine.ticks([ONE]) as ticks:
            market = Market(desk, clock)
            market.numbered = False
            await clock.sleep(1.0)
            await market.run(3.0)
            await desk.engine.apply(Pin(route="X/ticks", source="b", ttl_s=4.0))
            await market.run(10.0)
            return everything(ticks)

    items = virtually(scene)
    switches = [(item.before, item.after) for item in items if isinstance(item, SourceSwitched)]
    assert switches == [("a", "b"), ("b", "a")]
    assert numbers(items) == span(1, 130)


def test_one_mute_instrument_moves_alone_and_comes_back(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(return_after_s=5.0)
        async with warm(fake_desk, clock, streams=streams) as desk, desk.engine.ticks([ONE, TWO]) as ticks:
            market = Market(desk, clock)
            await clock.sleep(1.0)
            await market.run(3.0)
            market.mute.add(("a", ONE))
            await market.run(1.0)
            desk.engine._hub.mute(desk.engine.sources["a"], [ONE], "silent for 60 s")
            await market.run(3.0)
            moved = {
                tick.source
                for tick in everything_and_keep(ticks)
                if isinstance(tick, Tick) and tick.price > 45
            }
            market.mute.clear()
            await market.run(20.0)
            return moved, everything(ticks), desk.active("X/ticks")

    def everything_and_keep(reader):
        return list(reader._queue)

    moved, items, active = virtually(scene)
    assert moved == {"a", "b"}
    assert active == "a"
    assert numbers(items, ONE) == span(1, 270)
    assert numbers(items, TWO) == span(1, 270)
    switches = [
        (item.instrument, item.before, item.after) for item in items if isinstance(item, SourceSwitched)
    ]
    assert switches == [(ONE, "a", "b"), (ONE, "b", "a")]
