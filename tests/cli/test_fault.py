"""`fault` on live streams: what it takes, and that it reaches the simulator."""

import asyncio

import pytest
from mds_engine.simulator.control_client import ControlClient
from mds_engine.simulator.faults import Fault, FaultKind, problem_of

from mds_tui.cli.simulator_process import SimulatorProcess

FRAMES = "duplicate-frames, reordered-frames, dropped-frames"
REQUESTS = "hang, slow, status, throttle, ban, token-expired, html, truncate, error-in-200, quota"
HIT_ONE_BY_ONE = f"{REQUESTS}, {FRAMES}"


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
    ("words", "stands"),
    [
        (("binance", "duplicate-frames", "--delay", "0.25", "--first", "3"), {"delay_s": 0.25, "first": 3}),
        (("binance", "reordered-frames", "--probability", "0.5"), {"probability": 0.5}),
        (("binance", "stream-shutdown", "--delay", "5"), {"delay_s": 5.0}),
        (("binance", "cut-stream", "--delay", "2"), {"delay_s": 2.0}),
        (("binance", "no-trades"), {}),
        (("kite", "mute-instrument", "--instrument", "nse:infy"), {"instrument": "NSE:INFY"}),
        (("kite", "wrong-price", "--factor", "0.5", "--scope", "ws"), {"factor": 0.5, "scope": "ws"}),
        (("kite", "status", "--status", "429", "--scope", "http"), {"status": 429, "scope": "http"}),
        (("yahoo", "hang", "--first", "2", "--endpoint", "0"), {"first": 2}),
    ],
)
def test_what_is_given_reaches_the_simulator(fault, simulator, words, stands):
    assert fault(*words).exit_code == 0
    (active,) = standing(simulator)
    assert fault(words[0], "--clear").exit_code == 0
    assert (active["vendor"], active["fault"]["kind"]) == words[:2]
    assert {name: active["fault"][name] for name in stands} == stands


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("kite", "mute-instrument"),
            "which instrument shall be mute? name it with --instrument EXCHANGE:SYMBOL",
        ),
        (
            ("kite", "mute-instrument", "--instrument", "INFY"),
            "'INFY' is not an instrument; write EXCHANGE:SYMBOL, as NSE:RELIANCE",
        ),
        (
            ("kite", "cut-stream", "--probability", "0.5"),
            f"--probability belongs to the faults {HIT_ONE_BY_ONE}",
        ),
        (("kite", "mute-stream", "--first", "2"), f"--first belongs to the faults {HIT_ONE_BY_ONE}"),
        (
            ("kite", "status", "--status", "500", "--instrument", "NSE:INFY"),
            f"--instrument belongs to the faults mute-instrument, {FRAMES}",
        ),
        (
            ("kite", "mute-stream", "--scope", "ws"),
            f"--scope belongs to the faults {REQUESTS}, wrong-price, frozen-price",
        ),
        (
            ("kite", "no-trades", "--delay", "1"),
            f"--delay belongs to the faults slow, cut-stream, stream-shutdown, {FRAMES.rpartition(', ')[0]}",
        ),
        (("kite", "frozen-price", "--factor", "2"), "--factor belongs to the faults wrong-price"),
        (("kite", "hang", "--status", "503"), "--status belongs to the faults status"),
        (("kite", "hang", "--retry-after", "5"), "--retry-after belongs to the faults throttle, ban, status"),
        (
            ("kite", "slow", "--delay", "1", "--clear"),
            "--delay makes a fault, and --clear ends faults; give one of them",
        ),
        (("kite", "wrong-price", "--factor", "nan"), "--factor is nan; give a number"),
        (("kite", "slow", "--probability", "nan"), "--probability is nan; give a number"),
        (
            ("kite", "status", "--status", "302"),
            "Invalid value for '--status': 302 is not in the range 400<=x<=599.",
        ),
        (("kite", "slow", "--first", "0"), "Invalid value for '--first': 0 is not in the range x>=1."),
        (
            ("kite", "slow", "--scope", "udp"),
            "Invalid value for '--scope': 'udp' is not one of 'http', 'ws'.",
        ),
        (
            ("kite", "wrong-price", "--factor", "0"),
            "Invalid value for '--factor': 0.0 is not in the range x>0.",
        ),
        (("kite", "mute-streem"), 'there is no fault "mute-streem"; did you mean "mute-stream"?'),
        (("kite", "hang", "--endpoint", "7"), "kite has no endpoint 7; the last is 0"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(fault, simulator, words, told):
    result = fault(*words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {told}"
    assert standing(simulator) == []


@pytest.mark.parametrize("status", [400, 599])
def test_its_codes_are_those_of_the_control_api(fault, simulator, status):
    assert fault("kite", "status", "--status", str(status)).exit_code == 0
    assert fault("kite", "--clear").exit_code == 0
    assert problem_of(Fault(kind=FaultKind.STATUS, status=status)) == ""
    for beyond in (399, 600):
        assert problem_of(Fault(kind=FaultKind.STATUS, status=beyond)) != ""
        assert fault("kite", "status", "--status", str(beyond)).exit_code == 2


def test_every_kind_stands_in_the_help(fault):
    # Help is wrapped, at hyphens too.
    told = "".join(fault("--help").stdout.split())
    assert [kind.value for kind in FaultKind if kind.value not in told] == []
