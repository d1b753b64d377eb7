"""Recordings through the real engine: what was in the files is what readers get, and nothing else."""

import asyncio
import dataclasses
import gzip
import json
import re
from collections import Counter
from contextlib import asynccontextmanager

import msgspec
import pytest
from mds_engine.config.schema import ConsoleSettings
from mds_engine.config.simulated import SimulatorAddress, demo_config
from mds_engine.engine import Engine
from mds_engine.errors import InvalidPayload, MdsError
from mds_engine.model import Tick
from mds_engine.recording.decoders import UndecodableError
from mds_engine.recording.files import FileBounds, FrameFiles
from mds_engine.recording.foreign import convert
from mds_engine.recording.format import FrameColumns, FrameKind, Header, RecordedFrame, RecordedSource
from mds_engine.recording.orders import Orders
from mds_engine.recording.reading import Recording
from mds_engine.recording.recorder import Recorder
from mds_engine.recording.replay import Replay
from mds_engine.recording.replay_clock import ReplayClock
from mds_engine.replaying import engine_of
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 60.0
LOGS = [
    "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz",
    "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz",
    "ws_spot_btcusdt_20240808_head.hftbacktest.log.gz",
    "ws_spot_ethusdt_20240808_head.hftbacktest.log.gz",
]


@pytest.fixture(scope="module")
def plugins():
    return find_plugins()


@asynccontextmanager
async def playing(replay: Replay):
    """The engine of a replay, while it is played."""
    async with asyncio.timeout(PATIENCE_S), engine_of(replay) as engine, asyncio.TaskGroup() as tasks:
        conducting = tasks.create_task(replay.conductor.run())
        yield engine
        conducting.cancel()


def at_once(recording: Recording, plugins) -> Replay:
    return Replay(recording, plugins, Orders(speed=0))


async def items_of(replay: Replay) -> list:
    """All that a reader of everything gets of a replay."""
    async with (
        asyncio.timeout(PATIENCE_S),
        engine_of(replay) as engine,
        engine.ticks(replay.config.console.watch) as reader,
        asyncio.TaskGroup() as tasks,
    ):

        async def close_at_end() -> None:
            await replay.conductor.ended.wait()
            reader.close()

        conducting = tasks.create_task(replay.conductor.run())
        tasks.create_task(close_at_end())
        items = [item async for item in reader]
        conducting.cancel()
        return items


def truth(log) -> tuple[Counter, dict, Counter]:
    """By plain json, per symbol: how many ticks there are, the last trade's price, trades by number."""
    counts, last, trades = Counter(), {}, Counter()
    with gzip.open(log, "rt") as lines:
        for line in lines:
            found = re.match(r"\d{10}(?:\.\d+)?: (.*)|\d{19} (.*)", line)
            event = json.loads(found[1] or found[2]).get("data") if found else None
            if event is None:
                continue
            kind, symbol = event.get("e", "bookTicker"), event.get("s")
            if kind not in ("trade", "aggTrade", "bookTicker", "kline"):
                continue
            counts[symbol] += 1
            if kind in ("trade", "aggTrade"):
                last[symbol] = float(event["p"])
                trades[symbol, event.get("t", event.get("a"))] += 1
    return counts, last, trades


@pytest.mark.parametrize("name", LOGS)
async def test_real_traffic_comes_out_of_the_engine_whole(plugins, recordings, tmp_path, name):
    log = recordings / "binance" / name
    convert(log, tmp_path, source="binance", kind="binance")
    items = await items_of(at_once(Recording(tmp_path), plugins))
    counts, last, trades = truth(log)
    assert all(isinstance(item, Tick) for item in items)
    assert Counter(tick.instrument.symbol for tick in items) == counts
    found = [tick for tick in items if tick.kind == "trade"]
    assert {tick.instrument.symbol: tick.price for tick in found} == last
    assert Counter((tick.instrument.symbol, tick.sequence) for tick in found) == trades
    received = [tick.received_ns for tick in items]
    assert received == sorted(received)


