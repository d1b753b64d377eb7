"""A page of lines over the desk: details and help."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from mds_tui.format.cells import Cell
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint

_REFRESH_S = 0.5


class Page(ModalScreen[None]):
    """Made anew from the latest picture twice a second; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,enter", "close", "back", id="page.back"),
        Binding("question_mark,f1", "app.explain", "help", id="page.help"),
    ]
    DEFAULT_CSS = """
    Page { align: center middle; background: $mds-background 60%; }
    Page > Lines {
        width: 92%; max-width: 132; height: 88%;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 1 1 0 2;
    }
    Page.-ascii > Lines { border: ascii $mds-accent; scrollbar-size: 0 0; }
    """

    def __init__(self, title: str, build: Callable[[int], Sequence[Cell]], paint: Paint) -> None:
        """`build` gives the lines for a width."""
        super().__init__()
        self._heading = title
        self._build = build
        self._paint = paint

    def compose(self) -> ComposeResult:
        """One list of lines."""
        lines = Lines(id="page")
        lines.border_title = self._heading
        yield lines

    def on_mount(self) -> None:
        """Draw, and keep drawing."""
        self.set_class(self._paint.plain, "-ascii")
        lines = self.query_one("#page", Lines)
        lines.use(self._paint)
        lines.focus()
        self.watch(lines, "scroll_y", self._tell_place, init=False)
        self.call_after_refresh(self.settle)
        self.set_interval(_REFRESH_S, self.settle)
        self.bindings_updated_signal.subscribe(self, lambda _screen: self._tell_place())

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self.settle)

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self._paint = paint
        self.query_one("#page", Lines).use(paint)
        self.settle()

    def settle(self) -> None:
        """Build the lines again, and offer what can be done now."""
        lines = self.query_one("#page", Lines)
        lines.show(self._build(max(20, lines.size.width - 1)))
        self.refresh_bindings()
        self._tell_place()

    def _tell_place(self) -> None:
        """Which lines are in sight, where they are not all."""
        lines = self.query_one("#page", Lines)
        total, height, first = len(lines.lines), lines.size.height, round(lines.scroll_y)
        keys = keys_words(self, lines.size.width - 20, plain=self._paint.plain)
        place = f"{first + 1}–{min(total, first + height)} of {total} · " if total > height else ""
        lines.border_subtitle = self._paint.words(f"{place}{keys}")

    def action_close(self) -> None:
        """Back to the desk."""
        self.dismiss(None)
