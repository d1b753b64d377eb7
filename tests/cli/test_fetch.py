"""Data by the command line, from one simulator for all tests of this module."""

import csv
import gc
import io
import os
import signal
import subprocess
import sys

import pytest

from mds_tui.cli.simulator_process import SimulatorProcess


@pytest.fixture(scope="module")
def simulator():
    with SimulatorProcess(seed=5) as process:
        yield process


@pytest.fixture
def fetch(run, simulator):
    yield lambda *words: run(*words, "--simulator", simulator.address.control)
    gc.collect()  # what a verb leaves open is laid at its own door


def test_a_quote_names_its_source_and_decision(fetch, lines):
    result = fetch("quote", "binance:btcusdt", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    (quote,) = lines(result)
    assert (quote["type"], quote["instrument"], quote["source"]) == ("quote", "BINANCE:BTCUSDT", "binance")
    assert quote["decision"]["steps"][-1]["verdict"] == "taken"
    assert quote["price"] > 0


def test_quotes_keep_the_order_and_what_nobody_knows_is_told(fetch, lines):
    result = fetch("quote", "BINANCE:ETHUSDT", "NASDAQ:AAPL", "BINANCE:NOSUCHCOIN", "--json")
    assert result.exit_code == 5
    assert [line.get("instrument", line["type"]) for line in lines(result)] == [
        "BINANCE:ETHUSDT",
        "NASDAQ:AAPL",
        "error",
    ]
    assert lines(result)[-1]["class"] == "NotFound"
    assert result.stderr == "mds-tui: no source of its route knows BINANCE:NOSUCHCOIN\n"


def test_a_source_may_be_forced(fetch, lines):
    (quote,) = lines(fetch("quote", "NSE:INFY", "--source", "yahoo", "--json"))
    assert quote["source"] == "yahoo"


def test_a_source_may_be_named_by_its_vendor(fetch, lines):
    (quote,) = lines(fetch("quote", "NSE:INFY", "--source", "kite", "--json"))
    assert quote["source"] == "zerodha"


def test_for_people_a_quote_is_a_line(fetch):
    result = fetch("quote", "BINANCE:BTCUSDT")
    assert result.stdout.count("\n") == 1
    assert result.stdout.startswith("BINANCE:BTCUSDT ")
    assert " binance " in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("quote", "BTCUSDT"), 5, "InvalidRequest"),
        (("quote", "BINANCE:BTCUSDT", "--source", "nobody"), 5, "UnknownSourceError"),
        (("quote", "BINANCE:NOSUCHCOIN"), 5, "AllSourcesFailedError"),
        (("bars", "BINANCE:BTCUSDT", "7m"), 5, "InvalidRequest"),
    ],
)
def test_what_is_asked_wrongly_is_a_sentence_and_a_record(fetch, lines, words, code, error):
    result = fetch(*words, "--json")
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1
    (record,) = lines(result)
    assert (record["type"], record["class"]) == ("error", error)


