"""Large frames go the quick way to the same end: what a hub delivers of them, it would deliver one by one."""

from contextlib import aclosing

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.model import Gap, Instrument, SourceSwitched, Tick
from mds_engine.model.tick_batch import NO_TIME, TICK_FIELDS, TickBatch
from mds_engine.model.tick_frames import TickFrames

INSTRUMENTS = tuple(Instrument("X", name) for name in ("A", "B", "C", "D"))
SECOND = 1_000_000_000


def frame(rows, source="a"):
    """A frame of (place, second, price, volume) rows; the volume may be left out."""
    values = np.full((len(rows), len(TICK_FIELDS)), np.nan)
    values[:, TICK_FIELDS.index("price")] = [row[2] for row in rows]
    values[:, TICK_FIELDS.index("volume")] = [(*row, None)[3] or np.nan for row in rows]
    times = np.array([NO_TIME if at is None else at * SECOND for _, at, *_ in rows], np.int64)
    return TickBatch(tuple(INSTRUMENTS[place] for place, *_ in rows), values, times, source=source)


def together(batches):
    """Frames of the same instruments, as they come when they come at once."""
    names = batches[0].instruments
    values = np.array([batch.values for batch in batches])
    times = np.array([batch.time_ns for batch in batches])
    return TickFrames(names, values, times, source=batches[0].source)


def items_of(reader):
    found = []
    while (item := reader._next()) is not None:
        found += list(item) if isinstance(item, TickBatch) else [item]
    return found


ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(1, 12)),
        st.integers(1, 3).map(float),
        st.one_of(st.none(), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row[0],
)
SAME = st.lists(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 3).map(float)), min_size=3, max_size=3),
    min_size=2,
    max_size=4,
).map(lambda frames: [[(place, *row) for place, row in enumerate(rows)] for rows in frames])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.sampled_from("ab"), ROWS),
        st.tuples(st.just("single"), st.sampled_from("ab"), ROWS),
        st.tuples(st.just("lost"), st.just("a"), st.just([])),
    ),
    max_size=25,
)
# So few that no clock seems to have been set back: that is counted anew where a lane changes its way.
STEPS_AT_ONCE = st.lists(
    st.one_of(
        st.tuples(st.just("frames"), st.sampled_from("ab"), SAME),
        st.tuples(st.just("frames"), st.just("a"), SAME.map(lambda frames: sorted(frames, key=str))),
        st.tuples(st.sampled_from(("frame", "single")), st.sampled_from("ab"), ROWS),
        st.tuples(st.just("lost"), st.just("a"), st.just([])),
    ),
    max_size=4,
)


def by_instrument(items):
    """Each instrument's own items: frames mix them in another order than ticks one by one."""
    return {one: [item for item in items if item.instrument == one] for one in INSTRUMENTS}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS | STEPS_AT_ONCE)
def test_frames_and_single_ticks_come_to_the_same(virtually, fake_desk, steps):
    def run(*, batched):
        async def scene(clock):
            streams = StreamSettings(handover_s=1e6)
            async with fake_desk(clock, streams=streams) as desk:
                hub = desk.engine._hub
                whole = desk.engine.ticks(INSTRUMENTS)
                some = desk.engine.ticks(INSTRUMENTS[1:3])
                runtimes = desk.engine.sources
                for what, source, rows in steps:
                    if what == "lost":
                        hub.lost(runtimes[source], INSTRUMENTS, "reset")
                        continue
                    if what == "frames":
                        batches = [frame(of_one, source) for of_one in rows]
                        if batched:
                            hub.deliver(runtimes[source], together(batches))
                        else:
                            for batch in batches:
                                hub.deliver(runtimes[source], list(batch))
                        continue
                    batch = frame(rows, source)
                    hub.deliver(runtimes[source], batch if batched and what == "frame" else list(batch))
                board = [
                    (row.price, row.time_ns, row.source, row.ticks) for row in map(hub.board.row, INSTRUMENTS)
                ]
                return by_instrument(items_of(whole)), by_instrument(items_of(some)), board

        return virtually(scene)

    assert run(batched=True) == run(batched=False)


