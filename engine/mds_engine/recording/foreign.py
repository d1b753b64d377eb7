"""Logs of other recorders, turned into recordings. Blocking I/O.

cryptofeed   "<epoch seconds>: <frame>"; addresses and REST answers
             ("<url> -> <epoch seconds>: <body>") stand between them, and are left out
hftbacktest  "<epoch nanoseconds> <frame>"

Plain or gzip, a frame a line.
"""

import gzip
import itertools
import re
import uuid
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from mds_engine.errors import InvalidPayload, InvalidRequest
from mds_engine.recording.files import FileBounds, FrameFiles
from mds_engine.recording.format import SUFFIX, FrameColumns, FrameKind, Header, RecordedFrame, RecordedSource

_GZIP = b"\x1f\x8b"
_RECEIVED = re.compile(rb"(?:(\d{10})(?:\.(\d{1,9}))?: |(\d{19}) )(?=\S)")
_LOG_ENDINGS = (".gz", ".log", ".hftbacktest", ".cryptofeed")
_BATCH_FRAMES = 2048


class Converted(NamedTuple):
    """What became of one log."""

    paths: tuple[Path, ...]
    frames: int
    skipped: int
    """Lines that are no frames."""
    bytes_read: int
    """Of the frames, unpacked."""
    bytes_written: int


def convert(log: Path, folder: Path, *, source: str, kind: str) -> Converted:
    """Write the frames of a log as a recording of `source`, whose vendor is `kind`, into `folder`.

    Raises InvalidPayload if nothing in it is a frame, InvalidRequest if it was
    converted before, OSError as files do.
    """
    stem = _stem(log)
    if any(folder.glob(f"{stem}-*{SUFFIX}")):
        raise InvalidRequest(f"{log}: {folder} has its recording already ({stem}-*{SUFFIX})")
    skipped = 0

    def frames() -> Iterator[RecordedFrame]:
        nonlocal skipped
        for row in _rows(log, source):
            if row is None:
                skipped += 1
            else:
                yield row

    rows = frames()
    first = next(rows, None)
    if first is None:
        raise InvalidPayload(f"{log}: no line of it is a frame as cryptofeed or hftbacktest log them")
    files = FrameFiles(folder, stem, _header(log, first, source, kind), FileBounds())
    count = bytes_read = 0
    try:
        for batch in _batches(itertools.chain([first], rows)):
            files.write(batch, first.received_ns / 1e9)
            count += len(batch.payload)
            bytes_read += sum(map(len, batch.payload))
        files.close()
    except BaseException:
        files.abandon()
        for path in files.paths:
            path.unlink(missing_ok=True)
        raise
    return Converted(tuple(files.paths), count, skipped, bytes_read, files.bytes_written)


def _batches(rows: Iterator[RecordedFrame]) -> Iterator[FrameColumns]:
    while batch := list(itertools.islice(rows, _BATCH_FRAMES)):
        yield FrameColumns.of(batch)


def frame_of_line(line: bytes) -> tuple[int, bytes] | None:
    """When a line's frame was received, in epoch ns, and the frame; None for a line that is none."""
    found = _RECEIVED.match(line)
    if found is None:
        return None
    seconds, fraction, nanoseconds = found.groups()
    received_ns = int(nanoseconds or 0) or int(seconds) * 10**9 + int((fraction or b"").ljust(9, b"0"))
    return received_ns, line[found.end() :].rstrip(b"\r\n")


def _rows(log: Path, source: str) -> Iterator[RecordedFrame | None]:
    with log.open("rb") as octets:
        packed = octets.read(2) == _GZIP
        octets.seek(0)
        with gzip.open(octets) if packed else nullcontext(octets) as lines:
            try:
                for line in lines:
                    found = frame_of_line(line)
                    yield found and RecordedFrame(found[0], source, 1, FrameKind.TEXT, found[1])
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise InvalidPayload(f"{log}: the gzip file is damaged: {error}") from error


def _header(log: Path, first: RecordedFrame, source: str, kind: str) -> Header:
    return Header(
        session=uuid.uuid4().hex[:12],
        engine=log.name,
        started_ns=first.received_ns,
        sources={source: RecordedSource(kind)},
    )


def _stem(log: Path) -> str:
    name = log.name
    while name.endswith(_LOG_ENDINGS):
        name = name.rpartition(".")[0]
    return name
