"""The footer: the keys that work here and now, read from the screen's own bindings."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from textual.screen import Screen

from mds_tui.finding.key_names import shown_key
from mds_tui.format.cells import Cell, Ink, Span, width_of
from mds_tui.widgets.bar import Bar


class Hint(NamedTuple):
    """One key in the footer."""

    key: str
    label: str
    action: str
    enabled: bool
    weight: int
    """The highest goes first where room is short."""


def hints_of(screen: Screen[Any], weights: Mapping[str, int], *, plain: bool) -> list[Hint]:
    """The keys that a screen shows, as they are just now; an action once, with its first key."""
    hints: dict[str, Hint] = {}
    for key, (node, binding, enabled, _) in screen.active_bindings.items():
        action = _namespaced(binding.action, "screen" if node is screen else "focused")
        if binding.show and action not in hints:
            weight = weights.get(binding.action, len(weights))
            hints[action] = Hint(shown_key(key, plain=plain), binding.description, action, enabled, weight)
    return sorted(hints.values(), key=lambda hint: _part(hint.action))


def keys_words(screen: Screen[Any], width: int | None = None, *, plain: bool) -> str:
    """Those that can be pressed in a line of text, for the border of a dialog or a page: `? help · esc back`.

    Where there is no room for all in `width` columns, help and the way out stay; 0 and None are no limit.
    """
    between = " - " if plain else " · "
    kept = [hint for hint in hints_of(screen, {}, plain=plain) if hint.enabled]
    while True:
        words = between.join(f"{hint.key} {hint.label}" for hint in kept)
        less = [hint for hint in kept if not _stays(hint.action)]
        if not width or len(words) <= width or not less:
            return words
        kept.remove(less[-1])


def keys_for(screen: Screen[Any], *actions: str, plain: bool) -> str:
    """The first key of each of the screen's own actions: `J K`."""
    held = screen.active_bindings
    found = (
        next(
            (shown_key(key, plain=plain) for key, active in held.items() if active.binding.action == action),
            "",
        )
        for action in actions
    )
    return " ".join(found)


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
        self.show(hint_cell(hints_of(self.screen, self._weights, plain=self.paint.plain), self.size.width))


def _part(action: str) -> int:
    """What acts, then what looks, then help and the way out."""
    if action.startswith("screen.act("):
        return 0
    if action.startswith("screen.tool("):
        return 0
    return 2 if _stays(action) else 1


def _stays(action: str) -> bool:
    return action in {"app.explain", "app.quit", "screen.close", "screen.cancel", "screen.leave"}


def _namespaced(action: str, owner: str) -> str:
    """As a click has to name it: a pane's own action is none of the screen's."""
    return action if "." in action.split("(", maxsplit=1)[0] else f"{owner}.{action}"
