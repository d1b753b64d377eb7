"""The console on an engine under load, in a real pty of 160 x 50, beside the same rows in a `DataTable`.

`BENCH_CONSOLE_S` says for how many seconds each is under load.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

from benchmarks.first_paint import terminal_environment
from benchmarks.report import Row
from benchmarks.stream_server import stream_server

ABOUT = "the console in a pty of 160 x 50 on an engine with 20,000 ticks a second, beside a DataTable"
A_SECOND = 20_000
FOR_S = float(os.environ.get("BENCH_CONSOLE_S", "30"))
_SETTLE_S, _IDLE_S, _WARM_S = 12.0, 8.0, 3.0
"""Ages of less than ten seconds are shown in tenths: nothing happens only once they are older."""
_FEW, _MANY = (500, 1), (5_000, 200)
_KEY_EVERY_S = (0.06, 0.16)
_WITHIN_S = 60.0
_DOWN, _UP = b"\x1b[B", b"\x1b[A"
_A_WAY = 200
"""Keys down before as many up: at an end of the list a key changes nothing that could be seen."""


class _Figures(NamedTuple):
    """Of one screen."""

    frame_ms: float
    """p95 of what its thread works from one frame to the next."""
    key_ms: float
    """p99 from the key's byte in the terminal to the screen that shows what it did."""
    keys: int
    share: float
    """Percent of a core, under load."""
    idle_share: float
    resident_mb: float
    gained_mb: float


async def run() -> list[Row]:
    """The rows."""
    desk = _measure("desk", *_FEW)
    watch = _measure("watch", *_FEW)
    table = _measure("table", *_FEW)
    large = _measure("desk", *_MANY)
    demo = _measure("demo", *_FEW)
    few = f"{_FEW[0]} instruments"
    # "No worse than twice that": twice what is asked for with the few.
    many = f"{_MANY[0]:,} instruments and {_MANY[1]} sources"
    return [
        Row(what=f"a frame's work, p95; {few}", value=desk.frame_ms, unit="ms", at_most=8.0,
            note=f"watch pane over the whole screen {watch.frame_ms:.1f} ms"),
        Row(what="the watch pane over the whole screen, times as much work as a DataTable's frame",
            value=watch.frame_ms / table.frame_ms, note=f"DataTable {table.frame_ms:.1f} ms"),
        Row(what=f"a key until the screen shows it, p99; {few}", value=desk.key_ms, unit="ms", at_most=40.0,
            note=f"of {desk.keys} keys; watch pane alone {watch.key_ms:.0f} ms, of {watch.keys};"
                 f" DataTable {table.key_ms:.0f} ms, of {table.keys}"),
        Row(what=f"the console's share of a core; {few}", value=desk.share, unit="%", at_most=15.0,
            note=f"watch pane alone {watch.share:.1f} %, DataTable {table.share:.1f} %"),
        Row(what="the same without ticks", value=desk.idle_share, unit="%", at_most=1.0,
            note=f"DataTable {table.idle_share:.1f} %"),
        Row(what=f"a frame's work, p95; {many}", value=large.frame_ms, unit="ms", at_most=16.0,
            note=f"{large.frame_ms / desk.frame_ms:.2f} times as much as with {_FEW[0]} and one"),
        Row(what=f"a key, p99; {many}", value=large.key_ms, unit="ms", at_most=80.0,
            note=f"{large.key_ms / desk.key_ms:.2f} times as long, of {large.keys} keys"),
        Row(what=f"share of a core; {many}", value=large.share, unit="%", at_most=30.0,
            note=f"{large.share / desk.share:.2f} times as much"),
        Row(what=f"the same without ticks; {many}", value=large.idle_share, unit="%", at_most=2.0,
            note=f"{large.idle_share / desk.idle_share:.2f} times as much"),
        Row(what=f"resident memory at the end, engine and screen; {few}", value=desk.resident_mb, unit="MB",
            at_most=130.0, note=f"with {_MANY[0]:,} instruments {large.resident_mb:.0f} MB"),
        Row(what=f"the same with the sources of the demo beside it; {few}", value=demo.resident_mb, unit="MB",
            at_most=300.0,
            note=f"{demo.gained_mb:.1f} MB of it gained in the second half; frame {demo.frame_ms:.1f} ms,"
                 f" key {demo.key_ms:.0f} ms, {demo.share:.1f} % of a core"),
        Row(what=f"gained in the second half of {FOR_S:.0f} s; {few}", value=desk.gained_mb, unit="MB",
            at_most=5.0, note=f"with {_MANY[0]:,} instruments {large.gained_mb:.1f} MB"),
    ]  # fmt: skip


