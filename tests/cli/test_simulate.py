"""Real processes: what a signal, a closed pipe or a killed starter does to a simulator."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from mds_engine.config.simulated import SimulatorAddress

from mds_tui.cli.settings import simulator_address
from mds_tui.cli.simulator_process import SimulatorProcess

TIMEOUT_S = 30.0
VENDORS = {"binance", "kite", "yahoo", "alphavantage"}


@contextmanager
def simulating(*options):
    with subprocess.Popen(
        [sys.executable, "-m", "mds_tui.cli", "simulate", "--json", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_serves_until_it_is_told_to_stop(number):
    with simulating("--seed", "7") as (process, line):
        assert set(line["vendors"]) == VENDORS
        assert all(urls["http"].startswith("http://127.0.0.1:") for urls in line["vendors"].values())
        assert set(simulator_address(line["control"]).vendors) == VENDORS
        process.send_signal(number)
        out, complaints = process.communicate(timeout=TIMEOUT_S)
        assert (process.returncode, out, complaints) == (0, b"", b"")


def test_with_stdin_it_ends_with_its_starter():
    with simulating("--with-stdin") as (process, _):
        process.stdin.close()
        assert process.wait(TIMEOUT_S) == 0


def test_the_child_ends_with_the_block_and_serves_within_it():
    with SimulatorProcess(seed=3) as simulator:
        assert set(simulator_address(simulator.address.control).vendors) == VENDORS
        port = int(simulator.address.control.rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


STARTER = """
import sys
from mds_tui.cli.simulator_process import SimulatorProcess
with SimulatorProcess(seed=1) as simulator:
    print(simulator.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux can wait for another's child")
def test_a_killed_starter_takes_its_simulator_along():
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        simulator = os.pidfd_open(int(starter.stdout.readline()))
        try:
            starter.kill()
            ended, _, _ = select.select([simulator], [], [], TIMEOUT_S)
        finally:
            os.close(simulator)
    assert ended


def test_a_simulator_that_is_killed_leaves_its_starter_alive():
    with SimulatorProcess(seed=1) as simulator:
        os.kill(simulator.pid, signal.SIGKILL)
        simulator.close()


def test_a_file_with_the_line_is_as_good_as_the_url(tmp_path):
    text = '{"vendors": {"yahoo": {"http": "http://127.0.0.1:9", "ws": ""}}, "control": "http://127.0.0.1:8"}'
    (tmp_path / "line").write_text(text)
    assert simulator_address(str(tmp_path / "line")) == SimulatorAddress.read(text)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "binance"], "--port binance: write NAME=PORT, as binance=9001"),
        (["--port", "binance=99999"], "--port binance=99999: write NAME=PORT, as binance=9001"),
        (["--port", "nobody=1"], "--port nobody: known are binance, kite, yahoo, alphavantage and control"),
    ],
)
def test_a_port_that_cannot_be_is_told(run, options, sentence):
    result = run("simulate", *options)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, f"Error: {sentence}")


def test_a_port_that_is_taken_is_told(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("simulate", "--port", f"control={taken.getsockname()[1]}")
    assert result.exit_code == 4
    assert "cannot listen" in result.stderr
