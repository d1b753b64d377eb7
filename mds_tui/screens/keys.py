"""The desk's keys, in one table; those that act come from the registry of commands."""

from mds_engine.control.registry import REGISTRY, Entry
from textual.binding import Binding

from mds_tui.tools import TOOLS

_SHORT = {"reset-breaker": "reset", "force-breaker": "breaker", "restart-source": "restart"}
"""Labels for the footer where a registry's title is too long for it."""
_ARM = "tool('arm')"
_SELDOM = tuple(f"act('{name}')" for name in ("restart-source", "set-rate-limit", "check-health"))
"""What makes room first in the footer: no outage waits for it."""


def entries_by_key() -> dict[str, tuple[Entry, ...]]:
    """Registry entries that share a key share a dialog."""
    keyed: dict[str, tuple[Entry, ...]] = {}
    for entry in REGISTRY:
        if entry.key:
            keyed[entry.key] = (*keyed.get(entry.key, ()), entry)
    return keyed


def acting_bindings() -> list[Binding]:
    """One binding for each key of the registry."""
    return [
        Binding(
            key,
            f"act('{entries[0].name}')",
            _SHORT.get(entries[0].name, entries[0].title),
            id=f"act.{entries[0].name}",
        )
        for key, entries in entries_by_key().items()
    ]


def tool_bindings() -> list[Binding]:
    """One binding for each of the console's own tools that has a key; those that act are in the footer."""
    return [
        Binding(tool.key, f"tool('{tool.name}')", tool.title, show=tool.dangerous, id=f"tool.{tool.name}")
        for tool in TOOLS
        if tool.key
    ]


LOOKING_BINDINGS = [
    Binding("X", "app.restart_engine", "restart the engine", id="desk.restart-engine"),
    Binding("u", "undo", "undo", id="desk.undo"),
    # Before the pane gets it: what comes in one read with it, as over a slow line, belongs to the prompt.
    Binding("slash", "prompt('/')", "filter", id="desk.filter", priority=True),
    Binding("colon", "prompt(':')", "command", id="desk.command", priority=True),
    Binding("plus", "zoom", "zoom", id="desk.zoom"),
    Binding("question_mark,f1", "app.explain", "help", id="desk.help"),
    Binding("q", "app.quit", "quit", id="desk.quit"),
    Binding("p", "pause", "pause the display", show=False, id="desk.pause"),
    Binding("escape", "clear", "clear the filter, leave the zoom", show=False, id="desk.clear"),
    Binding("tab,right,l", "next_pane(1)", "next pane", show=False, id="desk.next-pane"),
    Binding("shift+tab,left,h", "next_pane(-1)", "previous pane", show=False, id="desk.previous-pane"),
    *(
        Binding(str(number), f"pane({number})", f"pane {number}", show=False, id=f"desk.pane-{number}")
        for number in range(1, 7)
    ),
]

IMPORTANCE = (
    "app.explain",
    "app.quit",
    "app.restart_engine",
    _ARM,
    *(binding.action for binding in acting_bindings() if binding.action not in _SELDOM),
    "undo",
    "open",
    *(binding.action for binding in tool_bindings() if binding.action != _ARM),
    "prompt('/')",
    "prompt(':')",
    "zoom",
    *_SELDOM,
)
"""For the footer: what is left out last comes first."""
