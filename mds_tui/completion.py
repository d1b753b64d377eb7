"""What the `:` line offers to complete: command names, then routes, sources and options."""

from collections.abc import Iterable

import msgspec
from mds_engine.control import Snapshot
from mds_engine.control.commands import ForcedState
from mds_engine.control.registry import REGISTRY, Entry

from mds_tui.tools import TOOLS


def complete_line(line: str, snapshot: Snapshot) -> str | None:
    """A line with its `:`, or None: a filter is never completed."""
    found = complete(line[1:], snapshot) if line.startswith(":") else None
    return f":{found}" if found is not None else None


def complete(line: str, snapshot: Snapshot | None) -> str | None:
    """The whole line with its last word completed; None where there is nothing to add."""
    words = line.split(" ")
    begun = words[-1]
    candidates = _names() if len(words) == 1 else _arguments(words, snapshot)
    if not begun and len(words) == 1:
        return None
    for candidate in candidates:
        if candidate.startswith(begun) and candidate != begun:
            return line[: len(line) - len(begun)] + candidate
    return None


def _names() -> Iterable[str]:
    return [*(entry.name for entry in REGISTRY), *(tool.name for tool in TOOLS)]


def _arguments(words: list[str], snapshot: Snapshot | None) -> Iterable[str]:
    chosen = next((entry for entry in REGISTRY if entry.name == words[0]), None)
    if chosen is None:
        return []
    if words[-1].startswith("--"):
        return [f"--{field.name}" for field in msgspec.structs.fields(chosen.command)]
    place = len(words) - 2
    if not chosen.positional or snapshot is None:
        return []
    return _values(chosen, chosen.positional[min(place, len(chosen.positional) - 1)], snapshot)


def _values(chosen: Entry, name: str, snapshot: Snapshot) -> Iterable[str]:
    match name:
        case "route":
            return [route.key for route in snapshot.routes]
        case "source" | "sources" | "to":
            return [source.name for source in snapshot.sources]
        case "state":
            return [state.value for state in ForcedState]
        case "enabled":
            return ["true", "false"]
        case "instruments":
            return [row.instrument for row in snapshot.watch]
        case "capability":
            return sorted({view.capability for source in snapshot.sources for view in source.capabilities})
        case _:
            return [f"--{field.name}" for field in msgspec.structs.fields(chosen.command)]