def _measure(which: str, instruments: int, sources: int) -> _Figures:
    name = f"{which}-{instruments}"
    with tempfile.TemporaryDirectory() as scratch, stream_server() as server:
        folder = Path(scratch)
        report = folder / "report.json"
        environment = {**terminal_environment(folder), "BENCH_REPORT": str(report)}
        command = [sys.executable, "-m", "benchmarks.console_process", which, server.url(name)]
        screen = _Terminal([*command, str(instruments), str(sources)], environment)
        try:
            screen.wait_for_symbol()
            screen.read_for(_SETTLE_S)
            idle = screen.read_for(_IDLE_S)
            load = threading.Thread(
                target=server.load, args=(name, instruments, A_SECOND, FOR_S + _WARM_S), daemon=True
            )
            load.start()
            screen.read_for(_WARM_S)
            pressed, loaded = screen.press_for(FOR_S)
            load.join()
        finally:
            screen.end()
        return _figures(json.loads(report.read_text()), idle, loaded, pressed)


def _figures(
    told: dict[str, Any], idle: tuple[float, float], loaded: tuple[float, float], pressed: Sequence[float]
) -> _Figures:
    frames = sorted(ms for at, ms in told["frames"] if loaded[0] <= at < loaded[1])
    shown: list[float] = told["keys"]
    if len(shown) != len(pressed):
        raise RuntimeError(f"{len(pressed)} keys were pressed, and {len(shown)} were seen")
    took_ms = sorted((at - since) * 1e3 for since, at in zip(pressed, shown, strict=True))
    resident = [mb for at, _, mb in told["samples"] if loaded[0] <= at < loaded[1]]
    tenth = max(1, len(resident) // 10)
    middle = len(resident) // 2
    return _Figures(
        frame_ms=frames[int(len(frames) * 0.95)],
        key_ms=took_ms[int(len(took_ms) * 0.99)],
        keys=len(took_ms),
        share=_share(told["samples"], loaded),
        idle_share=_share(told["samples"], idle),
        resident_mb=median(resident[-tenth:]),
        gained_mb=median(resident[-tenth:]) - median(resident[middle : middle + tenth]),
    )


def _share(samples: Sequence[tuple[float, float, float]], window: tuple[float, float]) -> float:
    """Percent of a core."""
    inside = [(at, spent_s) for at, spent_s, _ in samples if window[0] <= at < window[1]]
    (first_at, first_s), (last_at, last_s) = inside[0], inside[-1]
    return (last_s - first_s) / (last_at - first_at) * 100.0


class _Terminal:
    """A program in a pty, which reads what it writes: else it would wait for us."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._ours, its = os.openpty()
        termios.tcsetwinsize(its, (50, 160))
        self._process = subprocess.Popen(
            command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
        )
        os.close(its)

    def wait_for_symbol(self) -> None:
        """Until the first instrument is on the screen."""
        seen, give_up_at = b"", time.monotonic() + _WITHIN_S
        while b"L0000USDT" not in seen:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"nothing to see: {seen[-500:]!r}")
            seen += self._read(0.1)

    def read_for(self, seconds: float) -> tuple[float, float]:
        """Take what it paints. Returns from when to when (monotonic)."""
        began = time.monotonic()
        while (left_s := began + seconds - time.monotonic()) > 0:
            self._read(left_s)
        return began, time.monotonic()

    def press_for(self, seconds: float) -> tuple[list[float], tuple[float, float]]:
        """Press a key now and then. Returns when each was, and from when to when."""
        pressed: list[float] = []
        random, began = Random(1), time.monotonic()
        while time.monotonic() < began + seconds:
            self.read_for(random.uniform(*_KEY_EVERY_S))
            key = _UP if len(pressed) // _A_WAY % 2 else _DOWN
            pressed.append(time.monotonic())
            os.write(self._ours, key)
        ended = time.monotonic()
        self.read_for(1.0)
        return pressed, (began, ended)

    def end(self) -> None:
        """SIGTERM, and read what it still says, lest it wait for us to read."""
        self._process.send_signal(signal.SIGTERM)
        give_up_at = time.monotonic() + 20.0
        while self._process.poll() is None:
            if time.monotonic() > give_up_at:
                self._process.kill()
            self._read(0.02)
        os.close(self._ours)

    def _read(self, within_s: float) -> bytes:
        if not select.select([self._ours], [], [], within_s)[0]:
            return b""
        try:
            return os.read(self._ours, 65_536)
        except OSError:  # what Linux says when the other side has gone
            self._process.wait()
            return b""
