"""The switches of a route: who answered when, for how long, and why it changed."""

from collections.abc import Sequence

from mds_engine.control.events import Event, FailedBack, FailedOver, RouteDown, RouteRestored

from mds_tui.details.lines import heading
from mds_tui.format.cells import Cell, Ink, Span, fit, wrap
from mds_tui.format.events import event_line, level_ink
from mds_tui.format.numbers import clock, duration, duration_ms
from mds_tui.format.sight import Sight

_MOST = 12
_HELD = 13
_INDENT = 11 + 2 + _HELD


def is_switch(event: Event) -> bool:
    """Whether another source, or none, answers since then."""
    return isinstance(event, FailedOver | FailedBack | RouteDown | RouteRestored)


def switch_lines(switches: Sequence[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """One row each, the newest first as they are given: when, how long it held, from whom to whom, why."""
    if not switches:
        return ()
    lines: list[Cell] = []
    until = sight.snapshot.at
    for place, event in enumerate(switches[:_MOST]):
        line = event_line(event, sight.glyphs, sight.zone)
        held = duration(max(0.0, until - event.at))
        until = event.at
        words = (Span(f"for {held}", Ink.ACCENT if place == 0 else Ink.DIM),)
        first, *rest = wrap(_sentence(event, sight), max(20, width - _INDENT))
        lines.append(
            (
                Span(f"{clock(event.at, sight.zone)}  ", Ink.DIM),
                Span(f"{line.glyph}  ", level_ink(line.level)),
                *fit(words, _HELD),
                *first,
            )
        )
        lines += [(Span(" " * _INDENT), *more) for more in rest]
    more = len(switches) - _MOST
    title = f"switches, and how long each held{f'; {more} earlier ones left out' if more > 0 else ''}"
    return (*heading(title), *lines)


def _sentence(event: Event, sight: Sight) -> Cell:
    arrow = sight.glyphs.arrow
    match event:
        case FailedOver():
            took = f" in {duration_ms(event.took_ms)}" if event.took_ms > 0 else ""
            return (
                Span(f"{event.before} {arrow} "),
                Span(event.after, Ink.STRONG),
                Span(f"{took}: {event.why}" if event.why else took, Ink.DIM),
            )
        case FailedBack():
            back = (Span(f"{event.before} {arrow} "), Span(event.after, Ink.STRONG))
            return (*back, Span(f" again: {event.why}" if event.why else " again", Ink.DIM))
        case RouteRestored():
            return (Span(f"nobody {arrow} "), Span(event.source, Ink.STRONG))
        case RouteDown():
            return (Span("nobody", Ink.BAD), Span(f": {event.why}", Ink.DIM))
        case _:
            return (Span(event_line(event, sight.glyphs, sight.zone).text),)
