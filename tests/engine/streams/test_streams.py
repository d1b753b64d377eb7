"""Live ticks: from the serving source only, through every failover and back, to bounded readers."""

import asyncio

import pytest
from mds_engine.config.schema import ConsoleSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState, Pin, Subscribe, Unsubscribe
from mds_engine.errors import AuthRequired, Unavailable
from mds_engine.model import Missed, Tick
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings

OFTEN = HealthSettings(interval_s=10.0, doubt_interval_s=2.0)


async def pump(desk, price, for_s=1.0, every_s=0.1, names=None):
    """Let every open stream deliver for a while."""
    for _ in range(round(for_s / every_s)):
        for name, vendor in desk.vendors.items():
            if names is None or name in names:
                for stream in vendor.streams:
                    if stream.is_open:
                        stream.push(price)
        await desk.clock.sleep(every_s)


def drain(reader):
    """The ticks that wait in a reader's queue."""
    found = []
    while reader._queue:
        found.append(reader._queue.popleft())
    return [item for item in found if isinstance(item, Tick)]


async def take(reader, count):
    return [await anext(reader) for _ in range(count)]


def test_ticks_come_from_the_serving_source_alone(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk, desk.engine.ticks(["X:ONE", "X:TWO"]) as ticks:
            await clock.sleep(0.5)
            await pump(desk, 10.0, for_s=0.2)
            got = await take(ticks, 4)
            return [(str(tick.instrument), tick.source) for tick in got], len(desk["b"].streams)

    got, backups = virtually(scene)
    assert got == [("X:ONE", "a"), ("X:TWO", "a")] * 2
    assert backups == 0, "a backup costs no connection while all is well"


def test_a_stream_that_dies_is_taken_over_and_failed_back(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN) as desk, desk.engine.ticks(["X:ONE", "X:TWO"]) as ticks:
            await pump(desk, 1.0, for_s=40.0)
            drain(ticks)
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(0.1)
            await pump(desk, 2.0, for_s=2.0)
            backup = drain(ticks)
            desk["a"].recover()
            await pump(desk, 3.0, for_s=300.0)
            late = drain(ticks)
            lost = [(event.source, event.why) for event in desk.told(events.StreamLost)]
            return backup, late, lost, desk.active("X/ticks"), desk["a"].stream.subscribed

    backup, late, lost, active, subscribed = virtually(scene)
    assert {tick.source for tick in backup} == {"b"}
    assert {str(tick.instrument) for tick in backup} == {"X:ONE", "X:TWO"}
    assert lost[0] == ("a", "reset")
    assert active == "a"
    assert late[-1].source == "a"
    assert {str(instrument) for instrument in subscribed} == {"X:ONE", "X:TWO"}, "subscribed anew"


def test_no_tick_comes_twice_while_two_sources_stream(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, health=OFTEN) as desk, desk.engine.ticks(["X:ONE"]) as ticks:
            await pump(desk, 1.0)
            desk["a"].stream.end(Unavailable("reset"))
            price, seen = 100.0, []
            for _ in range(1200):
                price += 1.0
                for vendor in desk.vendors.values():
                    for stream in vendor.streams:
                        if stream.is_open:
                            stream.push(price)
                await clock.sleep(0.1)
                seen += [tick.price for tick in drain(ticks) if tick.price >= 100.0]
            both = all(vendor.streams[-1].is_open for vendor in desk.vendors.values())
            return seen, len(desk.told(events.FailedBack)), both

    seen, failbacks, _ = virtually(scene)
    assert seen == sorted(set(seen))
    assert failbacks >= 1


def test_a_mute_stream_is_lost(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(mute_after_s=30.0)
        async with fake_desk(clock, streams=streams) as desk, desk.engine.ticks(["X:ONE"]) as ticks:
            await pump(desk, 1.0)
            began = clock.now()
            while not desk.told(events.StreamLost) and clock.now() < 100.0:
                await clock.sleep(0.5)
            waited_s = clock.now() - began
            await pump(desk, 2.0, for_s=3.0, names="b")
            drain_all = drain(ticks)
            return waited_s, desk.told(events.StreamLost)[0].why, drain_all[-1].source

    waited_s, why, source = virtually(scene)
    assert 29.0 <= waited_s <= 32.0
    assert why == "connected but mute for 30 s"
    assert source == "b"


def test_flowing_data_closes_a_half_open_breaker_of_a_stream(virtually, fake_desk):
    async def scene(clock):
        breaker = BreakerSettings(open_s=20.0)
        async with fake_desk(clock, "a", breaker=breaker) as desk, desk.engine.ticks(["X:ONE"]):
            desk["a"].stream_fails = lambda: Unavailable("refused")
            await pump(desk, 1.0)
            if desk["a"].streams:
                desk["a"].stream.end(Unavailable("reset"))
            while desk.state("a", "ticks") != "open" and clock.now() < 100.0:
                await clock.sleep(0.1)
            desk["a"].recover()
            await pump(desk, 2.0, for_s=120.0)
            return desk.state("a", "ticks"), desk["a"].stream.is_open, desk.permits

    assert virtually(scene) == ("closed", True, 0)


@pytest.mark.parametrize("bug", ["open", "run", "subscribe"])
def test_a_bug_of_a_stream_fails_over_and_ends_no_engine(virtually, fake_desk, bug, caplog):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            broken = asyncio.create_task(desk.engine.wait_broken())
            if bug == "open":
                desk["a"].stream_fails = lambda: KeyError("token")
            async with desk.engine.ticks(["X:ONE"]) as ticks:
                await pump(desk, 1.0, for_s=0.5)
                if bug == "run":
                    desk["a"].stream.end(KeyError("token"))
                elif bug == "subscribe":

                    async def subscribe(instruments):
                        raise KeyError("token")

                    desk["a"].stream.subscribe = subscribe
                    desk.engine.ticks(["X:TWO"])
                await clock.sleep(0.5)
                drain(ticks)
                await pump(desk, 2.0, for_s=0.5, names="b")
                sources = {tick.source for tick in drain(ticks)}
            ended = broken.done()
            broken.cancel()
            return sources, ended

    assert virtually(scene) == ({"b"}, False)
    assert "adapter_bug" in caplog.text


def test_a_stream_waits_until_its_source_is_connected(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock, "a")
        desk["a"].connect_takes_s = 5.0
        desk["a"].stream_fails = lambda: AuthRequired("not logged in yet")
        async with desk, desk.engine.ticks(["X:ONE"]):
            await clock.sleep(4.9)
            desk["a"].recover()
            await clock.sleep(3.0)
            return desk.told(events.LoginNeeded), len(desk["a"].streams)

    assert virtually(scene) == ([], 1)


@pytest.mark.parametrize("how", ["disabled", "forced open"])
def test_a_source_out_of_service_streams_no_more(virtually, fake_desk, how):
    async def scene(clock):
        async with fake_desk(clock) as desk, desk.engine.ticks(["X:ONE"]) as ticks:
            await pump(desk, 1.0)
            if how == "disabled":
                await desk.engine.apply(EnableSource(source="a", enabled=False))
            else:
                await desk.engine.apply(
                    ForceBreaker(source="a", state=ForcedState.OPEN, capability="ticks", ttl_s=None)
                )
            await clock.sleep(2.0)
            is_open = desk["a"].streams[-1].is_open
            drain(ticks)
            await pump(desk, 2.0)
            back = (
                EnableSource(source="a")
                if how == "disabled"
                else ForceBreaker(source="a", state=ForcedState.AUTOMATIC, capability="ticks")
            )
            await desk.engine.apply(back)
            await pump(desk, 3.0, for_s=5.0)
            return (
                is_open,
                {tick.source for tick in drain(ticks) if tick.price == 2.0},
                desk["a"].streams[-1].is_open,
            )

    assert virtually(scene) == (False, {"b"}, True)


def test_a_pin_moves_the_ticks_as_soon_as_the_other_has_them(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk, desk.engine.ticks(["X:ONE"]) as ticks:
            await pump(desk, 1.0)
            await desk.engine.apply(Pin(route="X/ticks", source="c", ttl_s=5.0))
            await clock.sleep(0.5)
            await pump(desk, 2.0, for_s=0.1)
            drain(ticks)
            await pump(desk, 2.0, for_s=4.0)
            pinned = {tick.source for tick in drain(ticks)}
            await pump(desk, 3.0, for_s=3.0)
            return pinned, drain(ticks)[-1].source

    assert virtually(scene) == ({"c"}, "a")


def test_an_operators_word_waits_for_no_backoff(virtually, fake_desk):
    async def scene(clock):
        patient = BreakerSettings(consecutive_failures=1000, failure_rate=0.0)
        async with fake_desk(clock, "ab", breaker=patient) as desk, desk.engine.ticks(["X:ONE"]):
            await pump(desk, 1.0)
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].stream.end(Unavailable("reset"))
            await clock.sleep(200.0)
            desk["a"].recover()
            tried = len(desk["a"].stream_attempts)
            await clock.sleep(2.0)
            waited = len(desk["a"].stream_attempts) - tried
            await desk.engine.apply(Pin(route="X/ticks", source="a"))
            await clock.sleep(0.01)
            return waited, len(desk["a"].open_streams)

    assert virtually(scene) == (0, 1)


# --- Readers and the board ------------------------------------------------------------------------------


def test_a_slow_reader_loses_the_oldest_and_hurts_nobody_else(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(reader_queue=10)
        async with (
            fake_desk(clock, "a", streams=streams) as desk,
            desk.engine.ticks(["X:ONE"]) as slow,
            desk.engine.ticks(["X:ONE"]) as quick,
        ):
            await clock.sleep(0.1)
            got = []
            for price in range(25):
                desk["a"].stream.push(float(price))
                got.append((await anext(quick)).price)
            await clock.sleep(0.2)
            told, *kept = await take(slow, 11)
            slowness = [(event.reader, event.missed) for event in desk.told(events.ReaderSlow)]
            return got, slow.missed, told, [tick.price for tick in kept], quick.missed, slowness

    got, missed, told, kept, none_missed, slowness = virtually(scene)
    assert got == [float(price) for price in range(25)]
    assert (missed, none_missed) == (15, 0)
    assert told == Missed(ticks=15)
    assert slowness == [("reader 1", 15)]
    assert kept == [float(price) for price in range(15, 25)]


def test_a_reader_ends_when_the_engine_stops(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk:
            reader = desk.engine.ticks(["X:ONE"])

            async def read():
                return [tick.price async for tick in reader]

            reading = asyncio.create_task(read())
            await clock.sleep(0.1)
            desk["a"].stream.push(7.0)
            await clock.sleep(0.1)
        return await reading

    assert virtually(scene) == [7.0]


def test_what_nobody_reads_stays_a_while_and_is_then_let_go(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(linger_s=30.0)
        async with fake_desk(clock, "a", streams=streams) as desk:
            async with desk.engine.ticks(["X:ONE"]):
                await pump(desk, 1.0)
            opened = len(desk["a"].streams)
            await pump(desk, 1.0, for_s=20.0)
            async with desk.engine.ticks(["X:ONE"]):
                await pump(desk, 1.0, for_s=20.0)
            again = len(desk["a"].streams)
            await pump(desk, 1.0, for_s=29.0)
            still = desk["a"].streams[-1].is_open
            await pump(desk, 1.0, for_s=4.0)
            return opened, again, still, desk["a"].streams[-1].is_open

    assert virtually(scene) == (1, 1, True, False)


def test_readers_that_come_and_go_share_one_subscription(virtually, fake_desk):
    async def scene(clock):
        streams = StreamSettings(linger_s=5.0)
        async with (
            fake_desk(clock, "a", streams=streams) as desk,
            desk.engine.ticks(["X:ONE"]) as stays,
        ):
            await clock.sleep(0.5)
            got = []
            for price in range(50):
                async with desk.engine.ticks(["X:ONE", "X:TWO"]) as passes:
                    await clock.sleep(0.05)
                    desk["a"].stream.push(float(price))
                    got.append({item.price for item in await take(passes, 2)} == {float(price)})
                await clock.sleep(0.05)
            meanwhile = sorted(str(instrument) for instrument in desk["a"].stream.subscribed)
            await clock.sleep(8.0)
            after = sorted(str(instrument) for instrument in desk["a"].stream.subscribed)
            prices = [tick.price for tick in drain(stays)]
            return all(got), prices, meanwhile, after, len(desk["a"].stream_attempts)

    got, prices, meanwhile, after, attempts = virtually(scene)
    assert got
    assert prices == [float(price) for price in range(50)]
    assert (meanwhile, after, attempts) == (["X:ONE", "X:TWO"], ["X:ONE"], 1)


def test_the_board_shows_what_is_watched_and_no_more(virtually, fake_desk):
    async def scene(clock):
        console = ConsoleSettings(watch=("X:ONE",))
        async with fake_desk(clock, console=console) as desk:
            desk["a"].price = 50.0
            await clock.sleep(0.5)
            seeded = desk.engine.snapshot().watch
            await desk.engine.apply(Subscribe(instruments=("X:TWO",)))
            await pump(desk, 60.0)
            flowing = desk.engine.snapshot().watch
            await desk.engine.apply(Unsubscribe(instruments=("X:ONE",)))
            await pump(desk, 61.0)
            return seeded, flowing, desk.engine.snapshot().watch

    seeded, flowing, left = virtually(scene)
    assert [(row.instrument, row.price, row.source, row.ticks) for row in seeded] == [("X:ONE", 50.0, "a", 0)]
    assert [(row.instrument, row.price, row.ticks > 0) for row in flowing] == [
        ("X:ONE", 60.0, True),
        ("X:TWO", 60.0, True),
    ]
    assert [row.instrument for row in left] == ["X:TWO"]


def test_an_instrument_that_nobody_can_stream_says_so(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(Subscribe(instruments=("ELSEWHERE:ONE",)))
            await clock.sleep(1.0)
            return desk.engine.snapshot().watch[0].problem

    assert virtually(scene) == "no source of its route can stream"


def test_a_failback_by_data_needs_data(virtually, fake_desk):
    async def scene(clock):
        failback = FailbackSettings(after_s=5.0)
        async with fake_desk(clock, health=OFTEN, failback=failback) as desk, desk.engine.ticks(["X:ONE"]):
            await pump(desk, 1.0, for_s=20.0)
            desk["a"].stream.end(Unavailable("reset"))
            await pump(desk, 2.0, for_s=60.0, names="b")
            mute = desk.active("X/ticks"), desk["a"].streams[-1].is_open
            await pump(desk, 3.0, for_s=20.0)
            return mute, desk.active("X/ticks")

    assert virtually(scene) == (("b", True), "a")
