"""The rows of a live grid before they are drawn: what a pane says of its items, filter, order and cursor."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from textual.widget import Widget

from mds_tui.format.cells import Cell, text_of
from mds_tui.format.sight import BLANK, Sight
from mds_tui.widgets.columns import Column, arrange_rows

Item = TypeVar("Item")


class LiveRows(Widget, Generic[Item]):
    """Items in columns, as an operator filtered and sorted them, with a cursor that stays on its item."""

    columns: Sequence[Column[Any]] = ()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.number = 0
        """The key that focuses it."""
        self.needle = ""
        self.sort_by: int | None = None
        self.descending = False
        self.sight = Sight(BLANK)
        self.cursor = 0
        self._cursor_key: str | None = None
        self._items: Sequence[Item] = ()
        self._rows: list[Item] = []

    # What a pane says about its items.

    def key(self, item: Item) -> str:
        """What stays the same about an item from one picture to the next."""
        raise NotImplementedError

    def words(self, item: Item) -> str:
        """What the filter looks at."""
        return self.key(item)

    def fields(self, item: Item) -> Mapping[str, object]:
        """All that a row says as data: names with their units, None for what is not known."""
        raise NotImplementedError

    def is_quiet(self, item: Item) -> bool:  # noqa: ARG002 - for panes
        """True for a row that is to be drawn dim."""
        return False

    def is_lit(self, item: Item) -> bool:  # noqa: ARG002 - for panes
        """True for a row that changed a moment ago."""
        return False

    def tail(self) -> tuple[Cell, ...]:
        """Lines below the rows, about the one under the cursor."""
        return ()

    def title(self) -> str:
        """The words in the upper border."""
        return self.id or ""

    def note(self) -> str:
        """The words in the lower border."""
        shown, total = len(self._rows), len(self._items)
        parts = [f"{shown} of {total}" if self.needle else f"{total}"] if total else []
        if self.needle:
            parts.append(f"/{self.needle}")
        if self.sort_by is not None:
            parts.append(f"by {self.order_words()}")
        return " · ".join(parts)

    def admitted(self) -> Sequence[Item]:
        """The items that come into question before anything is filtered."""
        return self._items

    def filter_words(self) -> str:
        """What was typed as the filter, and what else leaves rows out."""
        return self.needle

    def order_words(self) -> str:
        """The column that it is sorted by, and which way; empty in its own order."""
        name = self.columns[self.sort_by].name if self.sort_by is not None else ""
        return f"{name} down".lstrip() if self.descending else name

    def empty_words(self) -> str:
        """What stands in an empty pane."""
        return f"nothing matches /{self.needle}" if self.needle and self._items else "nothing yet"

    def basis(self, items: Sequence[Item], sight: Sight) -> object:
        """All that the pane shows is made of: while this stays equal, nothing is looked at again."""
        return items, sight.zone

    def surroundings(self) -> object:
        """What a row is made of beside its own item; while both stay equal, the row is as it was."""
        return None

    def moved(self) -> None:
        """Called after the operator moved the cursor."""

    # What can be asked of it.

    def show_title(self) -> None:
        """Write the number and the title in the border."""
        self.border_title = f"{self.number} {self.title()}"

    def current(self) -> Item | None:
        """The item under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    def hold_first(self) -> None:
        """Keep the cursor on the first row, whichever item that will be."""
        self.cursor = 0
        self._cursor_key = None

    @property
    def rows(self) -> Sequence[Item]:
        """The items as they are shown."""
        return self._rows

    @property
    def total(self) -> int:
        """How many items there are without the filter."""
        return len(self._items)

    def row_text(self, item: Item) -> str:
        """A row as tab-separated words."""
        return "\t".join(
            text_of(column.cell(item, self.sight, max(column.width, column.most))).strip()
            for column in self.columns
        )

    def _arrange(self) -> None:
        """Filter, sort, and keep the cursor on its item."""
        order = self.columns[self.sort_by].order if self.sort_by is not None else None
        self._rows = arrange_rows(
            self.admitted(), text=self.words, needle=self.needle, order=order, descending=self.descending
        )
        if order is None and self.descending:
            self._rows.reverse()
        found = None if self._cursor_key is None else self._row_of(self._cursor_key)
        self.cursor = max(0, min(found if found is not None else self.cursor, len(self._rows) - 1))
        current = self.current()
        self._cursor_key = self.key(current) if current is not None else None

    def _row_of(self, key: str) -> int | None:
        """Where the item with that key stands; None while it is not shown."""
        # Mostly it has not moved, and thousands of keys need not be looked at with every beat.
        if (current := self.current()) is not None and self.key(current) == key:
            return self.cursor
        return next((index for index, item in enumerate(self._rows) if self.key(item) == key), None)

    def _point_at(self, index: int) -> None:
        """Put the cursor on a row, or on the nearest there is."""
        self.cursor = max(0, min(index, len(self._rows) - 1))
        self._cursor_key = self.key(self._rows[self.cursor])
