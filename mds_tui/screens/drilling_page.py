"""The page of one drill: live while it runs, its scorecard when it is over."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mds_engine.control.commands import EndDrill
from mds_engine.control.drill import DrillCard
from mds_engine.control.events import DrillEnded
from textual.binding import Binding, BindingType

from mds_tui.details.drill import card_lines, view_lines
from mds_tui.format.cells import Cell, Ink, cell
from mds_tui.screens.page import Page

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


class DrillPage(Page):
    """Can be left and opened again: the drill goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("E", "end", "end it", id="drill.end"),
        Binding("w", "write", "write it as Markdown", id="drill.write"),
    ]

    def __init__(self, console: "ConsoleApp", number: int) -> None:
        """`number` is the drill's own."""
        super().__init__("drill", self._lines_for, console.paint)
        self._owner = console
        self._number = number

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """It is ended while it runs, and written when it is over."""
        if action == "end":
            if not self._runs:
                return False
            return True if self._owner.may_act else None
        if action == "write":
            return self._card() is not None and not self._owner.settings.in_browser
        return super().check_action(action, parameters)

    def action_end(self) -> None:
        """Ask, then end the fault, or the watching of its recovery."""
        self._owner.confirm(EndDrill(by=self._owner.settings.operator), "end the drill")

    def action_write(self) -> None:
        """The scorecard as a file, beside the event loop."""
        # Nobody writes one before the first paint.
        from mds_tui.drill_export import write
        from mds_tui.export import ExportError, default_folder

        console, card = self._owner, self._card()
        if card is None:
            return
        events, engine = tuple(console.feed.events), console.view().snapshot.engine.name

        async def work() -> None:
            try:
                where = await asyncio.to_thread(write, card, events, engine, default_folder())
            except ExportError as error:
                told, title, severity = str(error), "not written", "error"
            else:
                told, title, severity = where, "written", "information"
            console.clear_notifications()  # below a page there is room for one
            console.notify(told, title=title, severity=severity)  # type: ignore[arg-type]

        console.run_worker(work(), name="write", group="export", exit_on_error=False)

    @property
    def _runs(self) -> bool:
        drill = self._owner.view().snapshot.drill
        return drill is not None and drill.number == self._number

    def _card(self) -> DrillCard | None:
        if self._runs:
            return None
        ended = (event for event in self._owner.feed.events if isinstance(event, DrillEnded))
        return next((event.card for event in ended if event.drill == self._number), None)

    def _lines_for(self, width: int) -> Sequence[Cell]:
        sight, events = self._owner.view(), self._owner.feed.events
        if self._runs and sight.snapshot.drill is not None:
            return view_lines(sight.snapshot.drill, events, sight, width)
        card = self._card()
        if card is not None:
            return card_lines(card, events, sight, width)
        return (cell("The result of this drill is no longer kept.", Ink.WARN),)
