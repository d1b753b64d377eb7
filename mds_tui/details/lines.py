"""The building blocks of a page."""

from collections.abc import Iterable, Sequence

from mds_engine.control import Decision, Event, Verdict

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, fit, wrap
from mds_tui.format.events import event_line, level_ink
from mds_tui.format.numbers import clock, duration_ms
from mds_tui.format.sight import Sight

LABEL = 14
_EVENT = 13
"""Columns before the sentence of an event."""


def heading(text: str) -> tuple[Cell, ...]:
    """A section."""
    return (EMPTY, (Span(text, Ink.ACCENT),))


def entry(label: str, value: Cell, width: int) -> tuple[Cell, ...]:
    """A label and its value, which wraps."""
    lines = wrap(value, max(10, width - LABEL))
    first: Cell = (*fit((Span(label, Ink.DIM),), LABEL), *(lines[0] if lines else EMPTY))
    return (first, *((Span(" " * LABEL), *line) for line in lines[1:]))


def table(
    rows: Sequence[Sequence[Cell]], widths: Sequence[int], *, right: frozenset[int]
) -> tuple[Cell, ...]:
    """Rows of cells in columns of those widths, two blanks between."""
    return tuple(
        tuple(
            span
            for index, content in enumerate(row)
            for span in (*fit(content, widths[index], right=index in right), Span("  "))
        )
        for row in rows
    )


def event_rows(events: Iterable[Event], sight: Sight, width: int, *, most: int) -> tuple[Cell, ...]:
    """The first `most` of some events, one a row: when, sign, and the whole sentence."""
    lines: list[Cell] = []
    for event, _ in zip(events, range(most), strict=False):
        line = event_line(event, sight.glyphs, sight.zone)
        head = (
            Span(f"{clock(event.at, sight.zone)}  ", Ink.DIM),
            Span(f"{line.glyph}  ", level_ink(line.level)),
        )
        first, *rest = wrap((Span(line.text),), max(20, width - _EVENT))
        lines.append((*head, *first))
        lines += [(Span(" " * _EVENT), *more) for more in rest]
    return tuple(lines)


def decision_lines(decision: Decision, sight: Sight, width: int) -> tuple[Cell, ...]:
    """One call: what was asked, then each candidate, taken or passed over, and why."""
    glyphs = sight.glyphs
    marks = {
        Verdict.TAKEN: (glyphs.good, Ink.GOOD),
        Verdict.SKIPPED: (glyphs.dot, Ink.DIM),
        Verdict.FAILED: (glyphs.out, Ink.BAD),
    }
    answered = f"answered by {decision.source}" if decision.source else "nobody answered"
    head: Cell = (
        Span(f"{clock(decision.at, sight.zone)}  ", Ink.DIM),
        Span(decision.subject, Ink.STRONG),
        Span(f"  {answered} in {duration_ms(decision.took_ms)}", Ink.TEXT if decision.source else Ink.BAD),
        Span(f"  #{decision.number}", Ink.FAINT),
    )
    lines: list[Cell] = list(wrap(head, max(20, width), indent=10))
    for place, step in enumerate(decision.steps, 1):
        glyph, ink = marks[step.verdict]
        candidate: Cell = (
            Span(f"  {place}  ", Ink.DIM),
            Span(f"{glyph} ", ink),
            *fit((Span(step.source, Ink.TEXT),), 14),
            *fit((Span(step.verdict.value, ink),), 9),
        )
        took = f"{duration_ms(step.took_ms)}  " if step.took_ms > 0 else ""
        error = f"{step.error}  " if step.error else ""
        tail: Cell = (Span(took, Ink.TEXT), Span(error, Ink.BAD), Span(step.why, Ink.DIM))
        wrapped = wrap(tail, max(12, width - 30))
        lines.append((*candidate, *wrapped[0]))
        lines += [(Span(" " * 30), *line) for line in wrapped[1:]]
    return tuple(lines)
