"""The one grid for live data: only lines that changed are drawn again, whatever the number of rows."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, fit
from mds_tui.format.sight import Sight
from mds_tui.widgets.brush import Brush
from mds_tui.widgets.drawn import Drawn, regions_of
from mds_tui.widgets.laid_rows import INDENT, LaidRows, blanks
from mds_tui.widgets.live_rows import LiveRows
from mds_tui.widgets.paint import NO_PAINT, Paint
from mds_tui.widgets.window import NO_WINDOW, hidden_words, window_of

Item = TypeVar("Item")

_UNMARKED = Span(" " * INDENT, Ink.ACCENT)


class LiveGrid(LiveRows[Item], can_focus=True, inherit_bindings=False):
    """Columns over items, with a cursor, a sort order, a filter, and lines of explanation below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="pane.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="pane.up"),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False, id="pane.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False, id="pane.page-up"),
        Binding("g,home", "jump(0)", "first row", show=False, id="pane.first"),
        Binding("G,end", "jump(-1)", "last row", show=False, id="pane.last"),
        Binding("s", "sort", "sort by the next column", show=False, id="pane.sort"),
        Binding("S", "reverse", "reverse the order", show=False, id="pane.reverse"),
        Binding("enter", "open", "detail", id="pane.open"),
        Binding("y", "copy", "copy the row", show=False, id="pane.copy"),
        Binding("w", "write", "write the rows to files, CSV and JSON", show=False, id="pane.export"),
    ]

    heading = True
    faded: reactive[bool] = reactive(False)
    """Draws everything quietly: the picture is old."""

    class Opened(Message):
        """Enter on a row."""

        def __init__(self, grid: "LiveGrid[Any]", key: str) -> None:
            super().__init__()
            self.grid = grid
            self.key = key

    class Copied(Message):
        """The operator wants the row as text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class WriteAsked(Message):
        """The operator wants the rows as files."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.paint = NO_PAINT
        self.brush: Brush | None = None
        """Paints what changed, where the screen has one; else Textual does."""
        self._laid: LaidRows[Item] = LaidRows()
        self._drawn: dict[int, Drawn] = {}
        self._tail: tuple[Cell, ...] = ()
        self._window = NO_WINDOW
        self._basis: object = None
        self._surroundings: object = None
        self._around: object = None
        self._note = ""

    # What the screen does with it.

    def show(self, items: Sequence[Item], sight: Sight) -> None:
        """Take a new picture and draw again what is different."""
        basis = self.basis(items, sight)
        unchanged = basis == self._basis
        self._basis = basis
        self._items = items
        self.sight = sight
        if not unchanged:
            self._settle()

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self.paint = paint
        self._redraw()

    def filter(self, needle: str) -> None:
        """Show only rows that match; empty shows all."""
        self.needle = needle
        self._settle()

    def go_to(self, key: str) -> None:
        """Put the cursor on the item with that key; a filter that hides it goes."""
        if (row := self._row_of(key)) is None and self.needle:
            self.filter("")
            row = self._row_of(key)
        if row is not None:
            self._go(row)

    def places_in_sight(self) -> Sequence[tuple[str, int]]:
        """The key of each row in sight, and its line in the pane."""
        top = self._window.top
        return [(self.key(item), top + place) for place, item in enumerate(self._in_sight())]

    # Keys.

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self._go(self.cursor + by * max(1, self._window.visible - 1))

    def action_jump(self, to: int) -> None:
        """First or (-1) last row."""
        self._go(to if to >= 0 else len(self._rows) - 1)

    def action_sort(self) -> None:
        """Sort by the next column that can be sorted by, then not at all."""
        choices: list[int | None] = [
            index for index, column in enumerate(self.columns) if column.order is not None
        ]
        choices.append(None)
        current = choices.index(self.sort_by) if self.sort_by in choices else -1
        self.sort_by = choices[(current + 1) % len(choices)]
        self._settle()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.descending = not self.descending
        self._settle()

    def action_open(self) -> None:
        """Ask for the detail of the row under the cursor."""
        if (item := self.current()) is not None:
            self.post_message(self.Opened(self, self.key(item)))

    def action_copy(self) -> None:
        """Offer the row as text."""
        if (item := self.current()) is not None:
            self.post_message(self.Copied(self.row_text(item)))

    def action_write(self) -> None:
        """Ask for the rows as files."""
        self.post_message(self.WriteAsked())

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a second click opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self._window.first + offset.y - self._window.top
        if offset.y >= self._window.top and row < len(self._rows):
            self._go(row)
            if event.chain > 1:
                self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor; the view follows it."""
        event.stop()
        event.prevent_default()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor; the view follows it."""
        event.stop()
        event.prevent_default()
        self.action_move(-3)

    # Drawing.

    def on_resize(self) -> None:
        """Lay the columns out for the new width."""
        self._redraw()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._redraw()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self._redraw()

    def watch_faded(self) -> None:
        """Draw all in the other manner."""
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """One line of the pane."""
        width = self.size.width
        content, ground, faded = self._drawn.get(y) or Drawn(EMPTY)
        return self.paint.strip(content, width, ground=ground, faded=faded)

    def _row_lines(self, width: int, height: int) -> Iterator[tuple[int, Drawn]]:
        """The rows in sight, each with its line of the pane."""
        window, faded = self._window, self.faded
        for place, item in enumerate(self._in_sight()[: height - window.top]):
            index = window.first + place
            line = self._line(index, width)
            yield window.top + place, Drawn(line, self._ground(index), faded or self.is_quiet(item))

    def _other_lines(self, width: int, height: int) -> Iterator[tuple[int, Drawn]]:
        """All that stands around the rows."""
        window, seen = self._window, len(self._in_sight())
        for y in (*range(window.top), *range(window.top + seen, height)):
            content = EMPTY
            if y < window.top and self._items:
                content = self._heading_line()
            elif not self._rows and y == window.top:
                content = (blanks(INDENT), Span(self.empty_words(), Ink.DIM))
            elif 0 <= y - window.tail_top < len(self._tail):
                content = (blanks(INDENT), *self._tail[y - window.tail_top])
            line = fit(content, width, more=self.paint.glyphs.more)
            yield y, Drawn(line, faded=self.faded and bool(content))

    def _ground(self, index: int) -> str:
        if self.has_focus and index == self.cursor:
            return "cursor"
        return "lit" if self.is_lit(self._rows[index]) else "background"

    def _line(self, index: int, width: int) -> Cell:
        item, glyphs = self._rows[index], self.paint.glyphs
        marked = self.has_focus and index == self.cursor
        mark = Span(glyphs.cursor.ljust(INDENT), Ink.ACCENT) if marked else _UNMARKED
        spans = self._laid.spans(self.columns, self.key(item), item, self.sight, width, glyphs.more)
        return (mark, *spans)

    def _heading_line(self) -> Cell:
        spans = [blanks(INDENT)]
        x = INDENT
        for spot in self._laid.places:
            column = self.columns[spot.column]
            title = column.name if column.title is None else column.title
            ink = Ink.ACCENT if spot.column == self.sort_by else Ink.DIM
            spans.append(blanks(spot.x - x))
            spans.extend(fit((Span(title, ink),), spot.width, right=column.right, more=""))
            x = spot.x + spot.width
        return tuple(spans)

    def _settle(self) -> None:
        """Filter, sort, keep the cursor on its item, and draw again the lines that differ."""
        self._arrange()
        if self.is_mounted and self.size.height:
            self._draw_changes()
        self._show_note()

    def _show_note(self) -> None:
        hidden = hidden_words(self._window, len(self._rows), self.paint.glyphs)
        note = self.paint.words(" · ".join(part for part in (hidden, self.note()) if part))
        if note == self._note:
            return
        self._note = note
        words = Content(note)
        if self.brush is None or not self.brush.note(self, words):
            self.border_subtitle = words

    def _draw_changes(self, *, painted: bool = True) -> None:
        if (context := self.surroundings()) != self._surroundings:
            self._surroundings = context
            self._laid.clear()
        tail = self.tail()
        if len(tail) != len(self._tail):
            self._drawn.clear()
        self._tail = tail
        width, height = self.size
        self._window = window_of(
            height,
            heading=self.heading,
            rows=len(self._rows),
            tail=len(tail),
            cursor=self.cursor,
            first=self._window.first,
        )
        seen = ((self.key(item), item) for item in self._in_sight())
        self._laid.measure(self.columns, seen, self.sight, width)
        rows = len(self._rows) or (bool(self._items), self.empty_words())
        around = (tail, self._window, rows, self.columns, self._laid.places, self.sort_by, self.faded)
        before = self._drawn
        if before and around == self._around:
            self._drawn = {**before, **dict(self._row_lines(width, height))}
        else:
            self._around = around
            self._drawn = {**dict(self._other_lines(width, height)), **dict(self._row_lines(width, height))}
        changed = {y: line for y, line in self._drawn.items() if before.get(y) != line}
        if changed and painted:
            left = (
                list(changed) if self.brush is None else self.brush.paint(self, self.paint, before, changed)
            )
            if left:
                self.refresh(*regions_of(left, width))

    def _in_sight(self) -> Sequence[Item]:
        return self._rows[self._window.first : self._window.first + self._window.visible]

    def _redraw(self) -> None:
        self._drawn.clear()
        self._laid.clear()
        if self.is_mounted and self.size.height:
            self._draw_changes(painted=False)
        self._show_note()
        self.refresh()

    def _go(self, index: int) -> None:
        if not self._rows:
            return
        self._point_at(index)
        self.moved()
        self._draw_changes()
        self._show_note()
