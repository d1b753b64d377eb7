"""How the console acts: the dialogs that ask, whether it may, and the way that commands go."""

import asyncio
from typing import TYPE_CHECKING

from mds_engine.control import Command, CommandResult
from mds_engine.control.registry import entry_of

from mds_tui.arming import Arming
from mds_tui.screens.subjects import Subject, routes_for, sources_for

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

ANSWER_WITHIN_S = 10.0
"""A command that has no answer by then is reported as such."""


class Acting:
    """Of one console."""

    def __init__(self, console: "ConsoleApp") -> None:
        settings = console.settings
        self.arming = Arming(read_only=settings.read_only, token=settings.arming_token)
        self._console = console

    def refusal(self) -> str:
        """Why dangerous keys and words do nothing now, in a sentence; empty while they do."""
        console = self._console
        if console.link.mode == "replay":
            return "this is a recording: what happened in it cannot be changed"
        if console.settings.locked:
            return "this tab is read-only: whoever runs the engine lets it act, with --allow-acting"
        return "" if self.arming.may_act(console.now()) else "the console is read-only; W arms it"

    def beat(self) -> None:
        """Say so when arming has ended by itself."""
        if self.arming.ran_out(self._console.now()):
            self._console.notify("the time is over: read-only again", title="disarmed", severity="warning")
            self._console.desk.refresh_bindings()

    def open_dialog(self, name: str, subject: Subject) -> None:
        """Ask about a registry entry, for the row under the cursor; send at once what is harmless."""
        from mds_tui.screens.asking import dialog_for

        console = self._console
        snapshot = console.view().snapshot
        asked = dialog_for(
            name,
            subject,
            routes=routes_for(subject, snapshot),
            sources=sources_for(subject, snapshot),
            view=console.view,
            paint=console.paint,
            operator=console.settings.operator,
        )
        if isinstance(asked, str):
            console.notify(asked, severity="information")
        elif isinstance(asked, Command):
            self.submit(asked)
        else:
            console.push_screen(asked, lambda command: self.submit(command) if command is not None else None)

    def confirm(self, command: Command, title: str) -> None:
        """Say what a command will do, and send it if it is wanted."""
        from mds_engine.control.preview import preview

        from mds_tui.screens.dialog import Confirm

        console = self._console
        dialog = Confirm(
            title, "do it", lambda: preview(command, console.view().snapshot), console.view, console.paint
        )
        console.push_screen(dialog, lambda yes: self.submit(command) if yes else None)

    def submit(self, command: Command) -> None:
        """Send a command and show what became of it, unless that is not allowed any more."""
        asked = entry_of(command).dangerous or self._console.settings.locked
        refusal = self.refusal() if asked else ""
        if refusal:
            self._console.notify(refusal, severity="warning")
            return
        # A failing worker must never take the screen down with it.
        self._console.run_worker(self._send(command), name="send", group="send", exit_on_error=False)

    async def _send(self, command: Command) -> None:
        console = self._console
        answer = console.link.send(command)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                result: CommandResult = await asyncio.wrap_future(answer)
        except TimeoutError:
            became = "it will not be done" if answer.cancelled() else "it is being done: see the events"
            words = f"no answer from the engine within {ANSWER_WITHIN_S:.0f} s; {became}"
            console.notify(words, title="not done" if answer.cancelled() else "waiting", severity="error")
            return
        console.notify(
            result.message,
            title="done" if result.accepted else "refused",
            severity="information" if result.accepted else "error",
        )
        console.beat()
