"""However the console ends, the engine is closed and the terminal as it was."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading

import pytest

PROGRAM = """
import fcntl, sys, termios
if not sys.argv[2]:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from mds_tui.app import run_console
from mds_tui.settings import ConsoleSettings

class Link:
    mode = "embedded"
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
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self.master, 65536)
            except OSError:
                return
            if not part:
                return
            self.output += part
            if b"starting" in self.output:
                self.painted.set()

    def hang_up(self) -> None:
        os.close(self.slave)
        # Closing alone would wait for the reader.
        os.close(self.master)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_intact(tmp_path, number: signal.Signals) -> None:
    terminal = Terminal(tmp_path)
    assert terminal.painted.wait(30)
    terminal.process.send_signal(number)
    assert terminal.process.wait(20) == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    os.close(terminal.slave)
    assert (tmp_path / "closed").exists()
    assert b"\x1b[?1049l" in terminal.output


@pytest.mark.parametrize("owned", [True, False], ids=["told by SIGHUP", "not told"])
def test_a_dead_terminal_ends_it(tmp_path, owned: bool) -> None:
    terminal = Terminal(tmp_path, owned=owned)
    assert terminal.painted.wait(30)
    terminal.hang_up()
    assert terminal.process.wait(20) == 0
    assert (tmp_path / "closed").exists()
