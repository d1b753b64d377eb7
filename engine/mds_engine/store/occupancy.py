"""Whose a state file is: the first process that runs an engine on it holds a lock beside it until it ends.

A second one may run all the same; it is told. The lock is the operating system's,
so that nothing is left of it after `kill -9`. Where there are no such locks
(Windows) nobody is told anything.
"""

import contextlib
import os
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # not on this operating system
    fcntl = None  # type: ignore[assignment]


class Occupancy:
    """One engine's part in it. Not for two threads at once."""

    def __init__(self, state: Path) -> None:
        """`state` is the state file; the lock is a file beside it."""
        self._path = state.with_name(f"{state.name}.lock")
        self._held: IO[str] | None = None

    def take(self) -> int | None:
        """Hold it if nobody does. Returns the number of the process in which somebody else holds it, 0 if
        that cannot be read; None if it is held here now, or where nothing can be locked."""
        if self._held is not None or fcntl is None:
            return None
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(self._path.open("a+", encoding="ascii"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return self._holder(file)
            except OSError:
                return None  # a file system without locks, or one that refuses: the store says what is wrong
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._held = file
            stack.pop_all()
        return None

    def leave(self) -> None:
        """Let the next one hold it. Safe to call twice."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    @staticmethod
    def _holder(file: IO[str]) -> int:
        file.seek(0)
        with contextlib.suppress(ValueError):
            return int(file.read(20))
        return 0
