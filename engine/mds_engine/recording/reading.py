"""Recordings read back, as far as their writer got. Blocking I/O."""

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.errors import InvalidPayload
from mds_engine.recording.format import SUFFIX, FrameKind, Header, RecordedFrame, RecordedSource, header_of

if TYPE_CHECKING:
    import pyarrow as pa


class _File(NamedTuple):
    path: Path
    header: Header


class Recording:
    """One file, or all files of a folder. Sessions of several recorders are merged by time.

    Raises InvalidPayload if there is nothing to read, OSError as files do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: tuple[str, ...] = ()
        """What could not be read, a sentence a file; complete when `frames` has ended."""
        self.lost = 0
        """Frames that the recorder could not keep up with; complete when `frames` has ended."""
        self._files, self._unopened = _opened(path)
        self.engine = self._files[0].header.engine
        """What the recorded engine was called."""
        self.sources = _merged(path, self._files)
        """By name, in the order in which the engine preferred them."""

    def frames(self) -> Iterator[RecordedFrame]:
        """All rows but LOST ones. Every connection has a number of its own, whatever its session."""
        self.problems, self.lost = self._unopened, 0
        sessions: dict[str, list[_File]] = {}
        for file in self._files:
            sessions.setdefault(file.header.session, []).append(file)
        numbers: dict[tuple[str, int], int] = {}
        ways = [self._session(session, files, numbers) for session, files in sessions.items()]
        return ways[0] if len(ways) == 1 else heapq.merge(*ways, key=_received)

    def _session(
        self, session: str, files: list[_File], numbers: dict[tuple[str, int], int]
    ) -> Iterator[RecordedFrame]:
        for file in files:
            for batch in self._batches(file.path):
                for row in map(RecordedFrame._make, zip(*map(_values, batch.columns), strict=True)):
                    if row.kind == FrameKind.LOST:
                        self.lost += int(row.payload)
                        continue
                    number = numbers.setdefault((session, row.connection), len(numbers) + 1)
                    yield row if number == row.connection else row._replace(connection=number)

    def _batches(self, path: Path) -> "Iterator[pa.RecordBatch]":
        """The whole batches of a file; what follows them is told in `problems`."""
        import pyarrow as pa

        count = 0
        try:
            with pa.OSFile(str(path)) as octets, pa.ipc.open_stream(octets) as stream:
                for batch in stream:
                    batch.validate(full=True)
                    count += batch.num_rows
                    yield batch
        except FileNotFoundError:
            self.problems += (f"{path}: was deleted before it was read, as the oldest files are",)
        except (pa.ArrowException, OSError, MemoryError):
            told = f"{path}: breaks off in the middle of a batch, as when its writer is killed"
            self.problems += (f"{told}; the {count:,} frames before it were read",)


def _opened(path: Path) -> tuple[list[_File], tuple[str, ...]]:
    """The files, in the order of their sessions and then of their writing, and why others are left out."""
    files: list[_File] = []
    problems: list[str] = []
    for one in sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]:
        try:
            files.append(_File(one, _header(one)))
        except InvalidPayload as error:
            problems.append(f"{one}: {error.message}")
    if not files:
        raise InvalidPayload(problems[0] if problems else f"{path}: no file of this folder is a recording")
    files.sort(key=lambda file: (file.header.started_ns, file.header.session, file.path.name))
    return files, tuple(problems)


def _header(path: Path) -> Header:
    import pyarrow as pa

    with path.open("rb") as octets:
        try:
            schema = pa.ipc.open_stream(octets).schema
        except (pa.ArrowException, OSError, MemoryError) as error:
            raise InvalidPayload("it is not a recording, or only its first bytes were written") from error
    return header_of(schema)


def _merged(path: Path, files: list[_File]) -> dict[str, RecordedSource]:
    sources: dict[str, RecordedSource] = {}
    for file in files:
        for name, source in file.header.sources.items():
            known = sources.setdefault(name, source)
            if known.kind != source.kind:
                raise InvalidPayload(
                    f"{path}: {name} is a source of {known.kind} in one file and of {source.kind} in "
                    "another; give one file instead of the folder"
                )
    return sources


def _values(column: "pa.Array") -> list[object]:
    values: list[object] = column.to_pylist()
    return values


def _received(row: RecordedFrame) -> int:
    return row.received_ns
