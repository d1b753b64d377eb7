"""Logging in by the command line, at one simulator for all tests of this module."""

import asyncio
import http.client
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from mds_engine.simulator.control_client import ControlClient
from mds_engine.simulator.faults import Fault, FaultKind

from mds_tui.cli.simulator_process import SimulatorProcess

CONFIG = """
[engine]
state_path = "{folder}/desk.sqlite"
log_path = "{folder}/desk.log"
[sources.zerodha]
kind = "kite"
[sources.yahoo]
kind = "yahoo"
"""


@pytest.fixture(scope="module")
def simulator():
    with SimulatorProcess(seed=5) as process:
        yield process


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


@pytest.fixture
def at_desk(run, simulator, config):
    return lambda *words, **more: run(
        *words, "--config", config, "--simulator", simulator.address.control, **more
    )


def landed(page: str) -> str:
    parts = urlsplit(page)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    address = connection.getresponse().headers["Location"]
    connection.close()
    return address


async def expire(simulator: SimulatorProcess) -> None:
    async with ControlClient(simulator.address.control) as control:
        await control.clear("kite")
        await control.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))


def test_what_the_page_gives_is_taken_from_stdin_and_serves_the_verbs_after_it(
    at_desk, simulator, tmp_path
) -> None:
    asyncio.run(expire(simulator))
    assert at_desk("quote", "NSE:INFY", "--source", "zerodha").exit_code == 4

    page = at_desk("login", "zerodha", "--page")
    assert (page.exit_code, page.stderr) == (0, "")
    address = landed(page.stdout.strip())
    done = at_desk("login", stdin=f"{address}\n".encode())
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("zerodha is logged in for ")
    assert f"kept in {tmp_path / 'desk.credentials.json'}" in done.stdout

    assert at_desk("quote", "NSE:INFY", "--source", "zerodha").exit_code == 0

    token = parse_qs(urlsplit(address).query)["request_token"][0]
    again = at_desk("login", stdin=f"{address}\n".encode())
    assert (again.exit_code, again.stdout) == (1, "")
    assert "serves once" in again.stderr
    for text in (done.output, again.output, (tmp_path / "desk.log").read_text()):
        assert token not in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("login", "yahoo"), 5, "yahoo needs no login that ends; one logs in at zerodha"),
        (("login", "nobody"), 5, "there is no source 'nobody'; known are zerodha, yahoo"),
    ],
)
def test_a_source_that_has_no_login_is_told_with_those_that_have_one(at_desk, words, code, said) -> None:
    result = at_desk(*words)
    assert (result.exit_code, result.stderr) == (code, f"mds-tui: {said}\n")


def test_without_its_secret_the_remedy_is_told(run, config) -> None:
    result = run("login", "--config", config)
    assert result.exit_code == 3
    assert "[sources.zerodha]" in result.stderr
    assert "KITE_API_KEY" in result.stderr


def test_an_engine_that_keeps_nothing_refuses_a_login_that_would_be_lost(run, simulator) -> None:
    result = run("login", "--simulator", simulator.address.control)
    assert result.exit_code == 3
    assert "keeps nothing" in result.stderr
