"""The two lines of a replay: what it is and how it stands, and its time from end to end. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from mds_engine.control.events import Level
from mds_engine.recording.mark import Mark
from mds_engine.replay_link import Playback

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, join, width_of
from mds_tui.format.events import level_ink
from mds_tui.format.glyphs import Glyphs
from mds_tui.format.numbers import clock, zone_name
from mds_tui.replaying.scale import Scale

TITLE = "REPLAY, not live"
_GRAVITY = (Level.INFO, Level.GOOD, Level.WARNING, Level.CRITICAL)
_FEWEST_COLUMNS = 10
_BEHIND = 0.8
"""A pace below so much of what was ordered is told."""


def banner(playback: Playback | None, width: int, glyphs: Glyphs, zone: tzinfo | None) -> Cell:
    """What nobody shall mistake for live; the least important parts go first where it is narrow."""
    title: Cell = (Span(f" {glyphs.forced} {TITLE}"),)
    if playback is None:
        return (*title, Span(f" {glyphs.separator} reading the recording"))
    parts: list[tuple[int, Cell]] = [
        (0, title),
        (0, (Span(standing(playback, glyphs, zone)),)),
        (1, (Span(speed_words(playback)),)),
        (2, (Span(_now(playback, zone)),)),
        (3, (Span(playback.name),)),
        (4, (Span(f"frame {playback.rows:,}"),)),
        (5, _reading(playback) if playback.surveyed < 1 else EMPTY),
    ]
    between = (Span(f" {glyphs.separator} "),)
    while width_of(line := join((part for _, part in parts), between)) >= width and len(parts) > 2:
        parts.remove(max(parts, key=lambda part: part[0]))
    return line


def standing(playback: Playback, glyphs: Glyphs, zone: tzinfo | None) -> str:
    """Whether it plays, in words."""
    if playback.seeking is not None:
        return f"{glyphs.moved} going to {clock(playback.seeking, zone)}"
    if playback.ended:
        return "at the end"
    return f"{glyphs.arrow} playing" if playback.playing else "paused"


def speed_words(playback: Playback) -> str:
    """`10x`; and what came of it, where this machine cannot keep up."""
    if not playback.speed:
        return f"as fast as can be ({playback.pace:,.0f}x)" if playback.pace else "as fast as can be"
    behind = playback.playing and 0 < playback.pace < playback.speed * _BEHIND
    return f"{playback.speed:g}x" + (f", reached {playback.pace:.3g}x" if behind else "")


class Line(NamedTuple):
    """What a time line shows beside where it is: made anew when a mark comes, or another width."""

    first: str
    last: str
    scale: Scale
    columns: int
    gravest: Mapping[int, Level]
    """The gravest that happened at each column."""


def line_of(playback: Playback, marks: Iterable[Mark], width: int, zone: tzinfo | None) -> Line | None:
    """From its first time to its last, on a screen of that width; None where there is no room."""
    first, last = _ends(playback, zone)
    columns = width - len(first) - len(last) - 4
    if columns < _FEWEST_COLUMNS:
        return None
    scale = Scale(playback.stretches)
    gravest: dict[int, Level] = {}
    for mark in marks:
        column = _column(scale, mark.at, columns)
        gravest[column] = max(gravest.get(column, Level.INFO), mark.level, key=_GRAVITY.index)
    return Line(first, last, scale, columns, gravest)


def time_line(line: Line, at: float, glyphs: Glyphs) -> Cell:
    """The line, and where on it `at` is; a click on a column goes there."""
    here = _column(line.scale, at, line.columns)
    spans = [Span(f" {line.first} ", Ink.DIM)]
    for column in range(line.columns):
        action = f"screen.seek_share({column}, {line.columns})"
        if column == here:
            spans.append(Span(glyphs.live, Ink.STRONG, action))
        elif (level := line.gravest.get(column)) is not None:
            spans.append(Span(sign(level, glyphs), level_ink(level), action))
        elif column < here:
            spans.append(Span(glyphs.line_full, Ink.ACCENT, action))
        else:
            spans.append(Span(glyphs.line_empty, Ink.FAINT, action))
    return (*spans, Span(f" {line.last} ", Ink.DIM))


def sign(level: Level, glyphs: Glyphs) -> str:
    """What stands for an event on the line."""
    return {
        Level.INFO: glyphs.ready,
        Level.GOOD: glyphs.good,
        Level.WARNING: glyphs.warning,
        Level.CRITICAL: glyphs.out,
    }[level]


def mark_before(marks: Sequence[Mark], at: float) -> Mark | None:
    """The last one earlier than a time."""
    return max((mark for mark in marks if mark.at < at), key=lambda mark: mark.at, default=None)


def mark_after(marks: Sequence[Mark], at: float) -> Mark | None:
    """The first one later than a time."""
    return min((mark for mark in marks if mark.at > at), key=lambda mark: mark.at, default=None)


def _column(scale: Scale, at: float, room: int) -> int:
    return round(scale.share(at) * (room - 1))


def _now(playback: Playback, zone: tzinfo | None) -> str:
    day = datetime.fromtimestamp(playback.at, UTC).astimezone(zone)
    return f"{day:%a} {day.day} {day:%b %Y} {clock(playback.at, zone)} {zone_name(playback.at, zone)}"


def _ends(playback: Playback, zone: tzinfo | None) -> tuple[str, str]:
    """As exactly as it tells them apart."""
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(zone) for at in (playback.start, playback.end))
    if first.year != last.year:
        return f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    if first.date() != last.date():
        return f"{first:%d %b %H:%M}", f"{last:%d %b %H:%M}"
    return f"{first:%H:%M:%S}", f"{last:%H:%M:%S}"


def _reading(playback: Playback) -> Cell:
    return (Span(f"looking through it {playback.surveyed:.0%}"),)
