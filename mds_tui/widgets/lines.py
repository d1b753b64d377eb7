"""Lines of cells that scroll: details and help."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip

from mds_tui.format.cells import EMPTY, Cell
from mds_tui.widgets.paint import NO_PAINT, Paint


class _PlainBar(ScrollBarRender):
    """A scrollbar of whole cells: the parts of cells are no ASCII."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """A page of prepared lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "down", show=False, id="page.down"),
        Binding("up,k", "scroll_up", "up", show=False, id="page.up"),
        Binding("pagedown,space", "page_down", "page down", show=False, id="page.page-down"),
        Binding("pageup", "page_up", "page up", show=False, id="page.page-up"),
        Binding("g,home", "scroll_home", "top", show=False, id="page.first"),
        Binding("G,end", "scroll_end", "bottom", show=False, id="page.last"),
    ]
    DEFAULT_CSS = """
    Lines {
        scrollbar-size: 1 1; overflow-x: hidden;
        scrollbar-background: $mds-panel; scrollbar-color: $mds-frame;
        scrollbar-background-hover: $mds-panel; scrollbar-color-hover: $mds-dim;
        scrollbar-background-active: $mds-panel; scrollbar-color-active: $mds-accent;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.paint = NO_PAINT
        self._lines: Sequence[Cell] = ()

    @property
    def lines(self) -> Sequence[Cell]:
        """What it holds, also out of sight."""
        return self._lines

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self.paint = paint
        if paint.plain:
            # Textual reads it from the bar itself: this one alone is plain.
            self.vertical_scrollbar.renderer = _PlainBar  # type: ignore[misc]
        self.refresh()

    def show(self, lines: Sequence[Cell]) -> None:
        """Draw these."""
        if lines == self._lines:
            return
        self._lines = lines
        self.virtual_size = Size(self.size.width, len(lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line."""
        index = y + int(self.scroll_offset.y)
        content = self._lines[index] if index < len(self._lines) else EMPTY
        return self.paint.strip(content, self.size.width, ground="panel")
