"""The one line to type on: `/` filters, `:` commands."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from mds_tui.finding.completion import Assistance, completed, suggestion
from mds_tui.finding.history import History, earlier

Assist = Callable[[str], Assistance]
"""What stands beside a `:` line, given without its sign."""


class _Suggestions(Suggester):
    def __init__(self, assist: Assist) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._assist = assist

    async def get_suggestion(self, value: str) -> str | None:
        if not value.startswith(":"):
            return None
        found = suggestion(value[1:], self._assist(value[1:]))
        return f":{found}" if found is not None else None


class Prompt(Input):
    """Typed text with its sign in front; Escape leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave the line", show=False, id="line.leave"),
        Binding("tab", "complete(1)", "complete; again: the next that fits", show=False, id="line.complete"),
        Binding("shift+tab", "complete(-1)", "the one before", show=False, id="line.complete-back"),
        Binding("up", "recall(-1)", "earlier, beginning as typed", show=False, id="line.earlier"),
        Binding("down", "recall(1)", "later", show=False, id="line.later"),
    ]
    DEFAULT_CSS = """
    Prompt, Prompt:focus {
        height: 1; border: none; padding: 0 1; background: $mds-cursor; color: $mds-strong;
        background-tint: initial;
    }
    """

    class Left(Message):
        """Escape."""

        def __init__(self, sign: str) -> None:
            super().__init__()
            self.sign = sign

    class Assisted(Message):
        """Something else is to stand beside the line; None is nothing."""

        def __init__(self, assistance: Assistance | None, chosen: int | None) -> None:
            super().__init__()
            self.assistance = assistance
            self.chosen = chosen

    def __init__(self, assist: Assist, history: History, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, suggester=_Suggestions(assist), compact=True, select_on_focus=False)
        self._assist = assist
        self._history = history
        self.sign = ":"
        self._placing = False
        self._offered: tuple[str, Assistance, int] | None = None
        """The line before Tab, what was offered for it, and which of that stands there now."""
        self._begun: str | None = None
        """What had been typed when the history was first asked."""
        self._place = 0

    def begin(self, sign: str, text: str) -> None:
        """Start typing."""
        self.sign = sign
        self._offered = self._begun = None
        self._put(text)
        # The same text as the last time changes nothing that a watcher would see.
        self._tell()

    @property
    def typed(self) -> str:
        """Without the sign."""
        return self.value.removeprefix(self.sign)

    def watch_value(self) -> None:
        """Typed, not put: what was offered or recalled is over."""
        if not self._placing:
            self._offered = self._begun = None
            self._tell()

    def action_leave(self) -> None:
        """Close without doing anything."""
        self.post_message(self.Left(self.sign))

    def action_complete(self, by: int) -> None:
        """Take the first that fits; then the next, round at the end. The only one is done with."""
        if self.sign != ":":
            return
        if self._offered is None:
            found = self._assist(self.typed)
            if not found.candidates:
                return
            if len(found.candidates) == 1:
                whole = completed(self.typed, found.start, found.candidates[0])
                self._put(whole if whole.endswith(":") else f"{whole} ")
                self._tell()
                return
            self._offered = (self.typed, found, -1 if by > 0 else 0)
        line, found, chosen = self._offered
        chosen = (chosen + by) % len(found.candidates)
        self._offered = (line, found, chosen)
        self._put(completed(line, found.start, found.candidates[chosen]))
        self.post_message(self.Assisted(found, chosen))

    def action_recall(self, by: int) -> None:
        """Earlier commands that begin as what was typed; after the last one, that itself."""
        if self.sign != ":":
            return
        lines = self._history.lines
        if self._begun is None:
            self._begun, self._place = self.typed, len(lines)
        self._place = earlier(lines, self._begun, self._place, by)
        self._put(lines[self._place] if self._place < len(lines) else self._begun)
        self._offered = None
        self._tell()

    def _put(self, text: str) -> None:
        self._placing = True
        self.value = self.sign + text
        self._placing = False
        self.cursor_position = len(self.value)

    def _tell(self) -> None:
        found = self._assist(self.typed) if self.sign == ":" and self.value else None
        self.post_message(self.Assisted(found, None))
