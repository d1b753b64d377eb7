"""Pane 6: what happened, newest first."""

from collections.abc import Mapping, Sequence

import msgspec
from mds_engine.control.events import CommandApplied, Event, Level

from mds_tui.export import iso
from mds_tui.format.cells import Cell, Ink, Span, cell
from mds_tui.format.events import event_line, level_ink
from mds_tui.format.numbers import clock
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid


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
    """The log. The cursor on the newest line follows; anywhere else it stays on its event."""

    heading = False
    columns: Sequence[Column[Event]] = (
        Column("time", _time, 8),
        Column("", _glyph, 1),
        Column("subject", _subject, 8, 14),
        Column("event", _text, 20, 400, stretch=True),
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.following = True

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
        line = event_line(item, self.sight.glyphs, self.sight.zone)
        return f"{line.subject} {line.text} {line.level.value}"

    def note(self) -> str:
        """Filter and whether the newest is followed."""
        parts = [f"/{self.needle}"] if self.needle else ["all"]
        return " · ".join([*parts, "following" if self.following else "g to follow"])

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
