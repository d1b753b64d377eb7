"""Whose a state file is: the first process that runs an engine on it holds a lock beside it until it ends.

A second one may run all the same; it is told. The lock is the operating system's,
so that nothing is left of it after `kill -9`. Where there are no such locks
(Windows) nobody is told anything.
"""

import contextlib
import os
import threading
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on this operating system
    fcntl = None  # type: ignore[assignment]


class Occupancy:
    """One engine's part in it. Every method may be called from any thread."""

    def __init__(self, state: Path) -> None:
        """`state` is the state file; the lock is a file beside it."""
        self._path = state.with_name(f"{state.name}.lock")
        self._held: int | None = None
        """The descriptor of the lock's file."""
        self._left = False
        self._alone = threading.Lock()

    def take(self) -> int | None:
        """Hold it if nobody does. Returns the number of the process in which somebody else holds it, 0 if
        that cannot be read; None if it is held here now, or where nothing can be locked."""
        with self._alone:
            return self._take()

    def leave(self) -> None:
        """Let the next one hold it, for good: who is still about to take it comes too late. Safe to call
        twice."""
        with self._alone:
            self._left = True
            held, self._held = self._held, None
            if held is not None:
                os.close(held)

    def _take(self) -> int | None:
        if self._held is not None or self._left or fcntl is None:
            return None
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            return None  # the store says what is wrong with the place
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_number(file)
            os.close(file)
            return holder
        except OSError:
            os.close(file)
            return None  # a file system without locks
        self._held = file
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        return None


def _read_number(file: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(os.pread(file, 20, 0))
    return 0
