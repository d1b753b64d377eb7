"""The words and lines of a replay, and the places that can be written. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some
from mds_engine.control.events import Level
from mds_engine.recording.mark import Mark
from mds_engine.replay_link import Playback

from mds_tui.format.cells import EMPTY, Cell, text_of, width_of
from mds_tui.format.glyphs import ASCII, UNICODE, Glyphs
from mds_tui.replaying.lines import banner, line_of, mark_after, mark_before, time_line
from mds_tui.replaying.places import UnknownPlaceError, place_of
from mds_tui.replaying.scale import Scale

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC).timestamp()
KOLKATA = ZoneInfo("Asia/Kolkata")


def playback(**changes: object) -> Playback:
    """An hour, half of it over, with a silence from 14:10 to 14:50."""
    return Playback(
        **{
            "name": "black-box",
            "start": START,
            "end": START + 3600.0,
            "at": START + 300.0,
            "rows": 1234,
            "speed": 1.0,
            "pace": 1.0,
            "playing": True,
            "ended": False,
            "seeking": None,
            "stretches": ((START, START + 600.0), (START + 3000.0, START + 3600.0)),
            "marks": (),
            "surveyed": 1.0,
            **changes,
        }
    )


def drawn(shown: Playback, marks: Sequence[Mark], width: int, glyphs: Glyphs = UNICODE) -> Cell:
    line = line_of(shown, marks, width, UTC)
    return EMPTY if line is None else time_line(line, shown.at, glyphs)


def mark(at_s: float, level: Level = Level.WARNING) -> Mark:
    return Mark(START + at_s, level, "kite", "a gap")


@pytest.mark.parametrize(
    ("words", "at_s"),
    [
        ("start", 0.0),
        ("end", 3600.0),
        ("14:03:21", 201.0),
        ("14:59", 3540.0),
        ("+30s", 330.0),
        ("-5m", 0.0),
        ("+1", 301.0),
        ("-250ms", 299.75),
        ("+1h", 3900.0),
        ("2026-03-02T14:30:00+00:00", 1800.0),
        ("2026-03-02 14:30", 1800.0),
    ],
)
def test_places_as_they_are_written(words: str, at_s: float) -> None:
    assert place_of(words, playback(), UTC) == pytest.approx(START + at_s, abs=1e-3)


def test_a_time_of_day_is_the_consoles_and_the_nearest_of_several_days() -> None:
    assert place_of("19:33:21", playback(), KOLKATA) == START + 201.0
    days = playback(end=START + 3 * 86_400.0, at=START + 2 * 86_400.0)
    assert place_of("14:05", days, UTC) == START + 2 * 86_400.0 + 300.0
    assert place_of("13:55", days, UTC) == START + 2 * 86_400.0 - 300.0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("13:00", "is not in the recording, which goes from 14:00:00 to 15:00:00 UTC"),
        ("2020-01-01", "is not in the recording"),
        ("25:00", "is no time: write"),
        ("14:03:61", "is no time: write"),
        ("soon", "is no time: write"),
        ("", "is no time: write"),
        ("+", "is no time: write"),
    ],
)
def test_what_is_no_place_is_told(words: str, why: str) -> None:
    with pytest.raises(UnknownPlaceError, match=why):
        place_of(words, playback(), UTC)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "playing │ 1x │ Mon 2 Mar 2026 14:05:00 UTC │ black-box │ frame 1,234"),
        ({"playing": False}, "paused │ 1x"),
        ({"ended": True, "playing": False}, "at the end │ 1x"),
        ({"seeking": START + 201.0}, "going to 14:03:21"),
        ({"speed": 100.0, "pace": 40.0}, "100x, reached 40x"),
        ({"speed": 0.0, "pace": 1500.0}, "as fast as can be (1,500x)"),
        ({"surveyed": 0.4}, "looking through it 40%"),
    ],
)
def test_the_banner_says_what_it_is_and_how_it_stands(changes: dict[str, object], words: str) -> None:
    line = text_of(banner(playback(**changes), 160, UNICODE, UTC))
    assert line.startswith(" ⚑ REPLAY, not live │ ")
    assert words in line


def test_a_recording_that_is_not_open_yet_is_one_too() -> None:
    assert text_of(banner(None, 60, ASCII, UTC)) == " ! REPLAY, not live | reading the recording"


@given(width=some.integers(40, 250), name=some.text(max_size=90), seeking=some.booleans())
def test_the_banner_keeps_its_words_at_every_width(width: int, name: str, seeking: bool) -> None:
    shown = playback(name=name, seeking=START if seeking else None)
    line = text_of(banner(shown, width, ASCII, UTC))
    assert line.startswith(" ! REPLAY, not live | ")
    assert ("going to 14:00:00" if seeking else "playing") in line


def test_the_line_is_as_wide_as_the_screen_and_shows_the_gravest_at_each_place() -> None:
    marks = [mark(590.0), mark(591.0, Level.CRITICAL), mark(3600.0, Level.GOOD), mark(0.0, Level.INFO)]
    for width in (60, 61, 120, 200):
        line = drawn(playback(), marks, width)
        assert width_of(line) == width
        assert text_of(line).startswith(" 14:00:00 ◆━")
        assert text_of(line).endswith("✔ 15:00:00 ")
        signs = text_of(line)[10:-10]
        # The silence takes no room: the middle of the line is its end.
        assert signs.index("✖") == pytest.approx(len(signs) / 2, abs=2)
        assert signs.index("●") == pytest.approx(len(signs) / 4, abs=2)
        assert "!" not in signs
    assert not drawn(playback(), marks, 20)
    assert text_of(drawn(playback(), marks, 60, ASCII)).isascii()


def test_ends_say_the_day_where_it_is_not_the_same() -> None:
    assert " 02 Mar 14:00 " in text_of(drawn(playback(end=START + 86_400.0), (), 80))
    assert " 2027-03-02 " in text_of(drawn(playback(end=START + 365 * 86_400.0), (), 80))


def test_a_click_on_the_line_is_the_time_that_stands_there() -> None:
    line = drawn(playback(), (), 80)
    actions = [span.action for span in line if span.action]
    assert actions[0] == f"screen.seek_share(0, {len(actions)})"
    assert actions[-1] == f"screen.seek_share({len(actions) - 1}, {len(actions)})"


def test_the_events_before_and_after_a_time() -> None:
    marks = [mark(500.0), mark(100.0), mark(300.0)]
    assert mark_after(marks, START + 100.0) == mark(300.0)
    assert mark_before(marks, START + 500.0) == mark(300.0)
    assert mark_before(marks, START + 100.0) is None
    assert mark_after(marks, START + 500.0) is None


@given(
    some.lists(some.tuples(some.integers(61, 9000), some.integers(0, 9000)), min_size=1, max_size=5),
    some.floats(0.0, 1.0),
)
def test_a_share_of_the_line_is_a_time_that_is_played(parts: list[tuple[int, int]], share: float) -> None:
    stretches, at = [], 0.0
    for silence_s, length_s in parts:
        stretches.append((at + silence_s, at + silence_s + length_s))
        at += silence_s + length_s
    scale = Scale(stretches)
    time = scale.time(share)
    assert any(start <= time <= end for start, end in stretches)
    if any(length_s for _, length_s in parts):
        assert scale.share(time) == pytest.approx(share, abs=1e-6)
    assert scale.share(-1.0) == 0.0
    assert scale.share(at + 1.0) == 1.0
