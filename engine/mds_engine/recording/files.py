"""The files of one recording: whole record batches, rotated, the oldest deleted first. Blocking I/O."""

import io
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.recording.format import SUFFIX, FrameColumns, Header, RecordedFrame, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

_DAY_S = 86_400.0
_PRUNE_EVERY_S = 30.0


class FileBounds(NamedTuple):
    """How long and large the files of a recording get."""

    file_bytes: int = 256 * 1024 * 1024
    """A new file begins before one gets larger."""
    file_s: float = 3600.0
    """A new file begins when one has been written to for so many seconds."""
    total_bytes: int | None = None
    """All files together; the oldest are deleted first. None: no bound."""
    keep_s: float | None = None
    """A file goes so many seconds after its last frame. None: it stays."""
    earlier_too: bool = False
    """Whether files of earlier sessions are deleted too: for room at once, for their age after a day."""


class FrameFiles:
    """Writes rows into a folder, one file after the other. For one thread; every method raises OSError.

    `standing` gives the notes that hold, as rows of a time in epoch ns: they are
    repeated at the head of each file, so that each can be read without those
    that were deleted.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        header: Header,
        bounds: FileBounds,
        *,
        standing: "Callable[[int], Sequence[RecordedFrame]]" = lambda _time_ns: (),
    ) -> None:
        self.bytes_written = 0
        """Of all files of this session, deleted ones included."""
        self.paths: list[Path] = []
        """The files of this session, oldest first, deleted ones included."""
        self._folder = folder
        self._stem = stem
        self._header = header
        self._bounds = bounds
        self._standing = standing
        self._coming: Header | None = None
        self._names = list(header.sources)
        self._file: _ArrowFile | None = None
        self._opened_at = 0.0
        self._prune_at = 0.0

    def use(self, header: Header) -> None:
        """Begin another file with the next rows, with this header. Safe from any thread."""
        self._coming = header

    def write(self, rows: FrameColumns, wall: float) -> None:
        """Add rows as one batch, which can be read from then on. `wall` is the time now, epoch seconds."""
        size = sum(map(len, rows.payload))
        coming, self._coming = self._coming, None
        if coming is not None:
            self._end_file()
            self._header = coming
        if self._file is not None and self._file.size + size > self._bounds.file_bytes:
            self._end_file()
        if self._file is None:
            self._begin_file(wall, size, int(rows.received_ns[0]))
        self._put(rows)

    def housekeep(self, wall: float) -> None:
        """End a file that is old enough, and delete what is too old. Call it about once a second."""
        if self._file is not None and wall - self._opened_at >= self._bounds.file_s:
            self._end_file()
        if wall >= self._prune_at:
            self._prune(wall, 0)

    def close(self) -> None:
        """End the last file in order."""
        self._end_file()

    def abandon(self) -> None:
        """Give up the last file as it stands, cut to its last whole batch. Raises nothing."""
        if self._file is not None:
            self._file.abandon()
            self._file = None

    def _put(self, rows: FrameColumns) -> None:
        assert self._file is not None
        before = self._file.size
        self._file.put(rows, self._names)
        self.bytes_written += self._file.size - before

    def _begin_file(self, wall: float, size: int, first_ns: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._prune(wall, max(self._bounds.file_bytes, size))
        time = datetime.fromtimestamp(wall, UTC).strftime("%Y%m%dT%H%M%S")
        for number in itertools.count(len(self.paths) + 1):
            path = self._folder / f"{self._stem}-{time}Z-{number:04d}{SUFFIX}"
            try:
                self._file = _ArrowFile(path, arrow_schema(self._header))
            except FileExistsError:
                continue
            break
        self.paths.append(path)
        self._opened_at = wall
        standing = self._standing(first_ns)
        if standing:
            self._put(FrameColumns.of(standing))

    def _end_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            before = file.size
            try:
                file.close()
            except OSError:
                file.abandon()
                raise
            self.bytes_written += file.size - before

    def _prune(self, wall: float, room: int) -> None:
        """Delete what is too old, and then the oldest until there is `room` bytes for what comes."""
        self._prune_at = wall + _PRUNE_EVERY_S
        bounds = self._bounds
        own = set(self.paths)
        found = sorted(self._folder.glob(f"{self._stem}-*{SUFFIX}")) if bounds.earlier_too else self.paths
        current = self._file.path if self._file is not None else None
        kept: list[tuple[Path, int]] = []
        for path in found:
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            keep_s = bounds.keep_s
            if keep_s is not None and path not in own:
                keep_s = max(keep_s, _DAY_S)
            if keep_s is not None and path != current and wall - stat.st_mtime > keep_s:
                path.unlink(missing_ok=True)
            else:
                kept.append((path, stat.st_size))
        if bounds.total_bytes is None:
            return
        total = sum(size for _, size in kept) + room
        for path, size in kept:
            if total <= bounds.total_bytes:
                break
            if path != current:
                path.unlink(missing_ok=True)
                total -= size


class _ArrowFile:
    """One file. Each batch reaches the kernel in one write, so that a killed process leaves whole batches."""

    def __init__(self, path: Path, schema: "pa.Schema") -> None:
        import pyarrow as pa

        self.path = path
        self.size = 0
        self._schema = schema
        self._dictionary: pa.StringArray | None = None
        self._raw = path.open("xb", buffering=0)
        self._buffer = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression="zstd", emit_dictionary_deltas=True)
        self._writer = pa.ipc.new_stream(self._buffer, schema, options=options)

    def put(self, rows: FrameColumns, names: list[str]) -> None:
        """Add one batch. `names` are all sources so far, in an order that only ever grows."""
        import pyarrow as pa

        places: dict[str, int | None] = {"": None}
        for source in dict.fromkeys(rows.source):
            if source and source not in names:
                names.append(source)
        places.update((name, place) for place, name in enumerate(names))
        if self._dictionary is None or len(self._dictionary) != len(names):
            self._dictionary = pa.array(names, pa.string())
        batch = pa.record_batch(
            [
                pa.array(rows.received_ns, pa.int64()),
                pa.DictionaryArray.from_arrays(
                    pa.array(map(places.__getitem__, rows.source), pa.int16()), self._dictionary
                ),
                pa.array(rows.connection, pa.int32()),
                pa.array(rows.kind, pa.int8()),
                pa.array(rows.payload, pa.binary()),
            ],
            schema=self._schema,
        )
        self._writer.write_batch(batch)
        self._flush()

    def close(self) -> None:
        """Write the end of the stream."""
        self._writer.close()
        self._flush()
        self._raw.close()

    def abandon(self) -> None:
        """Leave only whole batches, as far as the disk lets us."""
        try:
            self._raw.truncate(self.size)
            self._raw.close()
        except OSError:
            return  # readers stop at the torn end by themselves

    def _flush(self) -> None:
        octets = memoryview(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()
        left = octets
        while left:
            left = left[self._raw.write(left) :]
        self.size += len(octets)
