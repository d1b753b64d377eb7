"""Pane 6: what happened, newest first."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

import msgspec
from mds_engine.control.events import CommandApplied, Event, Level
from textual.binding import Binding, BindingType
from textual.message import Message

from mds_tui.format.cells import Cell, Ink, Span, cell
from mds_tui.format.events import EventLine, event_line, level_ink
from mds_tui.format.numbers import clock, iso
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid


class Levels(StrEnum):
    """Which events are shown."""

    ALL = "all"
    NOTICES = "notices"
    """All but what is merely told."""
    WARNINGS = "warnings"
    """These and errors."""
    ERRORS = "errors"


_SHOWN = {
    Levels.NOTICES: {Level.GOOD, Level.WARNING, Level.CRITICAL},
    Levels.WARNINGS: {Level.WARNING, Level.CRITICAL},
    Levels.ERRORS: {Level.CRITICAL},
}


_MOST_LINES = 8000
"""Lines that are remembered: some times what the feed keeps."""


def _time(event: Event, sight: Sight, _width: int) -> Cell:
    return cell(clock(event.at, sight.zone), Ink.DIM)


def _glyph(event: Event, sight: Sight, _width: int) -> Cell:
    line = event_line(event, sight.glyphs, sight.zone)
    ink = Ink.FORCED if isinstance(event, CommandApplied) else level_ink(line.level)
    return cell(line.glyph, ink)


def _subject(event: Event, sight: Sight, _width: int) -> Cell:
    return cell(event_line(event, sight.glyphs, sight.zone).subject)


def _text(event: Event, sight: Sight, _width: int) -> Cell:
    line = event_line(event, sight.glyphs, sight.zone)
    ink = Ink.BAD if line.level is Level.CRITICAL else Ink.TEXT
    head, colon, rest = line.text.partition(": ")
    return (Span(head, ink), Span(colon + rest, Ink.DIM))


class EventsPane(LiveGrid[Event]):
    """The log. While it follows, the cursor is on the newest line; else it stays on its event."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "levels", "by level", id="events.levels"),
        Binding("f", "follow", "follow the newest, or stay", show=False, id="events.follow"),
        Binding("o", "go", "go to what it is about", id="events.go"),
    ]
    heading = False
    columns: Sequence[Column[Event]] = (
        Column("time", _time, 8),
        Column("", _glyph, 1),
        Column("subject", _subject, 8, 14),
        Column("event", _text, 20, 400, stretch=True),
    )

    class Pointed(Message):
        """The operator wants to see what an event is about."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.following = True
        self.levels = Levels.ALL
        self._lines: dict[tuple[int, float], EventLine] = {}
        self._lines_for: tuple[int, object] = (0, None)

    def key(self, item: Event) -> str:
        """Its number."""
        return str(item.number)

    def fields(self, item: Event) -> Mapping[str, object]:
        """The line, and everything that the event carries."""
        line = event_line(item, self.sight.glyphs, self.sight.zone)
        carried = msgspec.to_builtins(item)
        return {
            "number": carried.pop("number"),
            "at": iso(carried.pop("at")),
            "event": carried.pop("event"),
            "level": line.level.value,
            "subject": line.subject,
            "text": line.text,
            "carries": carried,
        }

    def words(self, item: Event) -> str:
        """Subject, sentence and level."""
        line = self._line_of(item)
        return f"{line.subject} {line.text} {line.level.value}"

    def admitted(self) -> Sequence[Event]:
        """Those of the levels that are wanted."""
        if self.levels is Levels.ALL:
            return super().admitted()
        shown = _SHOWN[self.levels]
        return [event for event in self._items if self._line_of(event).level in shown]

    def filter_words(self) -> str:
        """Levels, then what was typed."""
        return " ".join(part for part in (self._level_words(), self.needle) if part)

    def note(self) -> str:
        """Levels, filter, and whether the newest is followed."""
        parts = [self.levels.value]
        if self.needle or self.levels is not Levels.ALL:
            parts.append(f"{len(self.rows)} of {self.total}")
        if self.needle:
            parts.append(f"/{self.needle}")
        return " · ".join([*parts, "following" if self.following else "f to follow"])

    def empty_words(self) -> str:
        """Where no event is of these levels."""
        levels = self._level_words()
        return f"no {levels}" if levels and not self.needle and self.total else super().empty_words()

    def basis(self, items: Sequence[Event], sight: Sight) -> object:
        """The log only grows."""
        return items[0].number if items else 0, sight.zone

    def show(self, items: Sequence[Event], sight: Sight) -> None:
        """Follow the newest unless the operator looks at another."""
        if self.following:
            self.hold_first()
        super().show(items, sight)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Always by time, the newest first: the keys that sort are none here, and help tells none."""
        return action not in {"sort", "reverse"}

    def moved(self) -> None:
        """Follow from now on if the cursor stands on the newest."""
        self.following = self.cursor == 0

    def action_levels(self) -> None:
        """Fewer levels, then all again."""
        every = list(Levels)
        self.levels = every[(every.index(self.levels) + 1) % len(every)]
        if self.following:
            self.hold_first()
        self._settle()

    def action_follow(self) -> None:
        """Follow the newest, or stay on this one."""
        if self.following:
            self.following = False
            if self.rows:
                self._point_at(self.cursor)
            self._show_note()
        else:
            self.action_jump(0)

    def action_go(self) -> None:
        """Ask for the row that the event under the cursor is about."""
        if (event := self.current()) is not None:
            self.lead(event)

    def lead(self, event: Event) -> None:
        """Ask for the row that an event is about."""
        self.post_message(self.Pointed(event))

    def _line_of(self, event: Event) -> EventLine:
        """As it was made before: with each event that comes, all of them are looked through."""
        made_for = (id(self.sight.glyphs), self.sight.zone)
        if made_for != self._lines_for or len(self._lines) > _MOST_LINES:
            self._lines.clear()
            self._lines_for = made_for
        key = (event.number, event.at)
        if (line := self._lines.get(key)) is None:
            line = self._lines[key] = event_line(event, self.sight.glyphs, self.sight.zone)
        return line

    def _level_words(self) -> str:
        return "" if self.levels is Levels.ALL else self.levels.value
