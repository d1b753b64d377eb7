"""A number that is typed or stepped."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mds_tui.format.cells import EMPTY, Cell, Ink, Span
from mds_tui.widgets.choice import LABEL
from mds_tui.widgets.paint import NO_PAINT, Paint


class Figure(Widget, can_focus=True):
    """Left and right step it, digits type it anew; it never does anything else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,plus,space", "step(1)", "more", show=False, id="dialog.more"),
        Binding("left,h,minus", "step(-1)", "less", show=False, id="dialog.less"),
        Binding("enter", "leave", "on to the button", show=False, id="dialog.typed"),
    ]
    DEFAULT_CSS = """
    Figure { height: 1; width: 1fr; }
    """

    class Changed(Message):
        """Another number; None while nothing is typed."""

        def __init__(self, value: int | None) -> None:
            super().__init__()
            self.value = value

    class Left(Message):
        """Enter: it is typed."""

    def __init__(
        self,
        name: str,
        paint: Paint = NO_PAINT,
        *,
        step: Callable[[int, int], int],
        typed: Callable[[int | None, str], int | None],
    ) -> None:
        """`step` gives the next number up (1) or down (-1), `typed` what a digit or `backspace` does."""
        super().__init__(id=f"figure-{name}")
        self.field = name
        self.paint = paint
        self.value: int | None = None
        self.hint = ""
        self._step = step
        self._typed = typed
        self._anew = True

    def show(self, value: int | None, hint: str = "") -> None:
        """The number, and a few words beside it."""
        if (value, hint) != (self.value, self.hint):
            self.value, self.hint = value, hint
            self.refresh()

    def on_focus(self) -> None:
        """What is typed first begins a new number."""
        self._anew = True

    def action_step(self, by: int) -> None:
        """The next number."""
        self._anew = True
        self._take(self._step(self.value or 1, by))

    def action_leave(self) -> None:
        """Go on."""
        self.post_message(self.Left())

    def on_key(self, event: events.Key) -> None:
        """Digits and backspace."""
        if event.key != "backspace" and not (event.character or "").isdecimal():
            return
        event.stop()
        before = None if self._anew and event.key != "backspace" else self.value
        self._anew = False
        self._take(self._typed(before, event.key if event.key == "backspace" else event.character or ""))

    def _take(self, value: int | None) -> None:
        self.show(value, self.hint)
        self.post_message(self.Changed(value))

    def render_line(self, y: int) -> Strip:
        """Label, number, and how to change it."""
        focused = self.has_focus
        number = "" if self.value is None else f"{self.value:,}"
        content: Cell = (
            Span((self.paint.glyphs.cursor if focused else " ").ljust(2), Ink.ACCENT),
            Span(self.field.ljust(LABEL), Ink.TEXT if focused else Ink.DIM),
            Span(f"[{number}]", Ink.ACCENT),
            Span(f"  {self.hint}", Ink.DIM),
        )
        ground = "cursor" if focused else "panel"
        return self.paint.strip(content if y == 0 else EMPTY, self.size.width, ground=ground)
