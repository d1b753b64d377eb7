"""The help page, made from the bindings that hold where the operator stands."""

from collections.abc import Mapping, Sequence

from mds_engine.control.registry import REGISTRY
from textual.binding import ActiveBinding

from mds_tui.details.lines import heading
from mds_tui.format.cells import Cell, Ink, Span, fit
from mds_tui.screens.keys import entries_by_key
from mds_tui.widgets.key_bar import key_name

_KEY = 16


def help_lines(bindings: Mapping[str, ActiveBinding], pane: str, width: int) -> tuple[Cell, ...]:
    """Keys of the focused pane, then of the desk, then what acts, then every command of the `:` line."""
    of_pane, of_desk, acting = _grouped(bindings)
    lines: list[Cell] = [(Span(f"in {pane}", Ink.ACCENT),)]
    lines += of_pane
    lines += [*heading("everywhere"), *of_desk]
    lines += [*heading("act, after a confirmation"), *acting]
    lines += heading("on the : line, and in the palette (ctrl+p)")
    for entry in REGISTRY:
        arguments = " ".join(entry.positional)
        lines.append(
            (
                *fit((Span(f"{entry.name} ", Ink.TEXT), Span(arguments, Ink.FAINT)), 42),
                Span("  "),
                *fit((Span(entry.about, Ink.DIM),), max(10, width - 44)),
            )
        )
    lines += heading("filter")
    lines.append((Span("/kite|yahoo", Ink.TEXT), Span("  either   ", Ink.DIM), Span("/!closed", Ink.TEXT)))
    lines[-1] = (*lines[-1], Span("  all but   ", Ink.DIM), Span("esc", Ink.TEXT), Span("  none", Ink.DIM))
    return tuple(lines)


def _grouped(
    bindings: Mapping[str, ActiveBinding],
) -> tuple[Sequence[Cell], Sequence[Cell], Sequence[Cell]]:
    """Bindings with the same action on one line."""
    keys: dict[tuple[bool, str], tuple[list[str], ActiveBinding]] = {}
    for key, active in bindings.items():
        if not active.binding.description or active.binding.system:
            continue
        on_pane = not active.node.is_modal and active.node.id is not None and active.node.id != "main"
        slot = keys.setdefault((on_pane, active.binding.action), ([], active))
        slot[0].append(key_name(key))
    of_pane: list[Cell] = []
    of_desk: list[Cell] = []
    acting: list[Cell] = []
    about = {
        entries[0].name: " or ".join(entry.about for entry in entries)
        for entries in entries_by_key().values()
    }
    for (on_pane, action), (names, active) in keys.items():
        words = active.binding.description
        if action.startswith("act("):
            words = f"{words}: {about.get(action[5:-2], '')}"
        ink = Ink.ACCENT if active.enabled else Ink.FAINT
        line: Cell = (
            *fit((Span("  " + " ".join(names), ink),), _KEY),
            Span(
                words + ("" if active.enabled else "  (not now)"), Ink.TEXT if active.enabled else Ink.FAINT
            ),
        )
        target = acting if action.startswith("act(") else of_pane if on_pane else of_desk
        target.append(line)
    return of_pane, of_desk, acting
