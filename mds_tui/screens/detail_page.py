"""The page behind a row: why it is so, and the keys that act on it without going back first."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from mds_engine.control.events import Event
from textual.binding import Binding, BindingType

from mds_tui.details.opened import detail_of
from mds_tui.format.cells import Cell
from mds_tui.panes.events import EventsPane
from mds_tui.screens.keys import acting_bindings, tool_bindings
from mds_tui.screens.page import Page
from mds_tui.screens.subjects import Subject, subject_of
from mds_tui.tools import run, tool_named

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_TOOLS = ("tool('login')", "tool('drill')")
"""Those that act on a source."""
_SHOWN = tuple(f"act('{name}')" for name in ("fail-over", "automatic", "reset-breaker", "force-breaker"))
"""For the border: it has little room."""


class DetailPage(Page):
    """What acts on the desk acts here, on what the page is about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "go", "go to it", id="events.go"),
        *(replace(binding, show=binding.action in _SHOWN) for binding in acting_bindings()),
        *(replace(binding, show=False) for binding in tool_bindings() if binding.action in _TOOLS),
        Binding("u", "undo", "undo", id="desk.undo"),
    ]

    def __init__(
        self, console: "ConsoleApp", title: str, build: Callable[[int], Sequence[Cell]], item: object
    ) -> None:
        """`item` is what stands in the row."""
        super().__init__(title, build, console.paint)
        self._owner = console
        self._item = item

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """As on the desk; only of an event can one go to what it is about."""
        if action == "go":
            return isinstance(self._item, Event)
        if action in {"act", "tool", "undo"}:
            return self._owner.desk.check_action(action, parameters)
        return super().check_action(action, parameters)

    def action_act(self, name: str) -> None:
        """The dialog of a registry entry."""
        self._owner.open_dialog(name, self._subject())

    def action_tool(self, name: str) -> None:
        """One of the console's own tools."""
        if (tool := tool_named(name)) is not None:
            run(tool, self._owner, self._subject().source or "")

    def action_undo(self) -> None:
        """Take back the last command that can be taken back."""
        self._owner.desk.action_undo()

    def action_go(self) -> None:
        """Leave the page for the row that the event is about."""
        if isinstance(self._item, Event):
            self.dismiss(None)
            cast("EventsPane", self._owner.desk.pane_named("events")).lead(self._item)

    def _subject(self) -> Subject:
        return subject_of(self._item, self._owner.view().snapshot)


def open_detail(console: "ConsoleApp", item: object, key: str) -> None:
    """The page behind a row with that key; nothing where there is none."""
    detail = detail_of(item, key, console.feed.events, console.desk.sight.snapshot)
    if detail is not None:
        title, lines = detail
        console.push_screen(DetailPage(console, title, lambda width: lines(console.view(), width), item))
