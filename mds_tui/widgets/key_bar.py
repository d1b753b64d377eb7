"""The footer: the keys that work here and now, read from the screen's own bindings."""

from collections.abc import Sequence
from typing import NamedTuple

from mds_tui.format.cells import Cell, Ink, Span, width_of
from mds_tui.widgets.bar import Bar

_DISPLAY = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "plus": "+",
    "enter": "⏎",
    "escape": "esc",
    "tab": "tab",
}


class Hint(NamedTuple):
    """One key in the footer."""

    key: str
    label: str
    action: str
    enabled: bool
    weight: int
    """The highest goes first where room is short."""


def key_name(key: str) -> str:
    """How a key is written for people."""
    return _DISPLAY.get(key, key)


def hint_cell(hints: Sequence[Hint], width: int) -> Cell:
    """As many hints as fit, in their order, the heaviest left out first."""
    kept = list(hints)
    while True:
        for gap in (2, 1):
            line = _line(kept, gap)
            if width_of(line) <= width or not kept:
                return line
        kept.remove(max(kept, key=lambda hint: hint.weight))


def _line(hints: Sequence[Hint], gap: int) -> Cell:
    spans: list[Span] = [Span(" ")]
    for index, hint in enumerate(hints):
        if index:
            spans.append(Span(" " * gap))
        action = hint.action if hint.enabled else ""
        spans.append(Span(hint.key, Ink.ACCENT if hint.enabled else Ink.FAINT, action))
        spans.append(Span(f" {hint.label}", Ink.DIM if hint.enabled else Ink.FAINT, action))
    return tuple(spans)


class KeyBar(Bar):
    """Follows the bindings of its screen."""

    def __init__(self, importance: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """`importance` are actions, the most important first; those not named are the least."""
        super().__init__(id=id)
        self._weights = {action: place for place, action in enumerate(importance)}

    def on_mount(self) -> None:
        """Draw again when the bindings change."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.settle())
        self.call_after_refresh(self.settle)

    def on_resize(self) -> None:
        """Another number of hints fits."""
        self.settle()

    def settle(self) -> None:
        """Read the bindings."""
        if not self.is_attached or not self.screen.is_active:
            return
        hints: list[Hint] = []
        for key, (node, binding, enabled, _) in self.screen.active_bindings.items():
            action = _namespaced(binding.action, "screen" if node is self.screen else "focused")
            if binding.show and all(hint.action != action for hint in hints):
                weight = self._weights.get(binding.action, len(self._weights))
                name = binding.key_display or key_name(key)
                name = key if self.paint.plain and not name.isascii() else name
                hints.append(Hint(name, binding.description, action, enabled, weight))
        hints.sort(key=lambda hint: _part(hint.action))
        self.show(hint_cell(hints, self.size.width))


def _part(action: str) -> int:
    """What acts, then what looks, then help and the way out."""
    if action.startswith("screen.act("):
        return 0
    if action.startswith("screen.tool("):
        return 0
    return 2 if action in {"screen.help", "app.quit"} else 1


def _namespaced(action: str, owner: str) -> str:
    """As a click has to name it: a pane's own action is none of the screen's."""
    return action if "." in action.split("(", maxsplit=1)[0] else f"{owner}.{action}"
