"""The word to take what the file says: whole or not at all, and no secret leaves it."""

import asyncio
import contextlib

import msgspec
import pytest
from mds_engine.config.file import ConfigFile
from mds_engine.config.load import parse_config
from mds_engine.config.schema import EngineSettings
from mds_engine.config.simulated import SimulatorAddress, at_simulator
from mds_engine.control import events
from mds_engine.control.commands import ApplyConfig
from mds_engine.engine import Engine
from mds_engine.recording.files import FileBounds
from mds_engine.recording.reading import Recording
from mds_engine.recording.recorder import Recorder
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

OF_MEMORY = EngineSettings(state_path=":memory:")
TEXT = """
[engine]
state_path = "{folder}/state.sqlite"

[sources.zerodha]
kind = "kite"
api_key = "first-hush-key"
access_token = "first-hush-token"

[sources.binance]
kind = "binance"

[routes.BINANCE]
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(TEXT.format(folder=tmp_path))
    return file


@contextlib.asynccontextmanager
async def engine_on(path):
    """An engine on that file, with its real keys at simulated addresses."""
    plugins = find_plugins()
    async with Simulator(vendors=("kite", "binance")) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)

        def turn(config):
            simulated = at_simulator(config, address)
            sources = {
                name: msgspec.structs.replace(
                    settings,
                    endpoints=simulated.sources[name].endpoints,
                    stream_endpoints=simulated.sources[name].stream_endpoints,
                )
                for name, settings in config.sources.items()
            }
            return msgspec.structs.replace(config, sources=sources)

        file = ConfigFile(path, plugins, {}, turn=turn)
        loaded = file.load()
        async with Engine(loaded.config, plugins, seed=1, file=file) as engine, asyncio.timeout(30):
            yield engine, file


def told(engine, kind):
    return [event for event in engine.events() if isinstance(event, kind)]


async def test_what_the_file_says_is_taken_and_what_changed_is_told_by_name(path):
    async with engine_on(path) as (engine, file):
        path.write_text(path.read_text().replace('kind = "binance"', 'kind = "binance"\npriority = 4'))
        result = await engine.apply(ApplyConfig(digest=file.read().digest, by="asha"))
        assert (result.accepted, result.message) == (True, "configuration applied: binance: priority")
        assert [(event.by, event.what) for event in told(engine, events.ConfigApplied)] == [
            ("asha", "binance: priority")
        ]
        assert engine.config.sources["binance"].priority == 4
        assert file.in_force.written == file.read()


async def test_what_was_written_after_it_was_looked_at_is_not_taken(path):
    async with engine_on(path) as (engine, file):
        seen = file.read().digest
        path.write_text(path.read_text() + "\n[sources.yahoo]\nkind = 'yahoo'\n")
        result = await engine.apply(ApplyConfig(digest=seen))
        assert not result.accepted
        assert "has changed since it was looked at" in result.message
        assert tuple(engine.sources) == ("zerodha", "binance")


async def test_a_file_that_is_wrong_or_gone_changes_nothing(path):
    async with engine_on(path) as (engine, _):
        runtimes, before = dict(engine.sources), engine.config
        path.write_text(
            path.read_text() + "\n[sources.yahoo]\nkind = 'yahoo'\ntimeout_s = -1\npriority = 'x'\n"
        )
        wrong = await engine.apply(ApplyConfig())
        assert "timeout_s" in wrong.message
        assert "and 1 more" in wrong.message
        path.unlink()
        gone = await engine.apply(ApplyConfig())
        assert not gone.accepted
        assert (engine.sources, engine.config is before) == (runtimes, True)
        assert not told(engine, events.ConfigApplied)
        assert len(told(engine, events.CommandRefused)) == 2


async def test_no_secret_goes_into_events_results_or_the_store(path, tmp_path, capsys):
    async with engine_on(path) as (engine, _):
        for old, new in (("first-hush-token", "second-hush-token"), ("first-hush-key", "third-hush-key")):
            path.write_text(path.read_text().replace(old, new))
            result = await engine.apply(ApplyConfig(by="asha", why="a new day"))
            assert result.accepted
            assert "hush" not in repr(result)
        assert "hush" not in repr(engine.events())
        assert "hush" not in repr(engine.snapshot())
    for file in tmp_path.iterdir():
        if file != path:
            assert b"hush" not in file.read_bytes(), file.name
    assert "hush" not in "".join(capsys.readouterr())


async def test_an_engine_without_a_file_says_so():
    plugins = find_plugins()
    async with Simulator(vendors=("binance",)) as simulator:
        config = parse_config(
            "[sources.binance]\nkind='binance'\n[engine]\nstate_path=':memory:'\n", plugins, {}
        )
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        async with Engine(at_simulator(config.config, address), plugins) as engine:
            result = await engine.apply(ApplyConfig())
            assert (result.accepted, result.message) == (False, "this engine has no configuration file")


async def test_two_words_at_once_are_carried_out_one_after_the_other(path):
    async with engine_on(path) as (engine, _):
        path.write_text(path.read_text().replace('kind = "binance"', 'kind = "binance"\npriority = 4'))
        results = await asyncio.gather(*(engine.apply(ApplyConfig()) for _ in range(3)))
        assert [result.message.removeprefix("configuration applied: ") for result in results] == [
            "binance: priority",
            "nothing changes",
            "nothing changes",
        ]


async def test_a_source_that_comes_while_frames_are_recorded_is_recorded_and_its_secrets_masked(tmp_path):
    plugins = find_plugins()
    recorder = Recorder(tmp_path, FileBounds())
    async with Simulator(vendors=("kite", "binance")) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        whole = at_simulator(parse_config(TEXT.format(folder=tmp_path), plugins, {}).config, address)
        one = msgspec.structs.replace(
            whole, sources={"zerodha": whole.sources["zerodha"]}, exchanges={}, engine=OF_MEMORY
        )
        whole = msgspec.structs.replace(whole, engine=OF_MEMORY)
        async with Engine(one, plugins, seed=1, recorder=recorder) as engine, asyncio.timeout(30):
            await engine.reconfigure(whole)
            async with engine.ticks(["BINANCE:BTCUSDT"]) as ticks:
                await anext(ticks)
            engine.sources["binance"].frame_tap()(b"it echoes simulated")
    recording = Recording(tmp_path)
    assert set(recording.sources) == {"zerodha", "binance"}
    frames = [frame for frame in recording.frames() if frame.source == "binance"]
    assert frames
    assert frames[-1].payload == b"it echoes *********"
