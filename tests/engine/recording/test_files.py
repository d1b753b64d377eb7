"""Files: rotated, bounded, each readable by itself, and readable up to wherever they break off."""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.errors import InvalidPayload
from mds_engine.recording.files import FileBounds, FrameFiles
from mds_engine.recording.format import FrameColumns, FrameKind, Header, RecordedFrame, RecordedSource
from mds_engine.recording.reading import Recording

NOTE = RecordedFrame(0, "kite", 1, FrameKind.NOTE, b"408065 is NSE:INFY")


def header(kind: str = "kite") -> Header:
    return Header(
        session=uuid.uuid4().hex, engine="mds", started_ns=1, sources={"kite": RecordedSource(kind)}
    )


def files(folder: Path, bounds: FileBounds | None = None, **more) -> FrameFiles:
    return FrameFiles(folder, "test", header(), bounds or FileBounds(), **more)


def numbered(first: int, count: int, size: int = 100) -> FrameColumns:
    rows = [
        RecordedFrame(number, "kite", 1, FrameKind.BINARY, number.to_bytes(4, "big") + os.urandom(size - 4))
        for number in range(first, first + count)
    ]
    return FrameColumns.of(rows)


def read(path: Path) -> list[int]:
    return [int.from_bytes(row.payload[:4], "big") for row in Recording(path).frames() if row.kind != 2]


def test_the_disk_is_never_fuller_than_allowed_and_the_newest_frames_stay(tmp_path):
    bounds = FileBounds(file_bytes=20_000, total_bytes=100_000)
    writer = files(tmp_path, bounds, standing=lambda time_ns: [NOTE._replace(received_ns=time_ns)])
    for batch in range(100):
        writer.write(numbered(batch * 50, 50), time.time())
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000
    writer.close()
    numbers = read(tmp_path)
    assert numbers == list(range(numbers[0], 5000))
    assert len(numbers) * 100 > 60_000
    assert writer.bytes_written > 500_000


def test_each_file_begins_with_the_notes_that_hold(tmp_path):
    writer = files(tmp_path, FileBounds(file_bytes=5000), standing=lambda time_ns: [NOTE])
    for batch in range(4):
        writer.write(numbered(batch * 40, 40), time.time())
    writer.close()
    assert len(writer.paths) == 4
    for path in writer.paths:
        assert next(Recording(path).frames()).payload == NOTE.payload


def test_a_file_ends_when_it_is_old_and_goes_when_it_is_older(tmp_path):
    now = time.time()
    writer = files(tmp_path, FileBounds(file_s=60.0, keep_s=600.0))
    writer.write(numbered(0, 1), now)
    writer.housekeep(now + 59.0)
    writer.write(numbered(1, 1), now + 59.0)
    writer.housekeep(now + 61.0)
    writer.write(numbered(2, 1), now + 61.0)
    assert len(writer.paths) == 2
    writer.housekeep(now + 599.0)
    assert read(tmp_path) == [0, 1, 2]
    writer.housekeep(now + 640.0)
    assert list(tmp_path.iterdir()) == []
    writer.write(numbered(3, 1), now + 640.0)
    writer.close()
    assert read(tmp_path) == [3]


@pytest.mark.parametrize("earlier_too", [True, False])
def test_files_of_earlier_sessions_go_only_where_that_is_allowed(tmp_path, earlier_too):
    first = files(tmp_path)
    first.write(numbered(0, 100), time.time() - 10.0)
    first.close()
    bounds = FileBounds(file_bytes=20_000, total_bytes=25_000, earlier_too=earlier_too)
    second = files(tmp_path, bounds)
    second.write(numbered(100, 100), time.time())
    second.close()
    assert first.paths[0].exists() is not earlier_too


def test_a_session_of_this_morning_outlives_the_black_boxs_minutes(tmp_path):
    now = time.time()
    first = files(tmp_path)
    first.write(numbered(0, 1), now)
    first.close()
    second = files(tmp_path, FileBounds(keep_s=1800.0, earlier_too=True))
    second.write(numbered(1, 1), now)
    second.housekeep(now + 7200.0)
    assert first.paths[0].exists()
    second.housekeep(now + 86_500.0)
    assert not first.paths[0].exists()
    second.close()


