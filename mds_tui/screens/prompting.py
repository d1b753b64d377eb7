"""The desk's one line to type on: what a filter and a command do as they are typed."""

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from mds_engine.control import Command
from mds_engine.control.registry import entry_of, parse
from mds_engine.errors import InvalidRequest
from textual.screen import Screen

from mds_tui.format.sight import Sight
from mds_tui.tools import Tool, remembered_line, run, tool_of_line
from mds_tui.widgets.key_bar import KeyBar
from mds_tui.widgets.live_grid import LiveGrid

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp
    from mds_tui.finding.completion import Assistance
    from mds_tui.finding.history import History
    from mds_tui.widgets.hints import Hints
    from mds_tui.widgets.prompt import Prompt


class PromptScreen(Screen[None]):
    """A screen with a focused pane, and a prompt in place of its footer while something is typed."""

    sight: Sight

    @property
    def console(self) -> "ConsoleApp":
        """The app, by its own type."""
        return cast("ConsoleApp", self.app)

    @property
    def focused_pane(self) -> LiveGrid[Any]:
        """The one that keys go to, also while something is typed."""
        raise NotImplementedError

    @property
    def is_typing(self) -> bool:
        """Whether keys go to the line that is typed on."""
        return self.focused is not None and self.focused.id == "prompt"

    def focus_pane(self) -> None:
        """Give the keys to the focused pane before the next one comes; `Widget.focus` would be late."""
        self.set_focus(self.focused_pane, scroll_visible=False)

    async def action_prompt(self, sign: str, text: str = "") -> None:
        """Begin to type a filter or a command."""
        from mds_tui.widgets.prompt import Prompt

        found = self.query(Prompt)
        if found:
            self._begin(found.first(Prompt), sign, text)
            return
        from mds_tui.widgets.hints import Hints

        prompt = Prompt(self._assist, self.history, id="prompt")
        # Waited for: the next key must find the line, not the desk.
        await self.mount(prompt, Hints(id="hints"), before="#keys")
        self._begin(prompt, sign, text)

    @cached_property
    def history(self) -> "History":
        """The commands that were typed here, and before."""
        from mds_tui.finding.history import History

        return History(self.console.settings.history_file)

    def _assist(self, line: str) -> "Assistance":
        from mds_tui.finding.completion import assist
        from mds_tui.finding.places import known_words
        from mds_tui.finding.values import Known

        known = Known(self.sight.snapshot, known_words(self.console))
        return assist(line, known, refusal=self.console.refusal)

    def on_prompt_assisted(self, message: "Prompt.Assisted") -> None:
        """Show it above the line, while there is one."""
        from mds_tui.widgets.hints import Hints

        shown = message.assistance if self.query_one("#prompt").display else None
        width, height = self.size
        self.query_one(Hints).show(shown, message.chosen, width=width, height=height)

    def _begin(self, prompt: "Prompt", sign: str, text: str) -> None:
        hints = cast("Hints", self.query_one("#hints"))
        hints.use(self.console.paint)
        prompt.display = True
        self.query_one("#keys").display = False
        prompt.begin(sign, self.focused_pane.needle if sign == "/" else text)
        self.set_focus(prompt, scroll_visible=False)

    def on_prompt_left(self, message: "Prompt.Left") -> None:
        """Escape: a filter that was being typed goes."""
        if message.sign == "/":
            self.focused_pane.filter("")
        self._end_prompt()

    def on_input_changed(self, event: Any) -> None:
        """A filter works while it is typed; a line without its sign is left."""
        prompt = event.input
        if not prompt.has_focus:
            return
        if not prompt.value:
            if prompt.sign == "/":
                self.focused_pane.filter("")
            self._end_prompt()
        elif prompt.sign == "/":
            self.focused_pane.filter(prompt.typed)

    def on_input_submitted(self, event: Any) -> None:
        """Keep the filter; or read the command."""
        prompt = event.input
        line = prompt.typed.strip()
        if prompt.sign == "/":
            self._end_prompt()
            return
        if not line:
            self._end_prompt()
            return
        self._remember(remembered_line(line))
        if (found := tool_of_line(line)) is not None:
            self._end_prompt()
            self.use_tool(*found)
            return
        try:
            command = parse(line, by=self.console.settings.operator)
        except InvalidRequest as error:
            self.notify(error.message, title="not understood", severity="error")
            return
        self._end_prompt()
        self.give(command)

    def _remember(self, line: str) -> None:
        self.history.add(line)
        keeping = asyncio.to_thread(self.history.keep, line)
        self.console.run_worker(keeping, name="history", group="history", exit_on_error=False)

    def use_tool(self, tool: Tool, words: str = "") -> None:
        """Open one of the console's own tools, unless that is not allowed now."""
        if tool.dangerous and not self.console.may_act:
            self.notify(self.console.refusal, severity="warning")
        else:
            run(tool, self.console, words)

    def give(self, command: Command) -> None:
        """Send what is harmless; ask about the rest."""
        if not entry_of(command).dangerous:
            self.console.submit(command)
        elif not self.console.may_act:
            self.notify(self.console.refusal, severity="warning")
        else:
            self.console.confirm(command, entry_of(command).title)

    def _end_prompt(self) -> None:
        self.query_one("#prompt").display = self.query_one("#hints").display = False
        keys = self.query_one("#keys", KeyBar)
        keys.display = True
        # At once: below a screen that is opened now, nothing would be laid out or drawn any more.
        self._refresh_layout()
        self.focus_pane()
        keys.settle()
