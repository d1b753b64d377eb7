"""One reader's queue: bounded, exact about what it lost, and ended when the engine is."""

import asyncio

import numpy as np
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.model import Instrument, Missed, Tick, TickKind
from mds_engine.model.tick_batch import TICK_FIELDS, TickBatch
from mds_engine.streams.reader import TickReader

ONE = Instrument("X", "ONE")


def tick(price):
    return Tick(instrument=ONE, kind=TickKind.TRADE, price=float(price))


def frame(first, count):
    """Prices from `first` on, an instrument each."""
    values = np.full((count, len(TICK_FIELDS)), np.nan)
    values[:, TICK_FIELDS.index("price")] = range(first, first + count)
    instruments = tuple(Instrument("X", str(place)) for place in range(count))
    return TickBatch(instruments, values, np.arange(first, first + count, dtype=np.int64))


def reader_of(capacity):
    return TickReader([ONE], capacity, lambda _: None)


async def everything(reader):
    """What waits, up to the end."""
    reader.close()
    return [item async for item in reader]


def prices(items):
    return [item.price for item in items if isinstance(item, Tick)]


async def test_a_frame_larger_than_the_queue_leaves_its_newest_ticks():
    reader = reader_of(10)
    for first in (0, 25, 50):
        reader.put_batch(frame(first, 25))
    told, *items = await everything(reader)
    assert told == Missed(ticks=65)
    assert reader.missed == 65
    assert prices(items) == [float(price) for price in range(65, 75)]


async def test_frames_and_single_ticks_are_dropped_one_by_one_oldest_first():
    reader = reader_of(10)
    reader.put_batch(frame(0, 8))
    for price in range(8, 13):
        reader.put(tick(price))
    told, *items = await everything(reader)
    assert told == Missed(ticks=3)
    assert prices(items) == [float(price) for price in range(3, 13)]


async def test_what_was_held_back_for_a_reader_that_keeps_up_does_not_overflow_it():
    reader = reader_of(10)
    reader.put_all([tick(price) for price in range(50)])
    for price in range(50, 60):
        reader.put(tick(price))
    assert reader.missed == 0
    assert prices([await anext(reader) for _ in range(60)]) == [float(price) for price in range(60)]
    for price in range(20):
        reader.put_all([tick(price)])
    assert reader.missed == 10, "the bound holds again"


async def test_a_reader_that_stalls_is_bounded_however_often_much_comes_at_once():
    reader = reader_of(10)
    for _ in range(300):
        reader.put_all([tick(price) for price in range(1000)])
    items = await everything(reader)
    assert len(prices(items)) == 100_010
    assert reader.missed == 300_000 - 100_010


def test_a_fill_larger_than_the_queue_costs_a_reader_that_keeps_up_nothing(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(reader_queue=100)
        async with fake_desk(clock, "a", streams=streams) as desk, desk.engine.ticks([ONE]) as ticks:
            got, missed = [], []

            async def read():
                async for item in ticks:
                    (got if isinstance(item, Tick) else missed).append(item)

            def trade(number):
                return Tick(
                    instrument=ONE, kind=TickKind.TRADE, price=1.0, sequence=number, time_ns=number * 10**9
                )

            async def trades(request):
                return [trade(number) for number in range(request.first_sequence, request.last_sequence + 1)]

            source = desk.engine.sources["a"].source
            source.has_trades, source.trades = True, trades
            reading = asyncio.create_task(read())
            await clock.sleep(1.0)
            for number in (1, 5000, 5001):
                desk["a"].stream.deliver([trade(number)])
                await clock.sleep(0.1)
            await clock.sleep(5.0)
        await reading
        return [item.sequence for item in got], missed

    assert virtually(scene) == (list(range(1, 5002)), [])


def test_a_reader_that_comes_after_the_engine_has_stopped_ends_at_once(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk:
            pass
        async with asyncio.timeout(5.0):
            return [item async for item in desk.engine.ticks([ONE])]

    assert virtually(scene) == []


def test_a_reader_that_is_closed_while_it_is_read_gives_what_waits_and_ends(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk:
            ticks = desk.engine.ticks([ONE])
            await clock.sleep(1.0)
            for price in range(3):
                desk["a"].stream.push(float(price))
            got = []
            async for item in ticks:
                got.append(item.price)
                ticks.close()
                desk["a"].stream.push(99.0)
            return got

    assert virtually(scene) == [0.0, 1.0, 2.0]
