"""The help page, made from the bindings that hold where the operator stands."""

from collections.abc import Mapping, Sequence

from mds_engine.control.registry import REGISTRY
from textual.binding import ActiveBinding

from mds_tui.details.lines import heading
from mds_tui.format.cells import Cell, Ink, Span, fit, wrap
from mds_tui.screens.keys import entries_by_key
from mds_tui.tools import TOOLS, tool_named
from mds_tui.widgets.key_bar import key_name

_KEY = 20
_COMMAND = 42
_TEXTUALS_OWN = {"screen.copy_text"}


def help_lines(bindings: Mapping[str, ActiveBinding], pane: str, width: int) -> tuple[Cell, ...]:
    """Keys of the focused pane, then of the desk, then what acts, then every command of the `:` line."""
    of_pane, of_desk, acting = _grouped(bindings, width)
    lines: list[Cell] = [(Span(f"in {pane}", Ink.ACCENT),)]
    lines += of_pane
    lines += [*heading("to act, after a confirmation"), *acting]
    lines += [*heading("everywhere"), *of_desk]
    lines += heading("on the : line, and in the palette (ctrl+p)")
    commands = [(entry.name, " ".join(entry.positional), entry.about) for entry in REGISTRY]
    tools = [(tool.name, tool.arguments, tool.about) for tool in TOOLS]
    for name, arguments, words in [*commands, *tools]:
        named = fit((Span(f"{name} ", Ink.TEXT), Span(arguments, Ink.FAINT)), _COMMAND)
        about, *rest = wrap((Span(words, Ink.DIM),), max(10, width - _COMMAND - 2))
        lines.append((*named, Span("  "), *about))
        lines += [(Span(" " * (_COMMAND + 2)), *line) for line in rest]
    lines += heading("filter")
    lines.append((Span("/kite|yahoo", Ink.TEXT), Span("  either   ", Ink.DIM), Span("/!closed", Ink.TEXT)))
    lines[-1] = (*lines[-1], Span("  all but   ", Ink.DIM), Span("esc", Ink.TEXT), Span("  none", Ink.DIM))
    return tuple(lines)


def _either(sentences: Sequence[str]) -> str:
    """Sentences as one: `Move a route; or force it.`"""
    first, *others = (sentence.rstrip(".") for sentence in sentences)
    return "; or ".join([first, *(other[:1].lower() + other[1:] for other in others)]) + "."


def _grouped(
    bindings: Mapping[str, ActiveBinding], width: int
) -> tuple[Sequence[Cell], Sequence[Cell], Sequence[Cell]]:
    """Bindings with the same action on one line."""
    keys: dict[tuple[bool, str], tuple[list[str], ActiveBinding]] = {}
    for key, active in bindings.items():
        if not active.binding.description or active.binding.system or active.binding.action in _TEXTUALS_OWN:
            continue
        on_pane = not active.node.is_modal and active.node.id is not None and active.node.id != "main"
        action = "pane" if active.binding.action.startswith("pane(") else active.binding.action
        slot = keys.setdefault((on_pane, action), ([], active))
        slot[0].append(key_name(key))
    of_pane: list[Cell] = []
    of_desk: list[Cell] = []
    acting: list[Cell] = []
    about = {
        entries[0].name: _either([entry.about for entry in entries]) for entries in entries_by_key().values()
    }
    for (on_pane, action), (names, active) in keys.items():
        words = "the pane of that number" if action == "pane" else active.binding.description
        if action.startswith("act("):
            words = f"{words}: {about.get(action[5:-2], '')}"
        elif action.startswith("tool(") and (tool := tool_named(action[6:-2])) is not None:
            words = f"{words}: {tool.about}"
        words = words[:1].lower() + words[1:] + ("" if active.enabled else "  (not now)")
        label: Cell = (Span("  " + " ".join(names), Ink.ACCENT if active.enabled else Ink.FAINT),)
        wrapped = wrap((Span(words, Ink.TEXT if active.enabled else Ink.FAINT),), max(20, width - _KEY))
        target = acting if action.startswith("act(") else of_pane if on_pane else of_desk
        target.append((*fit(label, _KEY), *wrapped[0]))
        target += [(Span(" " * _KEY), *line) for line in wrapped[1:]]
    return of_pane, of_desk, acting
