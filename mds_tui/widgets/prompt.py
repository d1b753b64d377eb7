"""The one line to type on: `/` filters, `:` commands."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

HISTORY = 50


class _Completions(Suggester):
    def __init__(self, complete: Callable[[str], str | None]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        return self._complete(value)


class Prompt(Input):
    """Typed text with its sign in front; Escape leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("tab", "complete", "complete", show=False),
        Binding("up", "recall(-1)", "earlier", show=False),
        Binding("down", "recall(1)", "later", show=False),
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

    def __init__(self, complete: Callable[[str], str | None], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, suggester=_Completions(complete), compact=True, select_on_focus=False)
        self._complete = complete
        self.sign = ":"
        self._history: list[str] = []
        self._place = 0

    def begin(self, sign: str, text: str) -> None:
        """Start typing."""
        self.sign = sign
        self.value = sign + text
        self.cursor_position = len(self.value)
        self._place = len(self._history)

    @property
    def typed(self) -> str:
        """Without the sign."""
        return self.value.removeprefix(self.sign)

    def remember(self, line: str) -> None:
        """Keep a command for the up key."""
        if line and line not in self._history[-1:]:
            self._history = [*self._history[1 - HISTORY :], line]

    def action_leave(self) -> None:
        """Close without doing anything."""
        self.post_message(self.Left(self.sign))

    def action_complete(self) -> None:
        """Take what is suggested."""
        if (suggestion := self._complete(self.value)) is not None:
            self.value = suggestion
            self.cursor_position = len(self.value)

    def action_recall(self, by: int) -> None:
        """Earlier commands."""
        if self.sign != ":" or not self._history:
            return
        self._place = max(0, min(len(self._history), self._place + by))
        text = self._history[self._place] if self._place < len(self._history) else ""
        self.value = self.sign + text
        self.cursor_position = len(self.value)
