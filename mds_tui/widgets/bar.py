"""One line of text that is drawn again only when it changed."""

from textual.strip import Strip
from textual.widget import Widget

from mds_tui.format.cells import EMPTY, Cell, fit
from mds_tui.widgets.brush import Brush
from mds_tui.widgets.drawn import Drawn
from mds_tui.widgets.paint import NO_PAINT, Paint


class Bar(Widget):
    """Header, pane names, line of trouble."""

    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, ground: str = "bar") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.ground = ground
        self.paint = NO_PAINT
        self.brush: Brush | None = None
        """Paints it anew, where the screen has one; else Textual does."""
        self._content: Cell = EMPTY

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self.paint = paint
        self.refresh()

    def show(self, content: Cell) -> None:
        """Draw this."""
        if content == self._content:
            return
        before, self._content = self._drawn(), content
        if self.brush is None or self.brush.paint(self, self.paint, {0: before}, {0: self._drawn()}):
            self.refresh()

    def _drawn(self) -> Drawn:
        return Drawn(fit(self._content, self.size.width, more=self.paint.glyphs.more), self.ground)

    @property
    def content(self) -> Cell:
        """What it shows."""
        return self._content

    def render_line(self, y: int) -> Strip:
        """The line."""
        content = self._content if y == 0 else EMPTY
        return self.paint.strip(content, self.size.width, ground=self.ground)