@given(batches=st.lists(st.integers(1, 20), min_size=1, max_size=8), cut=st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_a_file_is_read_up_to_where_it_breaks_off(tmp_path_factory, batches, cut):
    folder = tmp_path_factory.mktemp("torn")
    writer = files(folder)
    first, ends = 0, {}
    for count in batches:
        writer.write(numbered(first, count), time.time())
        first += count
        ends[writer.bytes_written] = first
    writer.abandon()
    (path,) = writer.paths
    size = int(path.stat().st_size * cut)
    os.truncate(path, size)
    whole = max((count for end, count in ends.items() if end <= size), default=0)
    if not whole:
        with suppress(InvalidPayload):  # if not even its header is whole
            assert list(Recording(path).frames()) == []
        return
    recording = Recording(path)
    assert [row.received_ns for row in recording.frames()] == list(range(whole))
    assert len(recording.problems) <= 1
    if size in ends:
        assert recording.problems == ()
    for problem in recording.problems:
        assert f"the {whole:,} frames before it were read" in problem


def test_a_file_that_breaks_off_does_not_hide_the_other_files(tmp_path):
    writer = files(tmp_path, FileBounds(file_bytes=5000))
    for batch in range(3):
        writer.write(numbered(batch * 40, 40), time.time())
    writer.close()
    os.truncate(writer.paths[1], 3000)
    recording = Recording(tmp_path)
    numbers = [row.received_ns for row in recording.frames()]
    assert numbers == [*range(40), *range(80, 120)]
    assert len(recording.problems) == 1


def test_sessions_in_one_folder_are_merged_by_time(tmp_path):
    for first in (0, 1):
        writer = files(tmp_path)
        rows = [RecordedFrame(time_ns, "kite", 1, 1, b"frame") for time_ns in range(first, 20, 2)]
        writer.write(FrameColumns.of(rows), time.time())
        writer.close()
    rows = list(Recording(tmp_path).frames())
    assert [row.received_ns for row in rows] == list(range(20))
    assert {row.connection for row in rows[::2]} != {row.connection for row in rows[1::2]}


def test_a_source_cannot_be_of_two_vendors(tmp_path):
    for kind in ("kite", "yahoo"):
        writer = FrameFiles(tmp_path, "test", header(kind), FileBounds())
        writer.write(numbered(0, 1), time.time())
        writer.close()
    with pytest.raises(InvalidPayload, match=r"kite is a source of .* in one file and of .* in another"):
        Recording(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not a recording, or only its first bytes were written"),
        (b"symbol,price\nBTC,1\n", "it is not a recording"),
        (b"\xff\xff\xff\xff\x10\x01\x00\x00", "it is not a recording"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path, content, why):
    path = tmp_path / "file.arrows"
    path.write_bytes(content)
    with pytest.raises(InvalidPayload, match=why):
        Recording(path)
    with pytest.raises(InvalidPayload, match=r"file\.arrows"):
        Recording(tmp_path)


def test_somebody_elses_arrow_file_is_refused(tmp_path):
    path = tmp_path / "file.arrows"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, pa.schema([("a", pa.int8())])) as stream:
        stream.write_batch(pa.record_batch({"a": pa.array([1], pa.int8())}))
    with pytest.raises(InvalidPayload, match="but not a recording of mds-tui"):
        Recording(path)


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(InvalidPayload, match="no file of this folder is a recording"):
        Recording(tmp_path)


def test_any_arrow_library_reads_it(tmp_path):
    writer = files(tmp_path)
    writer.write(numbered(0, 3), time.time())
    writer.close()
    with pa.ipc.open_stream(pa.OSFile(str(writer.paths[0]))) as stream:
        table = stream.read_all()
    assert table.column_names == ["received_ns", "source", "connection", "kind", "payload"]
    assert table.column("source").to_pylist() == ["kite"] * 3
