"""Frames go in at taps and come back from files: all of them, in order, or counted."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.config.recording_settings import RecordingSettings
from mds_engine.config.schema import Config, EngineSettings
from mds_engine.config.secret import Secret
from mds_engine.engine import Engine
from mds_engine.recording.files import FileBounds
from mds_engine.recording.format import FrameKind, RecordedSource
from mds_engine.recording.reading import Recording
from mds_engine.recording.recorder import Recorder, black_box

SOURCES = {"kite": RecordedSource("kite", 10**9), "binance": RecordedSource("binance")}
PATIENCE_S = 60.0


def started(folder: Path, **more) -> Recorder:
    recorder = Recorder(folder, FileBounds(), **more)
    recorder.start("mds", SOURCES)
    return recorder


@given(
    shown=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["frame", "note"]),
            st.one_of(st.binary(max_size=50), st.text(max_size=50)),
        ),
        max_size=60,
    ),
    times=st.lists(st.floats(1e9, 4e9), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_frames_comes_back(tmp_path_factory, shown, times):
    folder = tmp_path_factory.mktemp("recording")
    ticking = iter(times * 100)
    read = []

    def wall() -> float:
        read.append(next(ticking))
        return read[-1]

    recorder = started(folder, wall=wall)
    read.clear()
    taps = [recorder.tap(source) for source in ("kite", "binance", "kite", "added later")]
    expected, noted = [], set()
    for which, what, payload in shown:
        octets = payload.encode() if isinstance(payload, str) else payload
        if what == "note":
            if (which, octets) in noted:
                continue
            noted.add((which, octets))
            taps[which].note(octets)
            kind = FrameKind.NOTE
        else:
            taps[which](payload)
            kind = FrameKind.TEXT if isinstance(payload, str) else FrameKind.BINARY
        expected.append((int(read[-1] * 1e9), taps[which].source, which, kind, octets))
    recorder.close()
    assert recorder.failure is None
    if not expected:
        assert list(folder.iterdir()) == []
        return
    recording = Recording(folder)
    found = list(recording.frames())
    order = {number: place for place, number in enumerate(dict.fromkeys(row.connection for row in found))}
    wanted = {which: place for place, which in enumerate(dict.fromkeys(row[2] for row in expected))}
    assert [row._replace(connection=order[row.connection]) for row in found] == [
        (time_ns, source, wanted[which], kind, octets) for time_ns, source, which, kind, octets in expected
    ]
    assert (recording.engine, recording.problems, recording.lost) == ("mds", (), 0)
    assert recording.sources == SOURCES
    assert recorder.frames_written == sum(row[3] != FrameKind.NOTE for row in expected)


KILLED = """
import sys, time
from pathlib import Path
from mds_engine.recording.files import FileBounds
from mds_engine.recording.format import RecordedSource
from mds_engine.recording.recorder import Recorder

recorder = Recorder(Path(sys.argv[1]), FileBounds(file_bytes=20_000))
recorder.start("mds", {"binance": RecordedSource("binance")})
tap = recorder.tap("binance")
tap.note(b"what all frames need")
number = told = 0
while True:
    tap(str(number) + " " + str(hash(str(number))))
    number += 1
    if number % 500 == 0:
        time.sleep(0.001)
    if recorder.frames_written >= 3000 and not told:
        told = True
        print(recorder.frames_written, flush=True)
