"""Which columns fit, how wide, and in which order the rows come: the live grid without a screen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from mds_tui.format.cells import Cell
from mds_tui.format.sight import Sight

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """One column of a grid."""

    name: str
    """Also its heading."""
    cell: Callable[[Item, Sight, int], Cell]
    """The content for an item, given the width it has."""
    width: int
    """The least width that makes sense."""
    most: int = 0
    """Grows with its content up to this; 0 means it stays at `width`."""
    right: bool = False
    priority: int = 0
    """0 is never hidden; the highest number goes first when room is short."""
    stretch: bool = False
    """Takes what the others leave, up to `most`."""
    order: Callable[[Item], Any] | None = None
    """What to sort by; None makes the column no sort order."""
    title: str | None = None
    """The heading where it is not the name; with `right`, aligned right like the values."""


class Place(NamedTuple):
    """Where one column stands."""

    column: int
    """Index into the grid's columns."""
    x: int
    width: int


def place(
    columns: Sequence[Column[Any]], wanted: Mapping[int, int], room: int, *, indent: int = 0
) -> tuple[Place, ...]:
    """Lay columns side by side in `room`: two blanks between them, or one, or fewer columns.

    `wanted` is the widest content seen of each column by its index.
    """
    kept = list(range(len(columns)))
    while True:
        natural = {index: _natural(columns[index], wanted.get(index, 0)) for index in kept}
        for gap in (2, 1):
            if indent + sum(natural.values()) + gap * (len(kept) - 1) <= room:
                return _spread(columns, kept, natural, wanted, room - indent, gap, indent)
        hideable = [index for index in kept if columns[index].priority > 0]
        if not hideable:
            least = {index: columns[index].width for index in kept}
            return _spread(columns, kept, least, wanted, room - indent, 1, indent)
        kept.remove(max(hideable, key=lambda index: (columns[index].priority, index)))


def arrange_rows(
    items: Sequence[Item],
    *,
    text: Callable[[Item], str],
    needle: str,
    order: Callable[[Item], Any] | None,
    descending: bool,
) -> list[Item]:
    """Filter, then sort; unknown values (None) last in either direction."""
    kept = [item for item in items if matches(text(item), needle)] if needle else list(items)
    if order is None:
        return kept
    known = [item for item in kept if order(item) is not None]
    unknown = [item for item in kept if order(item) is None]
    known.sort(key=order, reverse=descending)
    return known + unknown


def matches(text: str, needle: str) -> bool:
    """`a|b` matches either, a leading `!` inverts, case does not matter."""
    inverted = needle.startswith("!")
    parts = [part for part in needle.removeprefix("!").lower().split("|") if part]
    if not parts:
        return True
    folded = text.lower()
    return any(part in folded for part in parts) is not inverted


def _natural(column: Column[Any], wanted: int) -> int:
    if column.stretch or column.most == 0:
        return column.width
    return max(column.width, min(column.most, wanted))


def _spread(
    columns: Sequence[Column[Any]],
    kept: Sequence[int],
    widths: Mapping[int, int],
    wanted: Mapping[int, int],
    room: int,
    gap: int,
    indent: int,
) -> tuple[Place, ...]:
    final = dict(widths)
    spare = room - sum(final.values()) - gap * (len(kept) - 1)
    for index in kept:
        column = columns[index]
        limit = column.most if column.stretch else _natural(column, wanted.get(index, 0))
        if spare > 0 and limit > final[index]:
            grown = min(spare, limit - final[index])
            final[index] += grown
            spare -= grown
    places = []
    x = indent
    for index in kept:
        width = min(final[index], max(0, indent + room - x))
        places.append(Place(index, x, width))
        x += final[index] + gap
    return tuple(places)