def test_when_no_source_answers_every_attempt_is_told(run, lines, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(
        '[sources.dead]\nkind = "binance"\nendpoints = ["http://127.0.0.1:1"]\n'
        'stream_endpoints = ["ws://127.0.0.1:1"]\n[retry]\nattempts = 0\n'
    )
    result = run("quote", "BINANCE:BTCUSDT", "--json", "--config", file)
    assert result.exit_code == 4
    (error,) = lines(result)
    assert error["class"] == "AllSourcesFailedError"
    assert error["decision"]["steps"][0]["error"] == "Unavailable"


def test_bars_are_lines_oldest_first_with_their_source(fetch, lines):
    result = fetch(
        "bars",
        "BINANCE:BTCUSDT",
        "1h",
        "--start",
        "2026-01-02",
        "--end",
        "2026-01-02T08:30:00+05:30",
        "--json",
    )
    rows = lines(result)
    assert [row["time"] for row in rows] == [f"2026-01-02T0{hour}:00:00Z" for hour in range(3)]
    assert set(rows[0]) == {"type", "time", "open", "high", "low", "close", "volume", "source"}
    assert result.stderr == ""


def test_bars_as_csv_equal_bars_as_json(fetch, lines):
    words = ("bars", "BINANCE:BTCUSDT", "1d", "--start", "2026-01-02", "--end", "2026-01-06")
    table = list(csv.DictReader(io.StringIO(fetch(*words, "--csv").stdout)))
    rows = lines(fetch(*words, "--json"))
    assert list(table[0]) == ["time", "open", "high", "low", "close", "volume"]
    assert [float(row["close"]) for row in table] == [row["close"] for row in rows]
    assert len(table) == 4


def test_without_a_start_there_are_bars(fetch):
    result = fetch("bars", "BINANCE:BTCUSDT", "1d")
    assert 199 <= len(result.stdout.splitlines()) <= 201
    assert "bars from binance: " in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "--csv"), "--json and --csv exclude each other"),
        (("--start", "yesterday"), "--start yesterday: write a date or a time as 2026-01-31"),
    ],
)
def test_options_that_cannot_be_are_usage_errors(fetch, words, sentence):
    result = fetch("bars", "BINANCE:BTCUSDT", "1d", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_ticks_end_at_their_count(fetch, lines):
    result = fetch("ticks", "BINANCE:BTCUSDT", "--count", "3", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [tick["instrument"] for tick in lines(result)] == ["BINANCE:BTCUSDT"] * 3


def test_ticks_that_no_source_streams_are_refused(fetch, lines, tmp_path):
    (tmp_path / "c.toml").write_text('[sources.only]\nkind = "binance"\n')
    result = fetch("ticks", "NSE:INFY", "--json", "--config", tmp_path / "c.toml")
    assert result.exit_code == 5
    assert lines(result)[0]["message"] == "no configured source streams NSE, so NSE:INFY has no ticks"


def test_ticks_that_do_not_come_are_not_waited_for(fetch):
    result = fetch("ticks", "BINANCE:NOSUCHCOIN", "--timeout", "0.2")
    assert result.exit_code == 1
    assert result.stderr.startswith("mds-tui: no tick of BINANCE:NOSUCHCOIN came for 0.2 s (")


def test_a_silence_is_an_error_record_too(fetch, lines):
    (error,) = lines(fetch("ticks", "BINANCE:NOSUCHCOIN", "--timeout", "0.2", "--json"))
    assert (error["type"], error["class"]) == ("error", "Unavailable")


def test_no_silence_lasts_for_nan_seconds(fetch):
    result = fetch("ticks", "BINANCE:BTCUSDT", "--timeout", "nan")
    assert result.exit_code == 2
    assert "nan is not a number of seconds" in result.stderr


def test_a_stream_that_cannot_be_reached_is_why_no_tick_comes(run, tmp_path):
    dead = """
    [sources.b]
    kind = "binance"
    endpoints = ["http://127.0.0.1:1"]
    stream_endpoints = ["ws://127.0.0.1:1"]
    [engine]
    state_path = ":memory:"
    """
    (tmp_path / "c.toml").write_text(dead)
    result = run("ticks", "BINANCE:BTCUSDT", "--timeout", "2", "--config", tmp_path / "c.toml")
    assert result.exit_code == 1
    assert "(b: 127.0.0.1:1" in result.stderr


def test_an_exchange_that_is_down_does_not_withhold_the_others(run, simulator, lines, tmp_path):
    up = simulator.address.vendors["binance"].http
    dead = f"""
    [sources.b]
    kind = "binance"
    endpoints = ["{up}"]
    [sources.y]
    kind = "yahoo"
    endpoints = ["http://127.0.0.1:1"]
    [routes.NASDAQ]
    sources = ["y"]
    [routes.BINANCE]
    sources = ["b"]
    [engine]
    state_path = ":memory:"
    """
    (tmp_path / "c.toml").write_text(dead)
    result = run("quote", "NASDAQ:AAPL", "BINANCE:BTCUSDT", "--json", "--config", tmp_path / "c.toml")
    quote, error = lines(result)
    assert (quote["instrument"], error["class"]) == ("BINANCE:BTCUSDT", "AllSourcesFailedError")
    assert "NASDAQ:AAPL" in error["message"]
    assert result.exit_code == 4


def test_a_state_that_cannot_be_kept_is_told(run, simulator, tmp_path):
    (tmp_path / "state.db").write_text("this is no database, and never was one, whatever its name says")
    up = simulator.address.vendors["binance"].http
    (tmp_path / "c.toml").write_text(
        f'[engine]\nstate_path = "{tmp_path}/state.db"\n[sources.b]\nkind = "binance"\nendpoints = ["{up}"]\n'
    )
    result = run("quote", "BINANCE:BTCUSDT", "--config", tmp_path / "c.toml")
    assert result.exit_code == 0
    assert result.stderr.startswith("mds-tui: warning: nothing is kept over a restart")


def test_a_reader_that_goes_away_leaves_no_traceback(simulator, tmp_path):
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mds_tui.cli",
            "ticks",
            "BINANCE:BTCUSDT",
            "--simulator",
            simulator.address.control,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": ""},
    ) as process:
        assert process.stdout.readline()
        process.stdout.close()
        complaints = process.stderr.read()
        process.wait(30)
    assert complaints == b""


def test_interrupted_is_an_exit_code_of_its_own(simulator, tmp_path):
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mds_tui.cli",
            "ticks",
            "BINANCE:BTCUSDT",
            "--simulator",
            simulator.address.control,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": ""},
        # A shell that runs the tests in the background lets them, and all they start, ignore Ctrl+C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (130, b"mds-tui: interrupted\n")


def test_status_is_the_snapshot(fetch, lines):
    (snapshot,) = lines(fetch("status", "--json"))
    assert {source["name"] for source in snapshot["sources"]} == {
        "zerodha",
        "yahoo",
        "alphavantage",
        "binance",
    }
    assert "NSE/quote" in {route["key"] for route in snapshot["routes"]}
    text = fetch("status").stdout
    assert "NSE/quote" in text
    assert "zerodha > yahoo > alphavantage" in text


def test_a_fault_is_made_and_ended(fetch):
    assert fetch("fault", "yahoo", "refuse").stdout == "yahoo: refuse, until `mds-tui fault yahoo --clear`\n"
    assert fetch("fault", "yahoo", "--clear").stdout == "yahoo: 1 fault ended\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("yahho", "refuse"), "Error: no vendor 'yahho' here; running: binance, kite, yahoo, alphavantage"),
        (("yahoo", "refuse", "--status", "500"), "Error: --status belongs to the faults status"),
        (("yahoo", "status", "--status", "99999"), None),
        (("yahoo", "slow", "--delay", "-1"), None),
    ],
)
def test_a_fault_that_cannot_be_is_one_sentence(fetch, words, told):
    result = fetch("fault", *words)
    assert result.exit_code == 2
    assert told is None or result.stderr.splitlines()[-1] == told