def test_frames_that_came_at_once_reach_a_reader_one_by_one_and_the_board_with_their_last(
    virtually, fake_desk
):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            hub, runtimes = desk.engine._hub, desk.engine.sources
            whole = desk.engine.ticks(INSTRUMENTS)
            some = desk.engine.ticks(INSTRUMENTS[1:3])
            batches = [frame([(place, at, 10.0 + at) for place in range(4)]) for at in (5, 6, 7)]
            frames = together(batches)
            hub.deliver(runtimes["a"], frames)
            hub.deliver(runtimes["a"], frames)  # the second time they are old
            chunks, row = whole.batches(), hub.board.row(INSTRUMENTS[3])
            assert (row.price, row.time_ns, row.ticks) == (17.0, 7 * SECOND, 3)
            assert [item.price for item in items_of(some)] == [15.0, 15.0, 16.0, 16.0, 17.0, 17.0]
            async with aclosing(chunks):
                return [await anext(chunks) for _ in batches], frames

    came, frames = virtually(scene)
    assert [one is batch for one, batch in zip(came, frames.batches, strict=True)] == [True] * 3


def test_a_frame_reaches_a_reader_whole_and_a_change_of_source_is_told(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            hub, runtimes = desk.engine._hub, desk.engine.sources
            reader = desk.engine.ticks(INSTRUMENTS)
            batch = frame([(place, 5, 10.0) for place in range(4)])
            hub.deliver(runtimes["a"], batch)
            hub.deliver(runtimes["a"], batch)
            async with aclosing(reader.batches()) as chunks:
                first = await anext(chunks)
                hub.lost(runtimes["a"], INSTRUMENTS[:1], "reset")
                hub.deliver(runtimes["a"], frame([(place, 7, 11.0) for place in range(4)]))
                rest = [await anext(chunks), await anext(chunks)]
            return first, rest, batch

    first, rest, batch = virtually(scene)
    assert first is batch, "no tick was made"
    told = [item for chunk in rest for item in chunk]
    assert sorted(item.instrument for item in told if isinstance(item, Tick)) == list(INSTRUMENTS)
    (gap,) = [item for item in told if isinstance(item, Gap)]
    assert (gap.instrument, gap.after_ns, gap.before_ns) == (INSTRUMENTS[0], 5 * SECOND, 7 * SECOND)
    assert not [item for item in told if isinstance(item, SourceSwitched)]


def test_what_is_wanted_again_begins_with_the_picture_that_stands(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a", streams=StreamSettings(linger_s=1.0)) as desk:
            hub, runtime = desk.engine._hub, desk.engine.sources["a"]
            batch = frame([(0, 5, 1.0), (1, 5, 1.0)])
            async with desk.engine.ticks(INSTRUMENTS[:2]) as first:
                await clock.sleep(1.0)
                hub.deliver(runtime, batch)
                before = items_of(first)
            await clock.sleep(5.0)
            async with desk.engine.ticks(INSTRUMENTS[:2]) as second:
                await clock.sleep(1.0)
                hub.deliver(runtime, batch)
                return before, items_of(second)

    before, after = virtually(scene)
    assert len(before) == 2
    assert after == before


def test_a_frame_with_less_volume_at_the_same_second_is_older(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk, desk.engine.ticks(INSTRUMENTS) as reader:
            await clock.sleep(1.0)
            for volume in (2, 1, 3):
                rows = [(0, 5, float(volume), volume), (1, 5, float(volume), None)]
                desk.engine._hub.deliver(desk.engine.sources["a"], frame(rows))
            return by_instrument(items_of(reader))

    items = virtually(scene)
    assert [tick.price for tick in items[INSTRUMENTS[0]]] == [2.0, 3.0]
    assert [tick.price for tick in items[INSTRUMENTS[1]]] == [2.0, 1.0, 3.0]
