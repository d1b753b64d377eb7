"""Rows of a grid: measured, laid out in columns, and remembered while their item is the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mds_tui.format.cells import Cell, Span, fit, width_of
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column, Place, place

Item = TypeVar("Item")

INDENT = 2
"""Columns for the cursor mark."""
_BLANKS = tuple(Span(" " * count) for count in range(64))


@dataclass(slots=True)
class _Row(Generic[Item]):
    """One of them."""

    item: Item
    measured: dict[int, tuple[Cell, int]] = field(default_factory=dict)
    """By column: its content with all the room that it may have, and the width of that."""
    spans: Cell | None = None
    """Side by side, once they were drawn."""


class LaidRows(Generic[Item]):
    """The rows in sight of one grid."""

    def __init__(self) -> None:
        self.places: tuple[Place, ...] = ()
        self._widest: dict[int, int] = {}
        self._rows: dict[str, _Row[Item]] = {}
        self._basis: object = None

    def clear(self) -> None:
        """Forget the rows: something else that they are made of changed."""
        self._rows.clear()

    def measure(
        self, columns: Sequence[Column[Item]], seen: Iterable[tuple[str, Item]], sight: Sight, room: int
    ) -> None:
        """Widen columns for what is in sight; they never shrink, so that nothing jumps."""
        growing = [(index, one) for index, one in enumerate(columns) if one.most and not one.stretch]
        kept: dict[str, _Row[Item]] = {}
        for key, item in seen:
            row = self._rows.get(key)
            if row is None or row.item != item:
                row = _Row(item)
                for index, column in growing:
                    content = column.cell(item, sight, column.most)
                    width = width_of(content)
                    row.measured[index] = content, width
                    if width > self._widest.get(index, 0):
                        self._widest[index] = width
            kept[key] = row
        self._rows = kept
        basis = (columns, room, tuple(self._widest.items()))
        if basis != self._basis:
            self._basis = basis
            self.places = place(columns, self._widest, room - 1, indent=INDENT)
            for row in kept.values():
                row.spans = None

    def spans(
        self, columns: Sequence[Column[Item]], key: str, item: Item, sight: Sight, room: int, more: str
    ) -> Cell:
        """A row in exactly `room` columns, but for the mark before it."""
        row = self._rows.get(key)
        if row is None or row.item != item:
            row = self._rows[key] = _Row(item)
        if row.spans is None:
            row.spans = self._lay(columns, row, sight, room, more)
        return row.spans

    def _lay(
        self, columns: Sequence[Column[Item]], row: _Row[Item], sight: Sight, room: int, more: str
    ) -> Cell:
        spans: list[Span] = []
        x = INDENT
        for spot in self.places:
            if spot.x > x:
                spans.append(blanks(spot.x - x))
            column = columns[spot.column]
            content, width = row.measured.get(spot.column, (None, 0))
            if content is None or width > spot.width:
                content = column.cell(row.item, sight, spot.width)
                width = width_of(content)
            if width > spot.width:
                spans.extend(fit(content, spot.width, more=more))
            elif width == spot.width:
                spans.extend(content)
            elif column.right:
                spans.append(blanks(spot.width - width))
                spans.extend(content)
            else:
                spans.extend(content)
                spans.append(blanks(spot.width - width))
            x = spot.x + spot.width
        if x < room:
            spans.append(blanks(room - x))
        return tuple(spans) if x <= room else fit(tuple(spans), room - INDENT, more=more)


def blanks(count: int) -> Span:
    """So many of them."""
    return _BLANKS[count] if count < len(_BLANKS) else Span(" " * count)