def test_the_demos_names_of_sources_are_known_to_faults(fetch):
    assert fetch("fault", "zerodha", "refuse").stdout.startswith("kite: refuse")
    fetch("fault", "kite", "--clear")


def test_of_several_demos_the_last_is_hurt_and_named(run, simulator, tmp_path):
    import msgspec

    from mds_tui.cli.demo_address import forget_demo, remember_demo, running_demos

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        remember_demo(simulator.address)
        (own,) = running_demos()
        line = msgspec.json.encode(simulator.address)
        (own.parent / f"{other.pid}.json").write_bytes(line)
        os.utime(own, (1, 1))
        result = run("fault", "yahoo", "--clear")
        assert result.exit_code == 0
        assert (
            f"2 demos are running; this is about the one started last (process {other.pid}" in result.stderr
        )
        forget_demo()
        assert [file.stem for file in running_demos()] == [str(other.pid)]
        other.communicate(b"\n")
    assert running_demos() == []


def test_a_fault_that_does_not_exist_is_told(fetch, run):
    result = fetch("fault", "yahoo", "refused")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        'Error: there is no fault "refused"; did you mean "refuse"?',
    )
    result = run("fault", "yahoo", "refuse")
    assert (
        result.stderr.splitlines()[-1] == "Error: no demo is running; name a simulator with --simulator URL"
    )


def test_the_doctor_finds_a_running_simulator_well(fetch, lines):
    result = fetch("doctor", "--json")
    (report,) = lines(result)
    found = {check["name"]: check["ok"] for check in report["checks"]}
    assert found["binance endpoint"] is True
    assert found["clock"] is True
    assert report["ok"] is True
    assert result.exit_code == 0
