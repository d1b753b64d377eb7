"""From exec to the first full frame in a real pty: the console against a bare Textual app."""

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.report import Row
from benchmarks.timing import Times

ABOUT = "first paint after exec, in a pty of 120 x 40, against a bare Textual app"
ROUNDS = 11
WITHIN_S = 30.0
HEAVY = ("yfinance", "pandas", "kiteconnect", "pyarrow")
_ESCAPES = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[PX^_\]].*?(\x1b\\|\x07)|[@-Z\\-_])", re.DOTALL)
_BARE = (b"bare foot",)
_CONSOLE = (b"6 events", b"quit")
"""What is waited for: the lowest pane's title, which comes with the first frame of the whole screen, and
the last of the keys below it, which come once the bindings are known."""

_CONFIG = """\
[engine]
state_path = ":memory:"
log_path = "{folder}/bench.log"

[sources.binance]
kind = "binance"
endpoints = ["http://127.0.0.1:9"]
stream_endpoints = ["ws://127.0.0.1:9"]
"""


async def run() -> list[Row]:
    """The rows."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        config = folder / "config.toml"
        config.write_text(_CONFIG.format(folder=folder))
        environment = terminal_environment(folder)
        python = [sys.executable, "-m"]
        contenders = {
            "bare": ([*python, "benchmarks.bare_app"], _BARE),
            "demo": ([*python, "mds_tui.cli", "demo"], _CONSOLE),
            "configured": ([*python, "mds_tui.cli", "--config", str(config)], _CONSOLE),
        }
        times: dict[str, list[float]] = {}
        for number in range(ROUNDS + 1):
            for name, (command, words) in contenders.items():
                took = first_paint_s(command, words, environment)
                if number:  # the first round warms the page cache
                    times.setdefault(name, []).append(took[0])
                    times.setdefault(f"{name}, keys", []).append(took[-1])
        heavy = _imported_by_first_paint(folder, environment)
    medians = Times(times)
    bare = f"bare {medians.seconds('bare') * 1e3:.0f} ms"
    rows = [
        Row(
            what=f"mds-tui {how}{what}, times as long as a bare app",
            value=medians.ratio(f"{name}{suffix}", "bare"),
            at_most=limit,
            note=f"{bare}, ours {medians.seconds(f'{name}{suffix}') * 1e3:.0f} ms; of {ROUNDS} starts each",
        )
        for suffix, what, limit in (("", "", 2.0), (", keys", ", until the keys are there too", None))
        for name, how in (("demo", "demo"), ("configured", "--config FILE"))
    ]
    what = f"of {', '.join(HEAVY)}, how many are imported when the first frame is there"
    return [*rows, Row(what=what, value=len(heavy), unit="", at_most=0, note=", ".join(heavy))]


def first_paint_s(
    command: Sequence[str],
    words: Sequence[bytes],
    environment: Mapping[str, str],
    painted: Callable[[], object] = bool,
) -> list[float]:
    """Seconds from exec until each of `words`, in that order, is on the screen.

    Calls `painted` after the last of them, and ends the program.
    """
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (40, 120))
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    )
    os.close(its)
    try:
        screen, took_s = b"", []
        for word in words:
            while word not in _ESCAPES.sub(b"", screen):
                left_s = began + WITHIN_S - time.perf_counter()
                if left_s <= 0 or not select.select([ours], [], [], left_s)[0]:
                    raise TimeoutError(f"{command} painted no {word!r}: {screen[-500:]!r}")
                screen += _read(ours, command, screen)
            took_s.append(time.perf_counter() - began)
        painted()
        return took_s
    finally:
        _end(process, ours)


def _read(terminal: int, command: Sequence[str], screen: bytes) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError as error:  # what Linux says when the other side has gone
        raise RuntimeError(f"{command} ended before it painted: {screen[-500:]!r}") from error


def _end(process: subprocess.Popen[bytes], terminal: int) -> None:
    """SIGTERM, and read what it still says, lest it wait for us to read."""
    process.send_signal(signal.SIGTERM)
    give_up_at = time.perf_counter() + 10.0
    while process.poll() is None:
        if time.perf_counter() > give_up_at:
            process.kill()
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                os.read(terminal, 65_536)
            except OSError:
                process.wait()
    os.close(terminal)


def _imported_by_first_paint(folder: Path, environment: Mapping[str, str]) -> list[str]:
    seen = folder / "imports"
    command = [sys.executable, "-m", "benchmarks.watched_console", str(seen), ",".join(HEAVY), "demo"]
    imported: list[str] = []

    def look() -> None:
        imported.extend(seen.read_text().split() if seen.exists() else ())

    first_paint_s(command, _CONSOLE, environment, look)
    return imported


def terminal_environment(folder: Path) -> dict[str, str]:
    """The user's own folders stay out of it, and so does the tour that a first start shows."""
    mark = folder / "state" / "mds-tui" / "tour-shown"
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return {
        **os.environ,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        **{f"XDG_{what}_HOME": str(folder / what.lower()) for what in ("STATE", "CONFIG", "CACHE", "DATA")},
    }
