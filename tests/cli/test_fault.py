"""`fault` on live streams: what it takes, and that it reaches the simulator."""

import asyncio

import pytest
from mds_engine.simulator.control_client import ControlClient

from mds_tui.cli.simulator_process import SimulatorProcess

FRAMES = "duplicate-frames, reordered-frames, dropped-frames"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorProcess(seed=1) as process:
        yield process


@pytest.fixture
def fault(run, simulator):
    return lambda *words: run("fault", *words, "--simulator", simulator.address.control)


def standing(simulator) -> list[dict]:
    async def ask() -> list[dict]:
        async with ControlClient(simulator.address.control) as control:
            return list((await control.overview())["faults"])

    return asyncio.run(ask())


def test_frames_of_one_instrument_can_be_lost_now_and_then(fault, simulator):
    words = ("--instrument", "BINANCE:BTCUSDT", "--probability", "0.25")
    assert fault("binance", "dropped-frames", *words).exit_code == 0
    (active,) = standing(simulator)
    assert (active["fault"]["instrument"], active["fault"]["probability"]) == ("BINANCE:BTCUSDT", 0.25)
    assert fault("binance", "--clear").exit_code == 0
    assert standing(simulator) == []


def test_one_instrument_is_made_mute_and_heard_again(fault, simulator):
    assert fault("kite", "mute-instrument", "--instrument", "NSE:INFY").exit_code == 0
    assert standing(simulator)[0]["fault"]["instrument"] == "NSE:INFY"
    assert fault("kite", "mute-instrument", "--clear").stdout == "kite: 1 fault ended\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("kite", "mute-instrument"),
            "Error: which instrument shall be mute? name it with --instrument EXCHANGE:SYMBOL",
        ),
        (
            ("kite", "cut-stream", "--probability", "0.5"),
            f"Error: --probability belongs to the faults {FRAMES}",
        ),
        (
            ("kite", "status", "--status", "500", "--instrument", "NSE:INFY"),
            f"Error: --instrument belongs to the faults mute-instrument, {FRAMES}",
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(fault, words, told):
    result = fault(*words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == told


def test_every_kind_stands_in_the_help(fault):
    from mds_engine.simulator.faults import FaultKind

    # Help is wrapped, at hyphens too.
    told = "".join(fault("--help").stdout.split())
    assert [kind.value for kind in FaultKind if kind.value not in told] == []
