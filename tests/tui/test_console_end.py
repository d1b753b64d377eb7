"""However the console ends, the engine is closed and the terminal as it was."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator

import pytest

PROGRAM = """
import fcntl, sys, termios
if not sys.argv[2]:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from mds_tui.app import run_console
from mds_tui.settings import ConsoleSettings

class Link:
    mode = "embedded"
    era = 0
    def start(self): open(sys.argv[1] + "/started", "w").close()
    def close(self, timeout_s=5.0): open(sys.argv[1] + "/closed", "w").close()
    def snapshot(self): return None
    def events(self, after): return ()
    def failure(self): return None

sys.exit(run_console(Link(), ConsoleSettings(zone=None)))
"""


class Terminal:
    """A console in a pseudo-terminal of its own."""

    def __init__(self, folder, *, owned: bool = True) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), "" if owned else "not owned"],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        self.output = bytearray()
        self.painted = threading.Event()
        self._leaving = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._leaving.is_set():
            readable, _, _ = select.select([self.master], [], [], 0.1)
            if not readable:
                continue
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                return
            if b"starting" in self.output:
                self.painted.set()

    def end(self) -> None:
        """Whatever a test found."""
        self._leaving.set()
        self.process.kill()
        self.process.wait()

    def hang_up(self) -> None:
        # While it is being read, a terminal that is closed is not hung up.
        self._leaving.set()
        self._reader.join()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminals(tmp_path) -> Iterator[Callable[..., Terminal]]:
    """Makes terminals, and leaves no process behind."""
    made: list[Terminal] = []

    def make(**more: bool) -> Terminal:
        made.append(Terminal(tmp_path, **more))
        return made[-1]

    yield make
    for terminal in made:
        terminal.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_intact(tmp_path, terminals, number) -> None:
    terminal = terminals()
    assert terminal.painted.wait(30)
    terminal.process.send_signal(number)
    assert terminal.process.wait(20) == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    os.close(terminal.slave)
    assert (tmp_path / "closed").exists()
    assert b"\x1b[?1049l" in terminal.output


@pytest.mark.parametrize("owned", [True, False], ids=["told", "untold"])
def test_a_dead_terminal_ends_it(tmp_path, terminals, owned: bool) -> None:
    terminal = terminals(owned=owned)
    assert terminal.painted.wait(30)
    terminal.hang_up()
    assert terminal.process.wait(20) == 0
    assert (tmp_path / "closed").exists()
