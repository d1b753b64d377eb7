"""Recordings read back, as far as their writer got. Blocking I/O."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.errors import InvalidPayload
from mds_engine.recording.format import SUFFIX, FrameKind, Header, RecordedFrame, RecordedSource, header_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


LONGEST_SILENCE_S = 60.0
"""Longer ones divide a recording into stretches: between the sessions of a folder there may be days."""

Span = tuple[float, float]
"""From one time to another, epoch seconds UTC."""


class Extent(NamedTuple):
    """How far a recording reaches."""

    first_ns: int
    last_ns: int
    """When the first and the last row were received, UTC nanoseconds."""
    rows: int
    sources: frozenset[str]
    """Those that a row is of."""
    stretches: tuple[Span, ...]
    """Where rows are, without the silences between."""


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

    def extent(self) -> Extent:
        """How far it reaches, by a look at the times alone: some million rows a second.

        Raises InvalidPayload if there is no row in it.
        """
        import numpy as np

        spans: list[Span] = []
        sources: set[str] = set()
        rows, bounds_ns = 0, []
        for file in self._files:
            for batch in self._batches(file.path, [], columns=[0, 1]):
                if not batch.num_rows:
                    continue
                # By the buffers: what pyarrow converts by itself brings pandas in.
                times_ns = np.sort(_numbers(batch.column(0), np.int64))
                rows += len(times_ns)
                bounds_ns += [int(times_ns[0]), int(times_ns[-1])]
                times = times_ns / 1e9
                breaks = np.flatnonzero(np.diff(times) > LONGEST_SILENCE_S)
                starts, ends = [times[0], *times[breaks + 1]], [*times[breaks], times[-1]]
                spans = list(_joined([*spans, *zip(map(float, starts), map(float, ends), strict=True)]))
                of = batch.column(1)
                places = set(_numbers(of.indices, np.int16)[_are_there(of)].tolist())
                names = of.dictionary.to_pylist()
                sources.update(names[place] for place in places)
        if not rows:
            raise InvalidPayload(f"{self.path}: it holds no frame")
        return Extent(min(bounds_ns), max(bounds_ns), rows, frozenset(sources), tuple(spans))

    def heads(self, most_rows: int) -> Iterator[Iterator[RecordedFrame]]:
        """The first rows of each file, LOST ones left out; connections are numbered as in their files."""
        for file in self._files:
            rows = (row for row in self._of_file(file.path, []) if row.kind != FrameKind.LOST)
            yield itertools.islice(rows, most_rows)

    def frames(self) -> Iterator[RecordedFrame]:
        """All rows but LOST ones. Every connection has a number of its own, whatever its session."""
        self.lost = 0
        for row in self.rows():
            if row.kind == FrameKind.LOST:
                self.lost += int(row.payload)
            else:
                yield row

    def rows(self) -> Iterator[RecordedFrame]:
        """All rows, those of LOST too, by time."""
        self.problems = self._unopened
        found: list[str] = []
        sessions: dict[str, list[_File]] = {}
        for file in self._files:
            sessions.setdefault(file.header.session, []).append(file)
        numbers: dict[tuple[str, int], int] = {}
        ways = [self._session(session, files, numbers, found) for session, files in sessions.items()]
        yield from ways[0] if len(ways) == 1 else heapq.merge(*ways, key=_received)

    def _session(
        self, session: str, files: list[_File], numbers: dict[tuple[str, int], int], problems: list[str]
    ) -> Iterator[RecordedFrame]:
        for file in files:
            for row in self._of_file(file.path, problems):
                if row.kind == FrameKind.LOST:
                    yield row
                    continue
                number = numbers.setdefault((session, row.connection), len(numbers) + 1)
                yield row if number == row.connection else row._replace(connection=number)
            self.problems = (*self._unopened, *problems)

    def _of_file(self, path: Path, problems: list[str]) -> Iterator[RecordedFrame]:
        for batch in self._batches(path, problems):
            yield from map(RecordedFrame._make, zip(*map(_values, batch.columns), strict=True))

    def _batches(
        self, path: Path, problems: list[str], *, columns: Sequence[int] | None = None
    ) -> "Iterator[pa.RecordBatch]":
        """The whole batches of a file; what follows them is told in `problems`.

        Of other columns than those that are wanted nothing is read.
        """
        import pyarrow as pa

        opened = pa.OSFile if columns is None else pa.memory_map
        options = pa.ipc.IpcReadOptions(included_fields=None if columns is None else list(columns))
        count = 0
        try:
            with opened(str(path)) as octets, pa.ipc.open_stream(octets, options=options) as stream:
                for batch in stream:
                    batch.validate(full=True)
                    count += batch.num_rows
                    yield batch
        except FileNotFoundError:
            problems.append(f"{path}: was deleted before it was read, as the oldest files are")
        except (pa.ArrowException, OSError, MemoryError):
            told = f"{path}: breaks off in the middle of a batch, as when its writer is killed"
            problems.append(f"{told}; the {count:,} frames before it were read")


def _numbers(column: "pa.Array", kind: "type[np.generic]") -> "np.ndarray":
    """A column's numbers as they lie in memory, whatever stands where there is none."""
    import numpy as np

    return np.frombuffer(column.buffers()[1], kind)[column.offset : column.offset + len(column)]


def _are_there(column: "pa.Array") -> "np.ndarray":
    """For each place whether there is a value."""
    import numpy as np

    bits = column.buffers()[0]
    if bits is None:
        return np.ones(len(column), bool)
    there = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    return there[column.offset : column.offset + len(column)].astype(bool)


def _joined(spans: list[Span]) -> Iterator[Span]:
    """The same times, with no silence between two spans shorter than the longest."""
    first, last = None, 0.0
    for start, end in sorted(spans):
        if first is None:
            first, last = start, end
        elif start - last > LONGEST_SILENCE_S:
            yield first, last
            first, last = start, end
        else:
            last = max(last, end)
    if first is not None:
        yield first, last


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
