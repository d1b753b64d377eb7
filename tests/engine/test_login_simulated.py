"""A login at the simulated Kite through the running engine; what is secret of it is nowhere written."""

import asyncio
import http.client
import logging
import time
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import keyring
import keyring.backends.fail
import msgspec
import pytest
from mds_engine.config.load import parse_config
from mds_engine.config.simulated import SimulatorAddress, at_simulator
from mds_engine.control import events
from mds_engine.control.commands import CheckHealth, Command, Login, on_record
from mds_engine.control.snapshot import SourceState
from mds_engine.engine import Engine
from mds_engine.model import Tick
from mds_engine.secret import Secret
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 30.0
CONFIG = """
[engine]
state_path = "{folder}/desk.sqlite"
[streams]
regular_hours = false
[sources.zerodha]
kind = "kite"
[sources.yahoo]
kind = "yahoo"
[routes.NSE]
sources = ["zerodha", "yahoo"]
[routes.NSE.ticks]
sources = ["zerodha"]
"""


@pytest.fixture(scope="module")
def plugins():
    return find_plugins()


@pytest.fixture(autouse=True)
def _no_keyring():
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@asynccontextmanager
async def desk(plugins, folder: Path, vendors=("kite", "yahoo")):
    async with Simulator(vendors=vendors) as simulator, engine_at(simulator, plugins, folder) as engine:
        yield simulator, engine


@asynccontextmanager
async def engine_at(simulator: Simulator, plugins, folder: Path):
    address = msgspec.convert(simulator.describe(), SimulatorAddress)
    config = at_simulator(parse_config(CONFIG.format(folder=folder), plugins, {}).config, address)
    async with Engine(config, plugins, seed=1) as engine, asyncio.timeout(PATIENCE_S):
        yield engine


async def landed(page: str) -> str:
    """The address that a browser is sent to, once somebody has logged in on the page."""

    def browse() -> str:
        parts = urlsplit(page)
        connection = http.client.HTTPConnection(parts.netloc)
        connection.request("GET", f"{parts.path}?{parts.query}")
        address = connection.getresponse().headers["Location"]
        connection.close()
        return address

    return await asyncio.to_thread(browse)


def told(engine, kind):
    return [event for event in engine.events() if isinstance(event, kind)]


async def expire(simulator: Simulator, engine: Engine) -> None:
    await simulator.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))
    await engine.apply(CheckHealth(source="zerodha"))


async def test_an_expired_token_a_login_and_everything_flows_again(plugins, tmp_path) -> None:
    async with desk(plugins, tmp_path) as (simulator, engine), engine.ticks(["NSE:INFY"]) as ticks:
        await anext(tick async for tick in ticks if isinstance(tick, Tick))
        await expire(simulator, engine)
        source = engine.snapshot().source("zerodha")
        assert source.state is SourceState.LOGIN
        assert source.login.needed
        assert [(event.opens_in_s, event.soon) for event in told(engine, events.LoginNeeded)] == [(0.0, True)]
        assert engine.snapshot().route("NSE/quote").active == "yahoo"
        assert engine.snapshot().route("NSE/ticks").active is None

        asked_ns = time.time_ns()
        asked = await engine.apply(Login(source="zerodha"))
        assert asked.page.startswith(simulator.vendor("kite").login)
        done = await engine.apply(Login(source="zerodha", answer=Secret(await landed(asked.page))))
        assert done.accepted, done.message
        assert f"kept in {tmp_path / 'desk.credentials.json'}" in done.message
        assert "but" not in done.message

        source = engine.snapshot().source("zerodha")
        assert source.state is not SourceState.LOGIN
        assert 0 < source.login.expires_in_s <= 86_400
        assert (await engine.quote("NSE:INFY", source="zerodha")).price > 0
        await anext(tick async for tick in ticks if isinstance(tick, Tick) and tick.received_ns > asked_ns)
        assert [event.source for event in told(engine, events.LoggedIn)] == ["zerodha"]


