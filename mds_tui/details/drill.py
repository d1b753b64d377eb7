"""A drill: how it stands while it runs, and its scorecard when it is over. Pure."""

from collections.abc import Iterable, Sequence

from mds_engine.control import Event
from mds_engine.control.drill import DrillCard, DrillCheck, DrillFigures, DrillPhase, DrillView

from mds_tui.details.lines import entry, heading
from mds_tui.format.cells import Cell, Ink, Span, cell, fit, join, width_of, wrap
from mds_tui.format.events import DRILL, event_line, level_ink
from mds_tui.format.numbers import NOTHING, clock, count, duration, duration_ms
from mds_tui.format.sight import Sight

_NAME = 31
_VALUE = 9
_LIMIT = 11
_SUBJECT = 14
_APART_S = 1.0
_MOST_EVENTS = 60
_BREAKER = {"closed": Ink.GOOD, "half-open": Ink.WARN, "open": Ink.BAD}


def view_lines(view: DrillView, events: Iterable[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """The drill under way: what it is, the live figures, what it has brought about."""
    is_fault = view.phase is DrillPhase.FAULT
    left = left_words(view)
    head: Cell = (
        Span(f"{sight.glyphs.forced} DRILL {view.scenario} of {view.target}", Ink.FORCED),
        Span(
            f"   {'the fault stands' if is_fault else 'the fault is over, recovery is watched'}", Ink.STRONG
        ),
        Span(f"   {left} left" if is_fault else f"   at most {left} more", Ink.DIM),
    )
    lines = [*wrap(head, width), *_where(view.target, sight, width)]
    lines += entry("routes", cell(", ".join(view.routes)), width)
    if view.at_risk:
        lines += entry("no other", cell(f"{', '.join(view.at_risk)} had no other source", Ink.WARN), width)
    lines += figure_lines(view.figures, width)
    lines += _events(events, view.number, view.since, sight, width)
    return tuple(lines)


def card_lines(card: DrillCard, events: Iterable[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """The drill that is over: verdict, every check, figures, and what it brought about."""
    good = card.verdict == "pass"
    glyph = sight.glyphs.good if good else sight.glyphs.out if card.verdict == "fail" else sight.glyphs.dot
    ink = Ink.GOOD if good else Ink.BAD if card.verdict == "fail" else Ink.WARN
    head: Cell = (
        Span(f"{glyph} {card.verdict.upper()}", ink),
        Span(f"   drill {card.scenario} of {card.target}", Ink.STRONG),
        Span(
            f"   {clock(card.began_at, sight.zone)}, fault for {duration(card.cleared_at - card.began_at)}:"
            f" {card.ended}",
            Ink.DIM,
        ),
    )
    lines = [*wrap(head, width)]
    said = f": “{card.why}”" if card.why else ""
    lines += entry("fault", cell(card.about), width)
    lines += entry("by", cell(f"{card.by}{said}"), width)
    lines += entry("where", cell(side_words(card)), width)
    lines += entry("left behind", cell("; ".join(card.cleaned) or "nothing: it healed by itself"), width)
    lines += heading("scorecard")
    for check in card.checks:
        lines += _check(check, sight, width)
    lines += figure_lines(card.figures, width)
    lines += _events(events, card.number, card.began_at, sight, width)
    return tuple(lines)


def figure_lines(figures: DrillFigures, width: int) -> tuple[Cell, ...]:
    """The figures, one subject a line."""
    by = ", ".join(f"{name} {count(number)}" for name, number in sorted(figures.answered_by.items()))
    calls: list[Cell] = [
        (Span(count(figures.calls), Ink.STRONG), Span(" made", Ink.DIM)),
        (Span(count(figures.answered)), Span(" answered", Ink.DIM)),
        (
            Span(count(figures.failed), Ink.BAD if figures.failed else Ink.TEXT),
            Span(" failed", Ink.DIM),
        ),
        (Span("by ", Ink.DIM), Span(by)) if by else (),
    ]
    moved: list[Cell] = [
        _after("noticed after ", figures.noticed_after_s),
        _after("routes moved after ", figures.moved_after_s),
        (
            Span("first failover ", Ink.DIM),
            Span(NOTHING if figures.failover_ms is None else duration_ms(figures.failover_ms)),
        ),
    ]
    lost = NOTHING if figures.lost is None else count(figures.lost)
    ticks: list[Cell] = [
        (Span(count(figures.ticks), Ink.STRONG), Span(" delivered", Ink.DIM)),
        _bad(lost, " lost", bad=bool(figures.lost)),
        _bad(count(figures.doubled), " doubled", bad=bool(figures.doubled)),
        _bad(count(figures.disordered), " out of order", bad=bool(figures.disordered)),
        _bad(f"{figures.gap_s:.1f} s", f" in {many(figures.gaps, 'gap')}", bad=bool(figures.gaps)),
    ]
    silence: list[Cell] = [_after("longest ", figures.silence_s)]
    if figures.bent:
        ticks.append(_bad(count(figures.bent), " with a wrong price", bad=True))
    breakers = [
        (Span(f"{name} ", Ink.DIM), Span(state, _BREAKER.get(state, Ink.FORCED)))
        for name, state in figures.breakers.items()
    ]
    back = figures.served - figures.away
    recovery: list[Cell] = [
        _after("well again after ", figures.recovered_after_s),
        (Span(f"{back} of {figures.served}", Ink.TEXT), Span(" routes are its own", Ink.DIM)),
    ]
    kept: list[Cell] = [
        (Span(many(figures.held_back, "request"), Ink.STRONG), Span(" kept from the vendor", Ink.DIM)),
        _bad(count(figures.past_breaker), " past an open breaker", bad=bool(figures.past_breaker)),
    ]
    lines: list[Cell] = [*heading("figures")]
    for label, parts in (
        ("calls", calls),
        ("failover", moved),
        ("ticks", ticks),
        ("silence", silence),
        ("breakers", breakers),
        ("recovery", recovery),
        ("fault", kept),
    ):
        lines += entry(label, join(parts, (Span("   "),)), width)
    return tuple(lines)


def left_words(view: DrillView) -> str:
    """`0:42`: what is left of a drill's present phase."""
    minutes, seconds = divmod(max(0, round(view.remaining_s)), 60)
    return f"{minutes}:{seconds:02d}"


def side_words(card: DrillCard) -> str:
    """Where the fault was made, in a sentence."""
    if card.simulated:
        return f"on our side of the connection; the simulated {card.kind} was left alone"
    return f"on our side of the connection; nothing was sent to {card.kind} for it"


def value_words(check: DrillCheck) -> str:
    """What was measured, with its unit."""
    if check.value is None:
        return NOTHING
    if check.unit == "s":
        return seconds_words(check.value)
    digits = f"{check.value:,.0f}" if check.value == round(check.value) else f"{check.value:,.1f}"
    return f"{digits} {check.unit}".rstrip()


def _where(target: str, sight: Sight, width: int) -> tuple[Cell, ...]:
    source = sight.snapshot.source(target)
    simulated = source is not None and source.simulated
    kind = source.kind if source is not None else target
    words = (
        "on our side of the connection; the simulated vendor is left alone"
        if simulated
        else f"on our side of the connection; nothing is sent to {kind} for it"
    )
    return entry("where", cell(words), width)


def _check(check: DrillCheck, sight: Sight, width: int) -> tuple[Cell, ...]:
    if not check.limit:
        mark, ink = sight.glyphs.dot, Ink.DIM
    elif check.ok:
        mark, ink = sight.glyphs.good, Ink.GOOD
    else:
        mark, ink = sight.glyphs.out, Ink.BAD
    name_width = max(12, min(_NAME, width - 2 - _VALUE - 2 - _LIMIT))
    head: Cell = (
        Span(f"{mark} ", ink),
        *fit((Span(check.name, Ink.TEXT if check.limit else Ink.DIM),), name_width, more=sight.glyphs.more),
        *fit((Span(value_words(check), Ink.STRONG),), _VALUE, right=True),
        Span("  "),
        *fit((Span(check.limit, Ink.DIM),), _LIMIT),
    )
    used = 2 + name_width + _VALUE + 2 + _LIMIT
    room = width - used
    why: Cell = (Span(check.why, Ink.DIM if check.ok else Ink.BAD),)
    if room < 24:
        return (head, *(((Span("  "), *line)) for line in wrap(why, width - 2) if line))
    first, *rest = wrap(why, room)
    return ((*head, *first), *((Span(" " * used), *line) for line in rest))


def _events(events: Iterable[Event], number: int, since: float, sight: Sight, width: int) -> Sequence[Cell]:
    """When, sign, about whom, and the whole sentence; the newest first, as they are given."""
    lines: list[Cell] = []
    for event in of_drill(events, number, since)[:_MOST_EVENTS]:
        line = event_line(event, sight.glyphs, sight.zone)
        head: Cell = (
            Span(f"{clock(event.at, sight.zone)}  ", Ink.DIM),
            Span(f"{line.glyph}  ", level_ink(line.level)),
            *fit((Span(line.subject),), _SUBJECT, more=sight.glyphs.more),
            Span(" "),
        )
        used = width_of(head)
        first, *rest = wrap((Span(line.text.removeprefix(DRILL)),), max(20, width - used))
        lines.append((*head, *first))
        lines += [(Span(" " * used), *more) for more in rest]
    return (*heading("what it brought about"), *lines) if lines else ()


def of_drill(events: Iterable[Event], number: int, since: float) -> list[Event]:
    """What comes from one drill: an engine that is started again numbers its drills anew."""
    return [event for event in events if event.drill == number and event.at >= since - _APART_S]


def many(number: int, noun: str) -> str:
    """`1 gap`, `2 gaps`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def seconds_words(seconds: float | None) -> str:
    """`4 ms`, `2.4 s`, `1 min 5 s`; a dash for what is not known."""
    if seconds is None:
        return NOTHING
    return duration(seconds) if seconds >= 1.0 else duration_ms(seconds * 1000)


def _after(label: str, seconds: float | None) -> Cell:
    return (Span(label, Ink.DIM), Span(seconds_words(seconds)))


def _bad(value: str, label: str, *, bad: bool) -> Cell:
    return (Span(value, Ink.BAD if bad else Ink.TEXT), Span(label, Ink.DIM))
