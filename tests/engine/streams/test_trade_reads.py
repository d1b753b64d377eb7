"""Reads of many numbered trades go the quick way to the same end as if they had come one by one."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.errors import Unavailable
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.model.tick_read import TickRead

from tests.engine.streams.market import warm

INSTRUMENTS = tuple(Instrument("X", name) for name in "ABC")
SECOND = 1_000_000_000


def trade(place, number, source="a", price=1.0):
    return Tick(
        INSTRUMENTS[place],
        TickKind.TRADE,
        price,
        2.0,
        (1000 + number) * SECOND // 10,
        sequence=number,
        source=source,
    )


def read_of(ticks):
    """As a decoder hands on what it knows to be numbered trades."""
    read = TickRead()
    read += ticks
    read.trades = {}
    for tick in ticks:
        read.trades.setdefault(tick.instrument, []).append(tick)
    return read


def items_of(reader):
    found = []
    while (item := reader._next()) is not None:
        found += item if isinstance(item, list) else [item]
    return found


def by_instrument(items):
    """Where one instrument's trades are not what was expected, the others' overtake them."""
    return {one: [item for item in items if item.instrument == one] for one in INSTRUMENTS}


def of_its_unit(lane):
    """What a lane must know again: what it delivered last, of one unit of time."""
    unit_ns = lane.remembered.unit_ns
    last_unit = None if lane.last is None else lane.last.time_ns // unit_ns
    return [tick for tick in lane.remembered.ticks if tick.time_ns // unit_ns == last_unit]


# Numbers go on from the last of the instrument, now and then with a hole, a repetition or one swapped.
READS = st.lists(
    st.one_of(
        st.tuples(
            st.just("read"),
            st.sampled_from("aaab"),
            st.lists(
                st.tuples(st.integers(0, 2), st.sampled_from((1, 1, 1, 1, 1, 2, 0, -1)), st.integers(1, 9)),
                min_size=1,
                max_size=12,
            ),
        ),
        st.tuples(st.sampled_from(("lost", "suspect", "trusted")), st.just("a"), st.just([])),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=READS)
def test_reads_and_single_trades_come_to_the_same(virtually, fake_desk, steps):
    def run(*, whole_reads):
        async def scene(clock):
            streams = StreamSettings(handover_s=1e6)
            traits = {"b": {"tick_time_unit_ns": SECOND}}
            async with fake_desk(clock, streams=streams, traits=traits) as desk:
                hub, runtimes = desk.engine._hub, desk.engine.sources
                everything = desk.engine.ticks(INSTRUMENTS)
                some = desk.engine.ticks(INSTRUMENTS[1:])
                latest = desk.engine.ticks(INSTRUMENTS, latest=True)
                numbers = {source: [10, 10, 10] for source in "ab"}
                for what, source, rows in steps:
                    if what == "lost":
                        hub.lost(runtimes[source], INSTRUMENTS, "reset")
                        continue
                    if what in ("suspect", "trusted"):
                        for lane in hub.lanes.values():
                            lane.suspect = what == "suspect"
                        continue
                    ticks = []
                    for place, step, price in rows:
                        numbers[source][place] += step
                        ticks.append(trade(place, numbers[source][place], source, float(price)))
                    hub.deliver(runtimes[source], read_of(ticks) if whole_reads else ticks)
                board = [
                    (row.price, row.size, row.time_ns, row.source, row.seen_at, row.ticks)
                    for row in map(hub.board.row, INSTRUMENTS)
                ]
                lanes = [
                    (lane.next_trade, lane.last, sorted(lane.waiting), lane.duplicates, of_its_unit(lane))
                    for lane in map(hub.lanes.get, INSTRUMENTS)
                ]
                feeds = [
                    (feed.tick, feed.high, feed.low, feed.ticks, feed.heard_at)
                    for source in "ab"
                    for one in INSTRUMENTS
                    if (feed := hub.quality._feeds.get(source, {}).get(one)) is not None
                ]
                given = [by_instrument(items_of(reader)) for reader in (everything, some)]
                newest = sorted(items_of(latest), key=str)
                return given, newest, latest.conflated, board, lanes, feeds

        return virtually(scene)

    assert run(whole_reads=True) == run(whole_reads=False)


def test_a_read_that_is_expected_reaches_a_reader_in_the_order_in_which_it_came(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            hub, a = desk.engine._hub, desk.engine.sources["a"]
            whole, some = desk.engine.ticks(INSTRUMENTS), desk.engine.ticks(INSTRUMENTS[1:])
            first = [trade(place, 1) for place in range(3)]
            mixed = [trade(place, number) for number in (2, 3, 4) for place in (2, 0, 1)]
            hub.deliver(a, read_of(first))
            hub.deliver(a, read_of(mixed))
            assert items_of(whole) == [*first, *mixed]
            assert items_of(some) == [tick for tick in (*first, *mixed) if tick.instrument != INSTRUMENTS[0]]

    virtually(scene)


def test_a_read_is_cut_where_a_queue_has_no_more_room(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            hub, a = desk.engine._hub, desk.engine.sources["a"]
            reader = desk.engine.ticks(INSTRUMENTS[:1], queue=4)
            hub.deliver(a, [trade(0, 1)])
            hub.deliver(a, read_of([trade(0, number) for number in range(2, 9)]))
            missed, *left = items_of(reader)
            assert missed.ticks == reader.missed == 4
            assert [tick.sequence for tick in left] == [5, 6, 7, 8]

    virtually(scene)


def test_readers_get_the_ticks_of_a_read_one_by_one_or_at_once(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            hub, a = desk.engine._hub, desk.engine.sources["a"]
            hub.watch(INSTRUMENTS[:1])
            hub.deliver(a, [trade(0, 1)])
            async with (
                desk.engine.ticks(INSTRUMENTS[:1]) as one_by_one,
                desk.engine.ticks(INSTRUMENTS[:1]) as at_once,
            ):
                hub.deliver(a, read_of([trade(0, number) for number in (2, 3)]))
                hub.deliver(a, [trade(0, 4)])
                assert [(await anext(one_by_one)).sequence for _ in range(3)] == [2, 3, 4]
                chunks = at_once.batches()
                assert [tick.sequence for tick in await anext(chunks)] == [2, 3]
                assert [tick.sequence for tick in await anext(chunks)] == [4]
                await chunks.aclose()

    virtually(scene)


@pytest.mark.parametrize("whole_reads", [True, False])
def test_a_vendor_of_whole_seconds_brings_no_trade_of_the_last_second_again(
    virtually, fake_desk, whole_reads
):
    def at(tenths, number, source):
        return Tick(
            INSTRUMENTS[0], TickKind.TRADE, float(tenths), 2.0, tenths * SECOND // 10, 0, source, number
        )

    async def scene(clock):
        traits = {"b": {"tick_time_unit_ns": SECOND}}
        async with warm(fake_desk, clock, traits=traits, same_vendor=False) as desk:
            reader = desk.engine.ticks(INSTRUMENTS[:1])
            await clock.sleep(1.0)
            hub, runtimes = desk.engine._hub, desk.engine.sources

            def came(source, *tenths):
                ticks = [at(tenth, tenth, source) for tenth in tenths]
                hub.deliver(runtimes[source], read_of(ticks) if whole_reads else ticks)

            came("a", 1000)
            came("a", 1001, 1002)
            came("a", *range(1003, 1012))
            came("a", 1012, 1013)
            told_in_seconds = [
                msgspec.structs.replace(at(tenths, None, "b"), time_ns=101 * SECOND)
                for tenths in (1010, 1011, 1012, 1013, 1015)
            ]
            hub.deliver(runtimes["b"], told_in_seconds)
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.001)
            return [item.price for item in items_of(reader) if isinstance(item, Tick)]

    assert virtually(scene) == [float(tenths) for tenths in (*range(1000, 1014), 1015)]
