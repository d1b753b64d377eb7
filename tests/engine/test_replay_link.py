"""A recording behind a link: played, stepped, sought, and the same wherever it is come to from."""

import dataclasses
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.commands import CheckHealth, FailOver
from mds_engine.recording.foreign import convert
from mds_engine.recording.reading import Recording
from mds_engine.replay_link import NOT_DONE, Playback, ReplayLink
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 60.0
LOG = "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz"


@pytest.fixture(scope="module")
def folder(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources that have the same instruments, over 67 seconds."""
    folder = tmp_path_factory.mktemp("two")
    for source in ("first", "second"):
        convert(recordings / "binance" / LOG, folder / source, source=source, kind="binance")
        (file,) = (folder / source).iterdir()
        file.rename(folder / f"{source}.arrows")
        (folder / source).rmdir()
    return folder


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[..., ReplayLink]]:
    """Makes links to it; they are closed at the end."""
    links: list[ReplayLink] = []

    def open_one(path: Path = folder, *, playing: bool = False, speed: float = 1.0) -> ReplayLink:
        link = ReplayLink(lambda: Recording(path), find_plugins, speed=speed, interval_s=0.01)
        links.append(link)
        if not playing:
            link.pause()
        link.start()
        until(link.snapshot)
        return link

    yield open_one
    for link in links:
        link.close()


def until(condition: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.002)


def state(link: ReplayLink) -> Playback:
    found = link.playback()
    assert found is not None
    return found


def arrived(link: ReplayLink) -> Snapshot:
    """The picture of where it stands still."""
    before: list[Snapshot | None] = [None]

    def stands() -> bool:
        snapshot, before[0] = before[0], link.snapshot()
        now = state(link)
        still = snapshot is not None and snapshot is not before[0] and snapshot.at == before[0].at == now.at
        time.sleep(0.02)
        return still and now.seeking is None

    until(stands)
    assert before[0] is not None
    return before[0]


def essence(snapshot: Snapshot) -> dict[str, object]:
    """A picture, by field, without what this machine makes of it: how fast it was played, and the figures
    that are reckoned anew with the first picture of each second, whenever in it that is taken."""
    found = fields(msgspec.to_builtins(snapshot))
    ours = re.compile(r"\.(ticks_per_s|loop_lag_ms|p\d+_ms|p\d+_series_ms\.\d+)$")
    return {path: value for path, value in found if not ours.search(path)}


def fields(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict | list | tuple):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from fields(part, f"{path}.{name}")
    else:
        yield path, value


def differences(one: dict[str, object], other: dict[str, object]) -> dict[str, tuple[object, object]]:
    """Fields that are not the same; times to ten microseconds, for an epoch time is no finer than one."""
    return {
        path: (one.get(path), other.get(path))
        for path in one.keys() | other.keys()
        if one.get(path) != other.get(path)
        and not (
            isinstance(one.get(path), float) and one[path] == pytest.approx(other.get(path, 1e99), abs=1e-5)
        )
    }


def told(link: ReplayLink) -> dict[str, object]:
    return dict(fields(msgspec.to_builtins(link.events(0))))


def test_a_place_is_the_same_played_to_stepped_to_and_come_back_to(opened) -> None:
    """All that can be seen, and all that happened: after a play at 60 times its speed that was stopped
    anywhere, after going there at once, after coming back from beyond."""
    played = opened(playing=True, speed=60.0)
    at_s = state(played).start + 20.0 + 5.0 * random.Random(4).random()
    until(lambda: state(played).at > at_s)
    played.pause()
    there, happened = essence(arrived(played)), told(played)
    at, rows = state(played).at, state(played).rows
    assert len(played.events(0)) > 3

    gone = opened()
    gone.seek(at)
    assert not differences(essence(arrived(gone)), there)
    assert not differences(told(gone), happened)
    assert state(gone).rows == rows

    gone.seek(at + 30.0)
    assert differences(essence(arrived(gone)), there)
    gone.seek(at)
    assert not differences(essence(arrived(gone)), there)
    assert not differences(told(gone), happened)

    gone.step(3)
    arrived(gone)
    assert state(gone).rows == rows + 3
    gone.step(-3)
    back = essence(arrived(gone))
    assert state(gone).rows == rows
    changed = {path.rpartition(".")[2] for path in differences(back, there)}
    assert changed <= {"at", "uptime_s", "age_s"}  # a step ends at its frame, not a moment after it


def test_a_step_is_one_frame_either_way(opened) -> None:
    link = opened()
    seen = []
    for step in (1, 1, 1, -1, -2, 1):
        link.step(step)
        arrived(link)
        seen.append(state(link).rows)
    assert seen == [1, 2, 3, 2, 0, 1]
    assert not state(link).playing


def test_keys_faster_than_the_way_back_add_up(opened) -> None:
    link = opened()
    link.step(2000)
    arrived(link)
    for step in (-1, -1, -1, 1, -1):
        link.step(step)
    arrived(link)
    assert state(link).rows == 1997
    at = state(link).at
    for _ in range(3):
        link.seek(state(link).aim - 1.0)
    arrived(link)
    assert state(link).at == pytest.approx(at - 3.0, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_ordered_the_place_is_what_it_is(opened, seed: int) -> None:
    """Orders at random, most of them before the last one was carried out."""
    chance = random.Random(seed)
    link = opened()
    start, end = state(link).start, state(link).end
    for _ in range(25):
        match chance.randrange(6):
            case 0:
                link.seek(chance.uniform(start - 5.0, end + 1.0))
            case 1:
                link.step(chance.choice([-7, -1, 1, 5]))
            case 2:
                link.play()
            case 3:
                link.pause()
            case 4:
                link.set_speed(chance.choice([0.0, 5.0, 100.0]))
            case _:
                time.sleep(chance.uniform(0.0, 0.1))
        assert link.failure() is None
    link.pause()
    there, now = essence(arrived(link)), state(link)
    fresh = opened()
    fresh.step(now.rows)
    arrived(fresh)
    fresh.seek(now.at)
    assert not differences(essence(arrived(fresh)), there)
    assert not differences(told(fresh), told(link))


def test_the_end_says_so_and_one_can_go_back_from_it(opened) -> None:
    link = opened(playing=True, speed=0.0)
    until(lambda: state(link).ended)
    end = state(link)
    assert (end.playing, end.rows) == (False, 9432)
    assert end.end < end.at <= end.end + 6.0
    link.seek(end.start + 10.0)
    arrived(link)
    middle = state(link)
    assert (middle.ended, middle.at) == (False, end.start + 10.0)
    link.seek(end.end + 3600.0)
    arrived(link)
    assert state(link).ended
    link.play()
    until(lambda: state(link).at < end.end)


def test_going_somewhere_is_another_past_and_no_news(opened) -> None:
    link = opened()
    era, first = link.era, state(link).start
    link.seek(first + 60.0)
    arrived(link)
    assert link.era == era + 1
    later = link.events(0)
    link.seek(first + 1.0)
    arrived(link)
    assert link.era == era + 2
    assert all(event.at <= first + 1.0 for event in link.events(0))
    assert link.events(0) == later[: len(link.events(0))]


def test_speeds_are_a_ladder(opened) -> None:
    link = opened()
    up, down = [], []
    for _ in range(9):
        link.faster()
        up.append(state(link).speed)
    for _ in range(12):
        link.slower()
        down.append(state(link).speed)
    assert up == [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 0.0, 0.0, 0.0]
    assert down == [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.1, 0.1]


def test_nothing_can_be_done_to_a_recording(opened) -> None:
    link = opened()
    before = arrived(link).route("BINANCE/ticks")
    for command in (FailOver(route="BINANCE/ticks"), CheckHealth(source="first")):
        result = link.send(command).result(PATIENCE_S)
        assert (result.accepted, result.message) == (False, NOT_DONE)
    assert link.events(0)[-1].at == state(link).start
    assert arrived(link).route("BINANCE/ticks") == before


def test_what_is_no_recording_is_told_in_a_sentence(tmp_path) -> None:
    (tmp_path / "x.arrows").write_bytes(b"no")
    link = ReplayLink(lambda: Recording(tmp_path), find_plugins)
    link.start()
    until(link.failure)
    assert "it is not a recording" in link.failure()
    assert link.playback() is None
    link.close()


def test_the_time_line_of_a_recording_comes_beside_its_replay(opened) -> None:
    link = opened()
    until(lambda: state(link).surveyed == 1.0)
    marks = state(link).marks
    assert {(mark.subject, mark.text) for mark in marks} >= {("first", "first frames")}
    assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)


def test_a_defect_ends_a_replay_with_a_sentence_and_no_silence(folder) -> None:
    """As in the midst of an edit: once such a replay went on waiting for a stream that nobody played to."""

    class Wrong:
        def __init__(self, source: str) -> None:
            self._decoder = vendors["binance"].frame_decoder(source)
            self._frames = 0

        def note(self, payload: bytes) -> None:
            self._decoder.note(payload)

        def decode(self, frame: bytes, received_ns: int) -> object:
            self._frames += 1
            # Beyond what is looked at before a replay begins.
            return self._decoder.decode(frame, received_ns) if self._frames < 3000 else [object()]

    vendors = find_plugins()
    wrong = {"binance": dataclasses.replace(vendors["binance"], frame_decoder=Wrong)}
    link = ReplayLink(lambda: Recording(folder), lambda: wrong, speed=0.0)
    link.start()
    until(link.failure)
    assert "AttributeError" in link.failure()
    assert state(link).rows > 2000
    until(lambda: state(link).surveyed == 1.0)
    assert "not looked through to its end" in state(link).marks[-1].text
    link.close()


ELSEWHERE = """
import json, re, sys, time
from pathlib import Path
import msgspec
from mds_engine.recording.reading import Recording
from mds_engine.replay_link import ReplayLink
from mds_engine.sources.plugins import find_plugins

link = ReplayLink(lambda: Recording(Path(sys.argv[1])), find_plugins, interval_s=0.01)
link.pause()
link.start()
while link.snapshot() is None:
    time.sleep(0.002)
at = link.playback().start + 20.0
link.seek(at)
while link.playback().seeking is not None or link.snapshot().at < at - 1.0:
    time.sleep(0.002)
picture = link.snapshot()
print([route.key for route in picture.routes], [row.instrument for row in picture.watch])
print([(type(event).__name__, str(event)) for event in link.events(0)])
link.close()
"""


def test_a_replay_is_the_same_in_every_process(folder) -> None:
    """Python orders its sets otherwise in each."""
    told = {
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(folder)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(told) == 1, "\n".join(sorted(told))
