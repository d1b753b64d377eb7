"""The dialogs that end in a command."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from mds_engine.control import Command
from mds_engine.control.commands import SetPriority
from mds_engine.control.preview import preview
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from mds_tui.format.cells import Cell, Ink, Span
from mds_tui.format.glyphs import state_glyph, state_ink
from mds_tui.format.sight import Sight
from mds_tui.forms.form import Form, answers
from mds_tui.screens.dialog import Dialog
from mds_tui.widgets.choice import Choice
from mds_tui.widgets.key_bar import keys_for
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint


class FormDialog(Dialog[Command]):
    """A form's questions, and what its answers would do."""

    def __init__(self, form: Form, view: Callable[[], Sight], paint: Paint, operator: str) -> None:
        super().__init__(form.title, view, paint)
        self.verb = form.verb
        self._form = form
        self._operator = operator
        self._values = answers(form, form.initial, view().snapshot)

    def body(self) -> Iterable[Widget]:
        """A line for each question."""
        return [Choice(name, self.paint) for name in self._form.names]

    def sentences(self) -> Sequence[str]:
        """The preview of the command that the answers make."""
        return preview(self._command(why=""), self.view().snapshot)

    def answer(self) -> Command:
        """That command."""
        return self._command(why=self.reason)

    def settle(self) -> None:
        """Questions may have come or gone with an answer or with the engine."""
        snapshot = self.view().snapshot
        self._values = answers(self._form, self._values, snapshot)
        fields = {field.name: field for field in self._form.fields(self._values, snapshot)}
        for name in self._form.names:
            choice = self.query_one(f"#choice-{name}", Choice)
            choice.display = name in fields
            if name in fields:
                choice.show(fields[name].options, self._values.get(name, ""))
        super().settle()

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """Take the answer."""
        message.stop()
        self._values = {**self._values, message.name: message.value}
        self.settle()

    def _command(self, *, why: str) -> Command:
        return self._form.command(self._values, by=self._operator, why=why)


class FailOverDialog(FormDialog):
    """Its key again forces: what is wanted most in an outage is two presses away."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("F", "force", "force", id="dialog.force")]

    def action_force(self) -> None:
        """Force it, for a while; again, move it once."""
        how = "fail over" if self._values.get("how") == "force" else "force"
        self._values = {**self._values, "how": how}
        self.settle()


class PriorityDialog(Dialog[Command]):
    """Order the sources of one route."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("J", "shift(1)", "move down", id="priorities.move-down"),
        Binding("K", "shift(-1)", "move up", id="priorities.move-up"),
        Binding("j", "pick(1)", "next", show=False, id="priorities.next"),
        Binding("k", "pick(-1)", "previous", show=False, id="priorities.previous"),
        Binding("right_square_bracket,l", "route(1)", "next route", show=False, id="priorities.next-route"),
        Binding(
            "left_square_bracket,h", "route(-1)", "previous route", show=False, id="priorities.previous-route"
        ),
    ]
    verb = "reorder"

    def __init__(
        self, routes: tuple[str, ...], view: Callable[[], Sight], paint: Paint, operator: str
    ) -> None:
        super().__init__("priorities", view, paint)
        self._routes = routes
        self._operator = operator
        self._place = 0
        self._route = routes[0]
        self._order: list[str] = self._current_order()

    def body(self) -> Iterable[Widget]:
        """The order as it would be."""
        return [Lines(id="order")]

    def settle(self) -> None:
        """Draw the order."""
        order = self.query_one("#order", Lines)
        order.can_focus = False
        order.use(self.paint)
        lines = self._lines()
        order.styles.height = len(lines)
        order.show(lines)
        super().settle()

    def sentences(self) -> Sequence[str]:
        """What the order would change."""
        return preview(self._command(why=""), self.view().snapshot)

    def answer(self) -> Command:
        """The new order."""
        return self._command(why=self.reason)

    def action_pick(self, by: int) -> None:
        """Take another source in hand."""
        self._place = max(0, min(len(self._order) - 1, self._place + by))
        self.settle()

    def action_shift(self, by: int) -> None:
        """Move the source in hand; then the button is in reach, not pressed."""
        target = self._place + by
        if 0 <= target < len(self._order):
            self._order[self._place], self._order[target] = self._order[target], self._order[self._place]
            self._place = target
            self.query_one("#do", Button).focus()
        self.settle()

    def action_route(self, by: int) -> None:
        """Another route, where the pane did not name one."""
        place = (self._routes.index(self._route) + by) % len(self._routes)
        self._route = self._routes[place]
        self._order = self._current_order()
        self._place = 0
        self.settle()

    def _lines(self) -> tuple[Cell, ...]:
        glyphs = self.paint.glyphs
        many = len(self._routes) > 1
        plain = self.paint.plain
        hint = f"{keys_for(self, 'shift(1)', 'shift(-1)', plain=plain)} move"
        hint += f"   {keys_for(self, 'pick(1)', 'pick(-1)', plain=plain)} choose"
        if many:
            hint += f"   {keys_for(self, 'route(-1)', 'route(1)', plain=plain)} another route"
        lines: list[Cell] = [(Span(self._route, Ink.STRONG), Span(f"   {hint}", Ink.DIM))]
        for place, name in enumerate(self._order):
            source = self.view().snapshot.source(name)
            spans = [
                Span((glyphs.cursor if place == self._place else " ").ljust(2), Ink.ACCENT),
                Span(f"{place + 1}  ", Ink.DIM),
                Span(f"{name:<16}", Ink.STRONG if place == self._place else Ink.TEXT),
            ]
            if source is not None:
                words = f"{state_glyph(source.state, glyphs)} {source.state.value}"
                spans.append(Span(words, state_ink(source.state)))
            lines.append(tuple(spans))
        return tuple(lines)

    def _current_order(self) -> list[str]:
        route = self.view().snapshot.route(self._route)
        return list(route.sources) if route is not None else []

    def _command(self, *, why: str) -> Command:
        return SetPriority(route=self._route, sources=tuple(self._order), by=self._operator, why=why)