"""


def test_a_killed_process_leaves_all_but_its_last_batch(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        written = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(PATIENCE_S)
    recording = Recording(tmp_path)
    rows = list(recording.frames())
    frames = [row for row in rows if row.kind == FrameKind.TEXT]
    assert len(frames) >= written
    assert [int(row.payload.split()[0]) for row in frames] == list(range(len(frames)))
    assert len(list(tmp_path.glob("*.arrows"))) > 1
    assert len(recording.problems) <= 1


@contextmanager
def files_of_at_most(size: int):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_stops_the_recording_with_a_sentence_and_nothing_else(tmp_path):
    recorder = Recorder(tmp_path, FileBounds())
    tap = recorder.tap("binance")
    count = 4000
    for number in range(count):
        tap(f"{number} {os.urandom(20).hex()}")
    with files_of_at_most(100_000):
        recorder.start("mds", SOURCES)
        recorder.close()
    assert recorder.failure == f"the recording was stopped: {tmp_path}: File too large"
    tap(b"nobody minds")
    tap.note(b"nor this")
    assert recorder.frames_dropped == 1
    recording = Recording(tmp_path)
    numbers = [int(row.payload.split()[0]) for row in recording.frames()]
    assert 0 < len(numbers) < count
    assert numbers == list(range(len(numbers)))
    assert recording.problems == ()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "taken").write_text("a file")
    recorder = started(tmp_path / "taken" / "folder")
    recorder.tap("binance")(b"frame")
    recorder.close()
    assert "the recording was stopped: " in recorder.failure
    assert "Not a directory" in recorder.failure


async def test_an_engine_says_so_where_it_cannot_be_recorded_and_runs_on(tmp_path):
    (tmp_path / "taken").write_text("a file")
    recorder = Recorder(tmp_path / "taken" / "folder", FileBounds())
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    recorder.on_failure = lambda: loop.call_soon_threadsafe(stopped.set)
    config = Config(engine=EngineSettings(state_path=":memory:"))
    async with asyncio.timeout(PATIENCE_S), Engine(config, {}, recorder=recorder) as engine:
        assert engine.snapshot().engine.trouble == ""
        recorder.tap("binance")(b"frame")
        await stopped.wait()
        trouble = engine.snapshot().engine.trouble
    assert trouble == recorder.failure
    assert trouble.startswith("the recording was stopped: ")


def test_what_a_slow_disk_cannot_take_is_dropped_counted_and_noted(tmp_path):
    recorder = Recorder(tmp_path, FileBounds(), most_waiting_bytes=10_000)
    tap = recorder.tap("binance")
    for number in range(100):
        tap(b"%04d" % number + b"." * 496)
    kept = 100 - recorder.frames_dropped
    assert 0 < kept <= 20
    recorder.start("mds", SOURCES)
    recorder.close()
    recording = Recording(tmp_path)
    assert [int(row.payload[:4]) for row in recording.frames()] == list(range(kept))
    assert recording.lost == 100 - kept


def test_no_configured_secret_gets_into_a_file(tmp_path):
    recorder = Recorder(tmp_path, FileBounds())
    secret = "se/cret+0123456789"
    recorder.start("mds", SOURCES, [Secret(secret), Secret("")])
    tap = recorder.tap("kite")
    tap(f'{{"type":"error","data":"bad token {secret}"}}')
    tap(b"\x00\x01" + secret.encode() + b"\x02")
    tap("encoded se%2Fcret%2B0123456789 too")
    tap.note(json.dumps({"token": secret}).encode())
    recorder.close()
    rows = list(Recording(tmp_path).frames())
    assert [row.payload[:8] for row in rows] == [b'{"type":', b"\x00\x01******", b"encoded ", b'{"token"']
    assert not any(part in row.payload for row in rows for part in (b"cret", b"0123456789"))


def test_the_black_box_follows_its_settings(tmp_path):
    assert black_box(RecordingSettings(black_box_minutes=0), "mds") is None
    recorder = black_box(RecordingSettings(path=str(tmp_path)), "mds")
    recorder.start("mds", SOURCES)
    recorder.tap("binance")(b"frame")
    recorder.close()
    assert [path.name.startswith("black-box-") for path in recorder.paths] == [True]
    assert recorder.paths[0].parent == tmp_path


def test_the_black_boxes_of_two_engines_keep_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folders = {black_box(RecordingSettings(), name).folder for name in ("one", "two")}
    assert len(folders) == 2
    assert all(folder.is_relative_to(tmp_path) for folder in folders)


@pytest.mark.parametrize("closings", [0, 1, 2])
def test_a_recorder_can_be_closed_at_any_time(tmp_path, closings):
    recorder = Recorder(tmp_path, FileBounds())
    for _ in range(closings):
        recorder.close()
    assert recorder.failure is None
