"""Textual's terminal driver, made to survive its terminal.

Textual writes through a thread and a queue of 30 places. A terminal that is gone
ends that thread with EIO, the queue fills, and the app waits for ever to say
goodbye. Here the first failed write turns the rest to nowhere, and the app ends.
"""

import os
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class LastingFile:
    """What the writing thread needs of a text file; its terminal may go away."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, or drop it."""
        try:
            return self._file.write(text)
        except OSError:
            self._let_go()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop it."""
        try:
            self._file.flush()
        except OSError:
            self._let_go()

    def fileno(self) -> int:
        """The terminal's, or what took its place."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """As the file says."""
        return self._file.isatty()

    def _let_go(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)


class LastingDriver(LinuxDriver):
    """A driver on a file that lasts."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file: Any = LastingFile(self._file)
