"""Recorded bodies and frames, served as the files have them.

The folder is laid out as `<vendor>/<file>`. Each vendor declares a table: which
request is answered by which file. Files ending in `.gz` are unpacked first.
Faults act on recorded answers as on invented ones, but for wrong and frozen
prices: what was recorded is not recalculated.
"""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

Body = Callable[[bytes], bytes]
Frame = str | bytes


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """One frame of a recorded stream."""

    at: float
    """Seconds since the recording's first frame; 0 where no time was recorded."""
    data: Frame


Frames = Callable[[bytes], Sequence[TimedFrame]]


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of a vendor's table.

    A request matches if its path matches `path` (shell pattern) and every
    parameter in `query` matches its pattern; parameters not named may be
    anything. Rows are tried in order.
    """

    path: str
    file: str
    """Relative to the vendor's folder."""
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    """Takes the body out of the file where the file holds more than it; None means the file is the body."""
    frames: Frames | None = None
    """For streams: takes the file apart into frames."""

    def matches(self, path: str, query: Mapping[str, str]) -> bool:
        """True if this row answers the request."""
        return fnmatchcase(path, self.path) and all(
            name in query and fnmatchcase(query[name], pattern) for name, pattern in self.query.items()
        )

    def read_body(self, folder: Path) -> bytes:
        """The body as the vendor sent it."""
        content = _read(folder / self.file)
        return content if self.body is None else self.body(content)

    def read_frames(self, folder: Path) -> Sequence[TimedFrame]:
        """The frames as the vendor sent them."""
        content = _read(folder / self.file)
        return [TimedFrame(0.0, content)] if self.frames is None else self.frames(content)


@dataclass(frozen=True, slots=True)
class Recordings:
    """A vendor's table of recordings."""

    rows: Sequence[Recording]

    def find(self, folder: Path, path: str, query: Mapping[str, str]) -> Recording | None:
        """The first row that answers the request and whose file is there."""
        for row in self.rows:
            if row.matches(path, query) and (folder / row.file).is_file():
                return row
        return None


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content
