"""A simulator in a process of its own: killed, it leaves its starter alive; its starter gone, it ends too."""

import subprocess
import sys
import tempfile
import threading
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from mds_tui.cli.exits import SimulatorUnreachableError

if TYPE_CHECKING:
    from mds_engine.config.simulated import SimulatorAddress

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0


class SimulatorProcess:
    """`with SimulatorProcess(seed=1) as simulator: simulator.address`."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self.address: SimulatorAddress
        """Where its vendors listen; there once it is started."""

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it serves. Raises SimulatorUnreachableError."""
        from mds_engine.config.simulated import SimulatorAddress

        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        command = [sys.executable, "-m", "mds_tui.cli", "simulate", "--json", "--with-stdin"]
        self._process = subprocess.Popen(  # noqa: S603
            [*command, "--seed", str(self._seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            # Ctrl+C at the terminal is for the console; the simulator ends when the console does.
            start_new_session=True,
        )
        # A start that never ends must not hang the console: the kill ends the read below.
        overdue = threading.Timer(START_TIMEOUT_S, self._process.kill)
        overdue.start()
        try:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        except BaseException:
            self.close()
            raise
        finally:
            overdue.cancel()
        if not line:
            why = self._last_words()
            self.close()
            raise SimulatorUnreachableError(f"the simulator did not start: {why}")
        self.address = SimulatorAddress.read(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it. Safe to call twice, and if it has ended by itself."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._complaints is not None:
            self._complaints.close()

    def _last_words(self) -> str:
        assert self._process is not None
        assert self._complaints is not None
        code = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("mds-tui: ") if lines else f"it ended with exit code {code}"
