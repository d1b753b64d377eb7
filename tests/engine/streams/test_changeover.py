"""Through failovers, failbacks and holes: nothing lost, nothing twice, and what nobody has is told."""

import msgspec
import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState, Pin
from mds_engine.errors import Unavailable
from mds_engine.model import Gap, Instrument, SourceSwitched, Tick, TickFlag, TickKind
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.sources.contract import StreamLimits

from tests.engine.streams.supervised import symbols

ONE, TWO = Instrument("X", "ONE"), Instrument("X", "TWO")
OFTEN = HealthSettings(interval_s=10.0, doubt_interval_s=2.0)


class Market:
    """One truth behind all vendors of a desk: numbered trades, ten a second, of two instruments."""

    def __init__(self, desk, clock):
        self.desk = desk
        self.clock = clock
        self.number = 0
        self.mute = set()
        """(vendor, instrument) that is not sent."""
        self.numbered = True
        self.counts_from = {}
        """By vendor: what its numbers are ahead of the others'."""

    def trade(self, number, instrument, source=""):
        return Tick(
            instrument=instrument,
            kind=TickKind.TRADE,
            price=float(number),
            size=1.0,
            time_ns=1_750_000_000_000_000_000 + number * 100_000_000,
            received_ns=int(self.clock.wall() * 1e9),
            sequence=number + self.counts_from.get(source, 0) if self.numbered else None,
            source=source,
        )

    async def run(self, for_s, names=None):
        for _ in range(round(for_s * 10)):
            self.number += 1
            for name, vendor in self.desk.vendors.items():
                if names is not None and name not in names:
                    continue
                for stream in vendor.streams:
                    wanted = sorted(one for one in stream.subscribed if (name, one) not in self.mute)
                    if stream.is_open and wanted:
                        stream.deliver([self.trade(self.number, one, name) for one in wanted])
            await self.clock.sleep(0.1)

    def past(self, name):
        """The REST of a vendor: every trade of the truth."""

        async def trades(request):
            await self.clock.sleep(0.05)
            return [
                self.trade(number, request.instrument, name)
                for number in range(request.first_sequence, request.last_sequence + 1)
            ]

        return trades


def everything(reader):
    """All items that wait in a reader's queue."""
    found = list(reader._queue)
    reader._queue.clear()
    return found


def numbers(items, instrument=ONE):
    return [item.price for item in items if isinstance(item, Tick) and item.instrument == instrument]


def span(first, last):
    return [float(number) for number in range(int(first), int(last) + 1)]


def warm(fake_desk, clock, names="ab", *, same_vendor=True, **more):
    """A desk whose ticks route keeps a standby warm."""
    more.setdefault("health", OFTEN)
    desk = fake_desk(clock, names, exchange={"standby": True}, **more)
    if same_vendor:
        for runtime in desk.engine.sources.values():
            msgspec.structs.force_setattr(runtime.settings, "kind", "v")
    return desk


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


# --- What is a gap, and what is none ---------------------------------------------------------------------


def gaps(items, instrument=ONE):
    return [item for item in items if isinstance(item, Gap) and item.instrument == instrument]


async def fall_over(desk, market, *, for_s):
    """The first source is gone for good, and the second takes over."""
    desk["a"].stream_fails = lambda: Unavailable("refused")
    for stream in desk["a"].open_streams:
        stream.end(Unavailable("reset"))
    await market.clock.sleep(0.001)
    await market.run(for_s)


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
