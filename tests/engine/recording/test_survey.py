"""What a look through a whole recording finds, and how far a recording reaches."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from mds_engine.control.events import Level
from mds_engine.errors import InvalidPayload
from mds_engine.recording.decoders import look_into
from mds_engine.recording.files import FileBounds, FrameFiles
from mds_engine.recording.format import FrameColumns, FrameKind, Header, RecordedFrame, RecordedSource
from mds_engine.recording.reading import LONGEST_SILENCE_S, Recording
from mds_engine.recording.survey import Survey, Surveyor
from mds_engine.sources.plugins import find_plugins

START = 1_750_000_000.0


@pytest.fixture(scope="module")
def plugins():
    return find_plugins()


def recorded(folder: Path, *sessions: list[RecordedFrame], file_bytes: int = 10_000_000) -> Recording:
    for number, rows in enumerate(sessions):
        header = Header(
            session=f"s{number}",
            engine="mds",
            started_ns=number,
            sources={name: RecordedSource("binance") for name in ("first", "second")},
        )
        files = FrameFiles(folder, f"test{number}", header, FileBounds(file_bytes=file_bytes))
        for row in rows:
            files.write(FrameColumns.of([row]), 1.0)
        files.close()
    return Recording(folder)


def trade(at_s: float, number: int, source: str = "first", connection: int = 1) -> RecordedFrame:
    event = {
        "e": "trade",
        "s": "BTCUSDT",
        "t": number,
        "p": "1.5",
        "q": "1",
        "T": int(at_s * 1000),
        "m": True,
    }
    payload = json.dumps({"stream": "btcusdt@trade", "data": event}).encode()
    return RecordedFrame(int(at_s * 1e9), source, connection, FrameKind.TEXT, payload)


def surveyed(recording: Recording, plugins) -> list[Survey]:
    told: list[Survey] = []
    Surveyor(
        recording, plugins, look_into(recording, plugins).extent, told.append, rest=lambda _s: None
    ).run()
    return told


def found(recording: Recording, plugins) -> list[tuple[float, Level, str, str]]:
    last = surveyed(recording, plugins)[-1]
    assert (last.share, last.left_out) == (1.0, 0)
    return [(round(mark.at - START, 3), mark.level, mark.subject, mark.text) for mark in last.marks]


def test_what_went_wrong_is_marked_where_it_went_wrong(plugins, tmp_path) -> None:
    broken = RecordedFrame(int((START + 40.0) * 1e9), "first", 1, FrameKind.TEXT, b'{"stream":"btcusdt@tr')
    rows = [
        trade(START, 1),
        trade(START + 1.0, 1, "second", 2),
        trade(START + 10.0, 2),
        trade(START + 20.0, 7),
        trade(START + 20.1, 9),
        trade(START + 30.0, 8),
        broken,
        broken._replace(received_ns=broken.received_ns + 1),
        RecordedFrame(int((START + 45.0) * 1e9), "", 0, FrameKind.LOST, b"5"),
        trade(START + 50.0, 10, connection=3),
        trade(START + 50.0 + 7200.0, 11, connection=3),
    ]
    marks = found(recorded(tmp_path, rows), plugins)
    assert marks == [
        (0.0, Level.INFO, "first", "first frames"),
        (1.0, Level.INFO, "second", "first frames"),
        (20.0, Level.WARNING, "first", "5 trades not sent in order, or never"),
        (40.0, Level.WARNING, "first", marks[3][3]),
        (45.0, Level.WARNING, "recording", "5 frames not recorded: the disk was too slow"),
        (50.0, Level.INFO, "recording", "nothing came for 2 h 0 min; passed over"),
        (50.0, Level.WARNING, "first", "connected anew"),
    ]
    assert marks[3][3].startswith("2 frames not to be decoded: ")


def test_a_file_that_breaks_off_is_a_mark_at_its_end(plugins, tmp_path) -> None:
    recording = recorded(tmp_path, [trade(START + number, number) for number in range(20)])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-700])
    (mark,) = [mark for mark in found(recording, plugins) if mark[1] is Level.CRITICAL]
    assert mark[2] == "recording"
    assert "breaks off in the middle of a batch" in mark[3]


def test_nobody_waits_for_a_survey_that_is_not_wanted_any_more(plugins, tmp_path) -> None:
    recording = recorded(tmp_path, [trade(START + number, number) for number in range(50)])
    told: list[Survey] = []
    wanted = iter([True, False])

    def is_wanted() -> bool:
        return next(wanted)

    clock = iter(range(10_000))
    extent = look_into(recording, plugins).extent
    surveyor = Surveyor(
        recording,
        plugins,
        extent,
        told.append,
        wanted=is_wanted,
        rest=lambda _s: None,
        now=lambda: next(clock),
    )
    surveyor.run()
    assert [survey.share < 1.0 for survey in told] == [True]


def test_marks_are_bounded(plugins, tmp_path) -> None:
    rows = [trade(START + number * 0.5, number * 2) for number in range(3000)]
    recording = recorded(tmp_path, rows[:1], rows[1:])
    last = surveyed(recording, plugins)[-1]
    assert 100 < len(last.marks) <= 1000


@given(
    some.lists(
        some.lists(some.integers(0, 10_000_000).map(lambda ms: ms / 1000), min_size=1, max_size=12).map(
            sorted
        ),
        min_size=1,
        max_size=3,
    )
)
def test_an_extent_is_where_rows_are(tmp_path_factory, sessions) -> None:
    """However they are spread over sessions and files; a silence between stretches is a long one."""
    folder = tmp_path_factory.mktemp("extent")
    rows = [[trade(START + at, 1) for at in times] for times in sessions]
    extent = recorded(folder, *rows, file_bytes=1500).extent()
    times = sorted(row.received_ns for session in rows for row in session)
    assert (extent.first_ns, extent.last_ns, extent.rows) == (times[0], times[-1], len(times))
    assert extent.sources == {"first"}
    for at in times:
        assert any(start - 1e-6 <= at / 1e9 <= end + 1e-6 for start, end in extent.stretches)
    for (_, end), (start, _) in zip(extent.stretches, extent.stretches[1:], strict=False):
        assert start - end > LONGEST_SILENCE_S
    breaks = sum(later - at > LONGEST_SILENCE_S * 1e9 for at, later in itertools.pairwise(times))
    assert len(extent.stretches) == breaks + 1


def test_nothing_has_no_extent(tmp_path) -> None:
    (tmp_path / "a").mkdir()
    recording = recorded(tmp_path, [trade(START, 1)])
    (file,) = tmp_path.glob("*.arrows")
    octets = file.read_bytes()
    file.write_bytes(octets[: octets.index(b"received_ns") + 900])
    with pytest.raises(InvalidPayload, match="it holds no frame"):
        recording.extent()
