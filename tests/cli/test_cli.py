"""The whole: help, exit codes, what is imported, what is documented."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from mds_engine import errors
from mds_engine.model import Decision, Step, Verdict

from mds_tui.cli import cli
from mds_tui.cli.exits import MEANING, Exit, code_of

ROOT = Path(__file__).resolve().parents[2]
VERBS = """
demo simulate fault drill quote bars ticks record replay web convert login status commands decode config
doctor
""".split()  # noqa: SIM905
HEAVY = """
numpy pandas pyarrow yfinance kiteconnect textual httpx aiohttp asyncio msgspec rapidfuzz structlog
""".split()  # noqa: SIM905


def failed_with(*names):
    steps = tuple(Step("s", Verdict.FAILED, error=name) for name in names)
    return errors.AllSourcesFailedError("all", decision=Decision(1, "NSE/quote", "x", 0.0, 0.0, None, steps))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), Exit.CONFIG),
        (errors.InvalidRequest("x"), Exit.REQUEST),
        (errors.UnknownSourceError("x"), Exit.REQUEST),
        (errors.NotFound("x"), Exit.REQUEST),
        (errors.InvalidPayload("x"), Exit.PAYLOAD),
        (failed_with("NotFound", "NotFound"), Exit.REQUEST),
        (failed_with("NotFound", "Unavailable"), Exit.UNAVAILABLE),
        (failed_with(), Exit.UNAVAILABLE),
        (errors.Throttled("x"), Exit.UNAVAILABLE),
    ],
)
def test_errors_end_with_their_codes(error, code):
    assert code_of(error) is code


def test_help_lists_the_verbs_and_the_codes(run):
    text = run("--help").stdout
    for verb in VERBS:
        assert f"\n  {verb} " in text
    for code, about in MEANING.items():
        assert f"\n  {code.value} " in text
        assert " ".join(about.split()[:3]) in text


def test_the_codes_are_documented():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert set(MEANING) == set(Exit)
    for code, about in MEANING.items():
        assert f"| {code.value} | {about} |" in page


def test_every_verb_is_documented():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert list(cli.commands) == VERBS
    for name, command in cli.commands.items():
        assert f"`{name}" in page
        assert isinstance(command, click.Group) or command.get_short_help_str()


@pytest.mark.parametrize("words", [["--help"], ["quote", "--help"], ["config", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys\n"
        "from mds_tui.cli import cli\n"
        f"try: cli({words!r})\n"
        "except SystemExit: pass\n"
        f"print('heavy:', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "heavy: []"


def test_loading_the_vendors_imports_no_sdk():
    code = (
        "import sys\n"
        "from mds_tui.cli.vendors import InstalledVendors\n"
        "vendors = InstalledVendors()\n"
        "assert [vendors[kind].kind for kind in vendors]\n"
        "print(sorted({'pandas', 'yfinance', 'kiteconnect', 'pyarrow'} & set(sys.modules)))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


@pytest.mark.parametrize("words", [(), ("demo",)])
def test_the_console_needs_a_terminal(run, words):
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("mds-tui: the console needs a terminal")


def test_an_unknown_verb_is_a_usage_error(run):
    assert run("quotes").exit_code == 2


def test_commands_are_the_registry(run, lines):
    from mds_engine.control.registry import REGISTRY

    (rows,) = lines(run("commands", "--json"))
    assert [row["name"] for row in rows] == [entry.name for entry in REGISTRY]
    text = run("commands").stdout
    for entry in REGISTRY:
        assert entry.about in text


def test_an_unknown_drill_is_told_with_the_nearest(run):
    result = run("drill", "primary-dwn")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        'Error: there is no drill "primary-dwn"; did you mean "primary-down"?',
    )


def test_a_defect_is_one_sentence_and_a_file(tmp_path):
    code = (
        "import mds_tui.cli as c, click\n"
        "@c.cli.command()\n"
        "def broken(): raise RuntimeError('the details')\n"
        "import sys; sys.argv = ['mds-tui', 'broken']; c.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "", "XDG_STATE_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == Exit.DEFECT
    assert done.stderr.startswith("mds-tui: a defect: RuntimeError: the details; the details are in ")
    assert len(done.stderr.splitlines()) == 1
    (log,) = tmp_path.rglob("defects.log")
    assert "Traceback" in log.read_text()


SOURCE = "import mds_tui.cli as c, sys; sys.argv = ['mds-tui', *sys.argv[1:]]; c.main()"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [("config", "example"), ("simulate", "--json"), ("--help",)])
def test_an_output_that_cannot_be_written_is_no_defect(tmp_path, words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SOURCE, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == Exit.OUTPUT
    assert done.stderr == "mds-tui: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", [("config", "example"), ("simulate", "--json")])
def test_a_reader_that_is_gone_is_no_failed_check(tmp_path, words):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", SOURCE, *words],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (Exit.UNREAD, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("on_interrupt", ["default_int_handler", "SIG_IGN"])
def test_a_verb_that_is_ended_clears_up_behind_itself(number, on_interrupt):
    code = (
        "import asyncio, signal, sys, mds_tui.cli as c\n"
        f"signal.signal(signal.SIGINT, signal.{on_interrupt})\n"
        "async def wait():\n"
        "    try:\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "    finally: print('cleared', flush=True)\n"
        "@c.cli.command()\n"
        "def slow(): asyncio.run(wait())\n"
        "sys.argv = ['mds-tui', 'slow']; c.main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, complaints = process.communicate(timeout=30)
    assert (process.returncode, out, complaints) == (128 + number, "cleared\n", "")


def test_a_simulator_that_is_no_url_is_told(run):
    result = run("quote", "NSE:INFY", "--simulator", "http://[::1")
    assert result.exit_code == Exit.CONFIG
    assert result.stderr.startswith("mds-tui: --simulator http://[::1: Invalid IPv6 URL; give")


def test_a_current_folder_that_is_gone_is_told(run, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("config", "check")
    assert (result.exit_code, result.stderr) == (
        Exit.CONFIG,
        "mds-tui: the current folder is no longer there; change to one that is\n",
    )


def test_the_list_of_verbs_is_whole_sentences(run):
    assert "..." not in run("--help").stdout.partition("Commands:")[2]
    assert "..." not in run("config", "--help").stdout.partition("Commands:")[2]


def test_the_names_of_the_drills_are_in_the_help(run):
    from mds_engine import drills

    words = run("drill", "--help").stdout.replace("-\n  ", "-").replace(",", " ").replace(";", " ").split()
    assert set(drills.SCENARIOS) <= set(words)