async def test_the_board_shows_the_recordings_last_prices_at_its_own_time(plugins, recordings, tmp_path):
    log = recordings / "binance" / LOGS[0]
    convert(log, tmp_path, source="binance", kind="binance")
    replay = at_once(Recording(tmp_path), plugins)
    async with playing(replay) as engine:
        await replay.conductor.ended.wait()
        snapshot = engine.snapshot()
    assert snapshot.engine.name == f"replay of {tmp_path.name}"
    assert snapshot.engine.replayed
    prices = {str(row.instrument): row.price for row in snapshot.watch}
    assert set(prices) == {"BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "BINANCE:DOTUSDT"}
    assert 0 < replay.clock.wall() - replay.opening.extent.last_ns / 1e9 < 10.0
    assert replay.end == "the recording ended (2021-04-04 20:04:42 UTC)"


async def test_what_was_live_is_the_same_again(plugins, tmp_path):
    """Kite, Yahoo and Binance over real sockets, recorded and played: the readers see the same ticks."""
    wanted = ["NSE:RELIANCE", "NSE:INFY", "NASDAQ:AAPL", "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"]
    async with asyncio.timeout(PATIENCE_S), Simulator(vendors=("kite", "yahoo", "binance")) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = demo_config(plugins, address)
        config = msgspec.structs.replace(config, console=ConsoleSettings())
        secret = config.sources["zerodha"].access_token.reveal().encode()
        recorder = Recorder(tmp_path, FileBounds(file_bytes=2000))
        async with (
            Engine(config, plugins, seed=1, recorder=recorder) as engine,
            engine.ticks(wanted) as reader,
        ):
            live, seen = [], Counter()
            async for item in reader:
                live.append(item)
                seen[str(item.instrument)] += 1
                if len(seen) == len(wanted) and min(seen.values()) >= 3 and len(live) >= 100:
                    break
    assert recorder.failure is None
    assert len(recorder.paths) > 1
    assert not any(secret in path.read_bytes() for path in tmp_path.iterdir())
    assert not any(secret in row.payload for row in Recording(tmp_path).frames())
    replayed = await items_of(at_once(Recording(tmp_path), plugins))

    def essence(tick: Tick, instrument: str) -> Tick | None:
        return None if str(tick.instrument) != instrument else msgspec.structs.replace(tick, received_ns=0)

    for instrument in wanted:
        before = [found for tick in live if (found := essence(tick, instrument))]
        after = [found for tick in replayed if (found := essence(tick, instrument))]
        assert after[: len(before)] == before


def recorded(folder, rows, sources=None):
    header = Header(
        session="s", engine="mds", started_ns=1, sources=sources or {"binance": RecordedSource("binance")}
    )
    files = FrameFiles(folder, "test", header, FileBounds())
    files.write(FrameColumns.of(rows), 1.0)
    files.close()
    return Recording(folder)


def trade(at_s: float, number: int, symbol: str = "BTCUSDT") -> RecordedFrame:
    event = {"e": "trade", "s": symbol, "t": number, "p": "1.5", "q": "1", "T": int(at_s * 1000), "m": True}
    payload = json.dumps({"stream": f"{symbol.lower()}@trade", "data": event}).encode()
    return RecordedFrame(int(at_s * 1e9), "binance", 1, FrameKind.TEXT, payload)


START = 1_750_000_000.0


async def test_a_paced_replay_keeps_the_recordings_time(plugins, tmp_path):
    """A recorded minute at 300 times its speed: each tick comes when the clock shows its time, not before."""
    rows = [trade(START + number * 10.0, number) for number in range(7)]
    replay = Replay(recorded(tmp_path, rows), plugins, Orders(speed=300))
    early = []
    async with playing(replay) as engine, engine.ticks(["BINANCE:BTCUSDT"]) as reader:
        for number in range(7):
            tick = await anext(reader)
            assert tick.sequence == number
            early.append(tick.received_ns / 1e9 - replay.clock.wall())
    assert max(early) < 0.001


@pytest.mark.parametrize("speed", [0, 300])
async def test_all_happens_at_its_time_however_fast_it_is_played(plugins, tmp_path, speed):
    """Who sleeps wakes between two frames, where that falls; who reads meets each tick when it came."""
    rows = [trade(START + number * 30.0, number) for number in range(5)]
    replay = Replay(recorded(tmp_path, rows), plugins, Orders(speed=speed))
    clock = replay.clock
    woken = []

    async def sleep_on() -> None:
        while True:
            await clock.sleep(7.0)
            woken.append(round(clock.wall() - START, 6))

    async with playing(replay) as engine, engine.ticks(["BINANCE:BTCUSDT"]) as reader:
        sleeping = asyncio.create_task(sleep_on())
        met = [((await anext(reader)).sequence, round(clock.wall() - START, 6)) for _ in rows]
        sleeping.cancel()
    assert met == [(number, number * 30.0) for number in range(5)]
    assert woken == [7.0 * number for number in range(1, 18)]


async def test_a_long_silence_is_passed_over(plugins, tmp_path):
    rows = [trade(START, 1), trade(START + 86_400.0, 2)]
    items = await items_of(Replay(recorded(tmp_path, rows), plugins, Orders(speed=10)))
    assert [item.sequence for item in items] == [1, 2]


async def test_frames_that_cannot_be_read_are_counted_and_passed_over(plugins, tmp_path):
    broken = RecordedFrame(
        int(START * 1e9) + 1, "binance", 1, FrameKind.TEXT, b'{"stream":"btcusdt@trade","da'
    )
    replay = at_once(recorded(tmp_path, [trade(START, 1), broken, trade(START, 2)]), plugins)
    items = await items_of(replay)
    assert [item.sequence for item in items] == [1, 2]
    assert replay.conductor.unreadable == 1


async def test_a_bug_of_an_adapter_costs_its_frames_and_ends_no_replay(plugins, tmp_path):
    class Buggy:
        def __init__(self, source):
            self._decoder = plugins["binance"].frame_decoder(source)

        def note(self, payload):
            raise AttributeError("half of an edit")

        def decode(self, frame, received_ns):
            if b'"t": 2' in frame:
                raise AttributeError("half of an edit")
            return self._decoder.decode(frame, received_ns)

    buggy = {"binance": dataclasses.replace(plugins["binance"], frame_decoder=Buggy)}
    rows = [trade(START, 1)._replace(kind=FrameKind.NOTE), *(trade(START, number) for number in (1, 2, 3))]
    replay = at_once(recorded(tmp_path, rows), buggy)
    items = await items_of(replay)
    assert [item.sequence for item in items if isinstance(item, Tick)] == [1, 3]
    assert replay.conductor.unreadable == 2


async def test_a_source_is_numbered_as_it_was(plugins, tmp_path):
    """Two ways of counting are two vendors to each other; older files say nothing of it."""
    sources = {"a": RecordedSource("binance", 1_000_000, "aggregate trades"), "b": RecordedSource("binance")}
    rows = [trade(START, 1)._replace(source=name) for name in sources]
    replay = at_once(recorded(tmp_path, rows, sources), plugins)
    runtimes = engine_of(replay).sources
    assert {name: one.source.numbering for name, one in runtimes.items()} == {
        "a": "aggregate trades",
        "b": "",
    }
    old = msgspec.json.encode({"kind": "binance", "tick_time_unit_ns": 1000})
    assert msgspec.json.decode(old, type=RecordedSource) == RecordedSource("binance", 1000)


async def test_what_is_named_late_is_watched_from_then_on(plugins, tmp_path):
    """Beyond the beginning of the file: an instrument, and an exchange of a second source."""
    sources = {"binance": RecordedSource("binance"), "yahoo": RecordedSource("yahoo")}
    many = [trade(START + number / 1000, number) for number in range(3000)]
    late = [trade(START + 4.0, 1, "NEWUSDT"), trade(START + 4.0, 3000), trade(START + 4.1, 2, "NEWUSDT")]
    replay = at_once(recorded(tmp_path, [*many, *late], sources), plugins)
    assert replay.config.console.watch == ("BINANCE:BTCUSDT",)
    async with playing(replay) as engine:
        await replay.conductor.ended.wait()
        rows = {row.instrument: row.ticks for row in engine.snapshot().watch}
    assert rows == {"BINANCE:BTCUSDT": 3001, "BINANCE:NEWUSDT": 2}


async def test_each_recorded_source_is_one_of_the_replay(plugins, tmp_path):
    sources = {
        "second": RecordedSource("binance"),
        "binance": RecordedSource("binance"),
        "x": RecordedSource("x"),
    }
    rows = [trade(START, 1), trade(START, 1)._replace(source="second", connection=2)]
    replay = at_once(recorded(tmp_path, rows, sources), plugins)
    items = await items_of(replay)
    assert list(replay.config.sources) == ["second", "binance"]
    assert [(item.sequence, item.source) for item in items] == [(1, "second")]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([trade(START, 1)._replace(payload=b'{"result":null,"id":1}')], "none of its 1 frames holds a tick"),
        ([trade(START, 1)._replace(kind=FrameKind.NOTE)], "none of its 1 frames holds a tick"),
        ([RecordedFrame(1, "", 0, FrameKind.LOST, b"5")], "none of its 1 frames holds a tick"),
        ([trade(START, 1)._replace(source="x")], "x is of a vendor, whose frames nothing here decodes"),
    ],
)
def test_what_cannot_be_played_is_told_before_anything_runs(plugins, tmp_path, rows, why):
    sources = {"binance": RecordedSource("binance"), "x": RecordedSource("a vendor")}
    with pytest.raises(MdsError, match=why) as caught:
        Replay(recorded(tmp_path, rows, sources), plugins)
    assert isinstance(caught.value, UndecodableError if rows[0].source == "x" else InvalidPayload)


# --- The clock ------------------------------------------------------------------------------------------


async def test_every_sleep_ends_when_the_clock_has_come_so_far():
    clock = ReplayClock(1_000_000_000_000)
    ends = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        ends.append(seconds)

    assert clock.next_alarm == float("inf")
    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (50.0, 5.0, 500.0)]
    await asyncio.sleep(0)
    assert clock.next_alarm == clock.when(1005.0)
    clock.move_to(clock.when_ns(1_005_000_000_000))
    await asyncio.gather(tasks[1])
    assert (ends, clock.wall()) == ([5.0], 1005.0)
    clock.move_to(clock.when(1001.0))
    assert clock.wall() == 1005.0
    clock.move_to(clock.when(1100.0))
    await asyncio.gather(tasks[0])
    assert ends == [5.0, 50.0]
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert clock.next_alarm == float("inf")
