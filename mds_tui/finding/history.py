"""The commands that were typed, kept from one day to the next: a short file that only its owner reads."""

import os
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

MOST_LINES = 500
LONGEST_LINE = 500
"""Characters; what is longer was pasted by mistake."""


def read_history(file: Path) -> list[str]:
    """The lines, oldest first; none where it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if _worth(line)][-MOST_LINES:]


def add_to_history(file: Path, line: str) -> None:
    """One more line, after those that another console may have added meanwhile.

    Whole or not at all, readable by its owner only. Raises OSError where it cannot be written.
    """
    lines = with_line(read_history(file), line)
    file.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it 0600 whatever the umask.
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".new")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.writelines(f"{one}\n" for one in lines)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def with_line(lines: Sequence[str], line: str) -> list[str]:
    """Lines and one more, which stands only once: at its last use."""
    if not _worth(line):
        return list(lines)
    return [*(one for one in lines if one != line), line][-MOST_LINES:]


def earlier(lines: Sequence[str], begun: str, place: int, by: int) -> int:
    """The place of the line before (-1) or after (1) `place` that begins with `begun`.

    After the last one comes `len(lines)`: what was being typed. Without an earlier one it stays.
    """
    candidate = place + by
    while 0 <= candidate < len(lines):
        if lines[candidate].startswith(begun) and lines[candidate] != begun:
            return candidate
        candidate += by
    return place if by < 0 else len(lines)


class History:
    """The lines of this console, and the file that they are kept in."""

    def __init__(self, file: Path | None) -> None:
        """`file` None keeps nothing beyond this console. It is read when the lines are first wanted."""
        self._file = file
        self._lines: list[str] | None = None
        self._writing = threading.Lock()

    @property
    def lines(self) -> Sequence[str]:
        """Oldest first."""
        if self._lines is None:
            self._lines = read_history(self._file) if self._file is not None else []
        return self._lines

    def add(self, line: str) -> None:
        """Remember a line here; `keep` writes it down."""
        self._lines = with_line(self.lines, line)

    def keep(self, line: str) -> None:
        """Write a line down, in any thread: a folder may be on a slow network.

        Where it cannot be written, it is forgotten with the console: nobody is stopped for it.
        """
        if self._file is not None:
            with self._writing, suppress(OSError):
                add_to_history(self._file, line)


def _worth(line: str) -> bool:
    return bool(line.strip()) and len(line) <= LONGEST_LINE and line.isprintable()
