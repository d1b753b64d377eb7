"""One route: who answers, why, who would be next, and how the last call was decided."""

from collections.abc import Iterable

from mds_engine.control.commands import FailOver
from mds_engine.control.events import Event
from mds_engine.control.preview import preview, standing

from mds_tui.details.lines import decision_lines, entry, event_rows, heading
from mds_tui.details.switches import is_switch, switch_lines
from mds_tui.format.cells import Cell, Ink, Span, cell, fit, wrap
from mds_tui.format.glyphs import state_glyph, state_ink
from mds_tui.format.numbers import count, countdown
from mds_tui.format.sight import Sight
from mds_tui.panes.routes import chain_cell

_EVENTS = 12


def route_lines(key: str, events: Iterable[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """The page; `events` newest first."""
    route = sight.snapshot.route(key)
    if route is None:
        return (cell(f"there is no route {key} any more", Ink.WARN),)
    lines: list[Cell] = [
        (Span(f"{key}  ", Ink.STRONG), *chain_cell(route, sight, width)),
    ]
    if route.pinned is not None:
        left = (
            f"for {countdown(route.pinned_for_s)} more" if route.pinned_for_s is not None else "until ended"
        )
        why = f": “{route.pin_why}”" if route.pin_why else ""
        lines += entry("forced", cell(f"to {route.pinned} {left}{why}", Ink.FORCED), width)
    failed = f", {count(route.failures)} failed" if route.failures else ""
    lines += entry("calls", cell(f"{count(route.calls)}{failed}"), width)
    if route.instruments:
        lines += entry("live", cell(f"{count(route.instruments)} instruments"), width)
    lines += heading("candidates, in order")
    for place, name in enumerate(route.sources, 1):
        source = sight.snapshot.source(name)
        if source is None:
            continue
        mark = "answers" if name == route.active else "next" if name == route.next_source else ""
        lines.append(
            (
                Span(f"{place}  ", Ink.DIM),
                Span(f"{state_glyph(source.state, sight.glyphs)} ", state_ink(source.state)),
                Span(f"{name:<14}", Ink.STRONG if mark == "answers" else Ink.TEXT),
                Span(f"{source.state.value:<13}", state_ink(source.state)),
                Span(f"{mark:<9}", Ink.ACCENT),
                *fit(cell(source.why, Ink.DIM), max(10, width - 41), more=sight.glyphs.more),
            )
        )
        for sentence in standing(name, sight.snapshot, route.capability):
            lines += [(Span("     "), *line) for line in wrap((Span(sentence, Ink.DIM),), max(20, width - 6))]
    if route.active is not None:
        lines += heading(f"if {route.active} fails now")
        lines += [
            line
            for sentence in preview(FailOver(route=key), sight.snapshot)
            for line in wrap((Span(sentence),), width)
        ]
    if route.last_decision is not None:
        lines += heading("last call")
        lines += decision_lines(route.last_decision, sight, width)
    about = [event for event in events if _is_about(event, key)]
    lines += switch_lines([event for event in about if is_switch(event)], sight, width)
    others = event_rows((event for event in about if not is_switch(event)), sight, width, most=_EVENTS)
    return (*lines, *heading("what else happened to it"), *others) if others else tuple(lines)


def _is_about(event: Event, key: str) -> bool:
    command = getattr(event, "command", None)
    named = {getattr(about, "route", None) for about in (event, command)}
    return key in named or key == getattr(event, "subject", None)
