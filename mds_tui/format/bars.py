"""Small pictures in text: quota bars, breaker dots, sparklines."""

from collections.abc import Sequence

from mds_tui.format.cells import Cell, Ink, Span
from mds_tui.format.glyphs import Glyphs

WARN_PERCENT = 75.0
FULL_PERCENT = 100.0


def quota_ink(percent: float) -> Ink:
    """Quiet while there is room, then a warning, then bad."""
    if percent >= FULL_PERCENT:
        return Ink.BAD
    return Ink.WARN if percent >= WARN_PERCENT else Ink.DIM


def quota_blocks(percent: float, width: int, glyphs: Glyphs) -> Cell:
    """`▰▰▱▱▱`: used over limit in `width` blocks; anything used shows at least one."""
    filled = _filled(percent, width)
    ink = quota_ink(percent)
    return (Span(glyphs.bar_full * filled, ink), Span(glyphs.bar_empty * (width - filled), Ink.FAINT))


def quota_line(percent: float, width: int, glyphs: Glyphs) -> Cell:
    """A thin line of `width` columns, its used part in colour."""
    filled = _filled(percent, width)
    ink = quota_ink(percent)
    return (
        Span(glyphs.line_full * filled, Ink.GOOD if ink is Ink.DIM else ink),
        Span(glyphs.line_empty * (width - filled), Ink.FAINT),
    )


def breaker_dots(recent: Sequence[bool], width: int, glyphs: Glyphs) -> Cell:
    """`···×·`: the last outcomes, oldest first, failures in red; empty places where there were fewer."""
    last = tuple(recent)[-width:]
    spans = [Span(" " * (width - len(last)))] if len(last) < width else []
    spans += [Span(glyphs.passed, Ink.DIM) if success else Span(glyphs.failed, Ink.BAD) for success in last]
    return tuple(spans)


def sparkline(
    values: Sequence[float | None], width: int, glyphs: Glyphs, ink: Ink, *, top: float | None = None
) -> Cell:
    """The last `width` values as a ladder from zero to `top` (their largest if None); gaps stay blank."""
    last = list(values)[-width:]
    known = [value for value in last if value is not None]
    highest = top if top is not None else max(known, default=0.0)
    steps = len(glyphs.ladder) - 1
    marks = [" "] * (width - len(last))
    for value in last:
        if value is None:
            marks.append(" ")
        elif highest <= 0:
            marks.append(glyphs.ladder[0])
        else:
            marks.append(glyphs.ladder[max(0, min(steps, round(value / highest * steps)))])
    return (Span("".join(marks), ink),)


def chart(
    values: Sequence[float | None], width: int, height: int, glyphs: Glyphs, ink: Ink, *, top: float
) -> tuple[Cell, ...]:
    """Like a sparkline, `height` lines tall, the top one first; what is known shows at least a trace."""
    steps = len(glyphs.ladder)
    last = list(values)[-width:]
    levels = [
        0 if value is None or top <= 0 else max(1, min(height * steps, round(value / top * height * steps)))
        for value in last
    ]
    lines = []
    for below in range((height - 1) * steps, -1, -steps):
        marks = (glyphs.ladder[min(steps, level - below) - 1] if level > below else " " for level in levels)
        lines.append((Span("".join(marks).rjust(width), ink),))
    return tuple(lines)


def calm_top(values: Sequence[float | None]) -> float:
    """The top of a sparkline's scale: a calm line stays low, and only a real rise stands out."""
    known = sorted(value for value in values if value is not None)
    return max(known[-1], known[len(known) // 2] * 3) if known else 0.0


def _filled(percent: float, width: int) -> int:
    share = max(0.0, min(1.0, percent / 100))
    blocks = int(share * width + 1e-9)
    return max(blocks, 1) if share > 0 else 0
