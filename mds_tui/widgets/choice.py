"""A question with a few answers on one line."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, width_of
from mds_tui.forms.form import Option
from mds_tui.widgets.paint import NO_PAINT, Paint

LABEL = 10


class Choice(Widget, can_focus=True):
    """Left and right change the answer; it never does anything else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space,enter", "turn(1)", "next answer", show=False, id="dialog.next-answer"),
        Binding("left,h", "turn(-1)", "previous answer", show=False, id="dialog.previous-answer"),
    ]
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    """

    class Changed(Message):
        """Another answer."""

        def __init__(self, name: str, value: str) -> None:
            super().__init__()
            self.name = name
            self.value = value

    def __init__(self, name: str, paint: Paint = NO_PAINT) -> None:
        super().__init__(id=f"choice-{name}")
        self.field = name
        self.paint = paint
        self.options: Sequence[Option] = ()
        self.value = ""

    def show(self, options: Sequence[Option], value: str) -> None:
        """The answers there are, and the one that holds."""
        if (options, value) != (self.options, self.value):
            self.options, self.value = options, value
            self.refresh()

    def action_turn(self, by: int) -> None:
        """The answer to the right or left."""
        values = [option.value for option in self.options]
        if len(values) < 2:
            return
        place = values.index(self.value) if self.value in values else 0
        self.post_message(self.Changed(self.field, values[(place + by) % len(values)]))

    def on_click(self, event: events.Click) -> None:
        """Choose the answer under the mouse."""
        before, visible, _ = self._visible()
        x = LABEL + 2 + before
        for option in visible:
            width = width_of((Span(option.label),)) + 2
            if x <= event.x < x + width:
                self.post_message(self.Changed(self.field, option.value))
            x += width

    def render_line(self, y: int) -> Strip:
        """Label, then the answers with the chosen one marked."""
        spans = [
            Span(
                (self.paint.glyphs.cursor if self.has_focus else " ").ljust(2),
                Ink.ACCENT,
            ),
            Span(self.field.ljust(LABEL), Ink.TEXT if self.has_focus else Ink.DIM),
        ]
        before, visible, after = self._visible()
        more = Span(self.paint.glyphs.more, Ink.DIM)
        if before:
            spans.append(more)
        for option in visible:
            chosen = option.value == self.value
            spans.append(Span(f"[{option.label}]" if chosen else f" {option.label} ", _ink(chosen=chosen)))
        if after:
            spans.append(more)
        content: Cell = tuple(spans) if y == 0 else EMPTY
        ground = "cursor" if self.has_focus else "panel"
        return self.paint.strip(content, self.size.width, ground=ground)

    def _visible(self) -> tuple[bool, Sequence[Option], bool]:
        """Those that fit, the chosen one among them, and whether there are others before and after."""
        room = self.size.width - LABEL - 2
        options = list(self.options)
        before = after = False
        while len(options) > 1 and _width(options) + before + after > room:
            values = [option.value for option in options]
            place = values.index(self.value) if self.value in values else 0
            if place > len(options) // 2:
                before = True
                options.pop(0)
            else:
                after = True
                options.pop()
        return before, options, after


def _width(options: Sequence[Option]) -> int:
    return sum(width_of((Span(option.label),)) + 2 for option in options)


def _ink(*, chosen: bool) -> Ink:
    return Ink.ACCENT if chosen else Ink.DIM