async def test_a_login_outlasts_a_restart(plugins, tmp_path) -> None:
    async with Simulator(vendors=("kite",)) as simulator:
        async with engine_at(simulator, plugins, tmp_path) as engine:
            await expire(simulator, engine)
            await engine.apply(Login(source="zerodha", answer=Secret("simulated")))
        async with engine_at(simulator, plugins, tmp_path) as engine:
            assert (await engine.quote("NSE:INFY", source="zerodha")).price > 0
            assert told(engine, events.LoginNeeded) == []


async def test_a_login_while_all_is_well_moves_the_stream_without_a_loss(plugins, tmp_path) -> None:
    async with desk(plugins, tmp_path, ("kite",)) as (_, engine), engine.ticks(["NSE:INFY"]) as ticks:
        await anext(tick async for tick in ticks if isinstance(tick, Tick))
        assert (await engine.apply(Login(source="zerodha", answer=Secret("simulated")))).accepted
        while not told(engine, events.StreamRenewed):
            await anext(ticks)
        assert told(engine, events.StreamLost) == []
        assert told(engine, events.TicksGapped) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("n0tARequestTokenOfKite", "serves once"),
        ("https://127.0.0.1/?status=success", "no request_token"),
        ("what?", "neither an address nor a request token"),
    ],
)
async def test_a_wrong_answer_is_refused_in_words_that_help(plugins, tmp_path, answer, words) -> None:
    async with desk(plugins, tmp_path, ("kite",)) as (_, engine):
        refused = await engine.apply(Login(source="zerodha", answer=Secret(answer)))
        assert not refused.accepted
        assert words in refused.message
        assert answer not in refused.message
        assert engine.snapshot().source("zerodha").state is not SourceState.LOGIN, (
            "the old token still serves"
        )


async def test_a_source_without_a_login_says_which_ones_have_one(plugins, tmp_path) -> None:
    async with desk(plugins, tmp_path) as (_, engine):
        refused = await engine.apply(Login(source="yahoo"))
        assert refused.message == "yahoo needs no login that ends; one logs in at zerodha"
        assert engine.snapshot().source("yahoo").login is None


async def test_nothing_of_a_login_is_written_logged_or_shown(plugins, tmp_path, caplog) -> None:
    caplog.set_level(logging.DEBUG, "mds_engine")
    async with desk(plugins, tmp_path) as (simulator, engine):
        await expire(simulator, engine)
        page = (await engine.apply(Login(source="zerodha"))).page
        address = await landed(page)
        request_token = parse_qs(urlsplit(address).query)["request_token"][0]
        command = Login(source="zerodha", answer=Secret(address), why="morning")
        results = [await engine.apply(command), await engine.apply(command)]
        assert [result.accepted for result in results] == [True, False]
        access_token = engine.sources["zerodha"].settings.access_token.reveal()
        shown = [repr(command), repr(results), repr(engine.snapshot()), repr(engine.events()), caplog.text]
        shown += [
            msgspec.json.encode(engine.snapshot()).decode(),
            msgspec.json.encode(engine.events()).decode(),
        ]
        shown += [repr(engine.sources["zerodha"].settings), repr(vars(engine.sources["zerodha"].source))]
        told_of = [event.command for event in told(engine, events.CommandApplied)]

    assert on_record(command) in told_of
    assert access_token != "simulated"
    kept = tmp_path / "desk.credentials.json"
    assert access_token in kept.read_text(), "where there is no keyring"
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file != kept]
    assert any(file.suffix == ".sqlite" for file in files)
    shown += [file.read_bytes().decode("latin-1") for file in files]
    for text in shown:
        assert request_token not in text
        assert access_token not in text
        assert page not in text


def test_a_command_with_its_answer_cannot_be_encoded_and_one_without_comes_back() -> None:
    command = Login(source="zerodha", answer=Secret("s3cret"), by="asha")
    with pytest.raises(TypeError):
        msgspec.json.encode(command)
    written = msgspec.json.encode(on_record(command))
    assert b"s3cret" not in written
    assert msgspec.json.decode(written, type=Command) == Login(source="zerodha", by="asha")
