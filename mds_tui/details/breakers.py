"""How a source's breakers moved: a strip of time for each, then every move with the errors that caused it."""

from collections.abc import Iterator, Sequence

from mds_engine.control.events import BreakerClosed, BreakerForced, BreakerHalfOpened, BreakerOpened, Event

from mds_tui.details.lines import event_rows, heading
from mds_tui.format.cells import Cell, Ink, Span, fit
from mds_tui.format.glyphs import Glyphs
from mds_tui.format.numbers import clock_minutes, duration
from mds_tui.format.sight import Sight

_MOVES = 12
_LABEL = 9
_TOLD = 22
"""Columns for how long it was open."""
_WIDEST = 72
_SHORTEST_S = 300.0
"""A strip covers at least so long, that a first short outage does not look like a long one."""

Move = BreakerOpened | BreakerHalfOpened | BreakerClosed | BreakerForced


def is_of_breaker(event: Event) -> bool:
    """Whether it says that a breaker moved."""
    return isinstance(event, Move)


def timeline_lines(events: Sequence[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """The section; `events` newest first, of one source. Nothing where no breaker ever moved."""
    moves = [event for event in events if isinstance(event, Move)]
    if not moves:
        return ()
    now = sight.snapshot.at
    begin = min(moves[-1].at, now - _SHORTEST_S)
    room = min(_WIDEST, max(10, width - _LABEL - _TOLD - 2))
    lines: list[Cell] = []
    for capability in sorted({move.capability for move in moves}):
        own = [move for move in reversed(moves) if move.capability == capability]
        spells = tuple(_spells(own, max(begin, sight.snapshot.engine.started_at), now))
        open_s = sum(end - start for state, start, end in spells if state == "open")
        lines.append(
            (
                *fit((Span(capability or "source", Ink.DIM),), _LABEL),
                *_strip(spells, begin, now, room, sight.glyphs),
                Span(f"  open {duration(open_s)}" if open_s >= 0.5 else "", Ink.DIM),
            )
        )
    since = clock_minutes(begin, sight.zone)
    ends = f"{since}{'now':>{max(4, room - len(since))}}"
    signs = sight.glyphs
    lines.append((Span(" " * _LABEL), Span(ends, Ink.FAINT)))
    key = f"{signs.passed} closed  {signs.failed} open  {signs.trying} half-open  {signs.forced} held"
    return (
        *heading("breaker timeline"),
        *lines,
        (Span(" " * _LABEL), Span(key, Ink.FAINT)),
        *event_rows(moves, sight, width, most=_MOVES),
    )


def _spells(moves: Sequence[Move], begin: float, now: float) -> Iterator[tuple[str, float, float]]:
    """State, start and end of each stretch of time; `moves` oldest first."""
    state, start = _before(moves[0]), begin
    for move in moves:
        yield state, start, move.at
        state, start = _after(move), move.at
    yield state, start, max(start, now)


def _before(move: Move) -> str:
    """What it was before the first move that is known."""
    match move:
        case BreakerHalfOpened():
            return "open"
        case BreakerClosed():
            return "half-open"
        case _:
            return "closed"


def _after(move: Move) -> str:
    match move:
        case BreakerOpened():
            return "open"
        case BreakerHalfOpened():
            return "half-open"
        case BreakerForced():
            return "closed" if move.state == "automatic" else "held"
        case BreakerClosed():
            return "closed"


def _strip(
    spells: Sequence[tuple[str, float, float]], begin: float, now: float, room: int, glyphs: Glyphs
) -> Cell:
    """One sign for each stretch of `room` equal ones: the gravest state within it, however short."""
    looks = {
        "not running": Span(" "),
        "closed": Span(glyphs.passed, Ink.DIM),
        "held": Span(glyphs.forced, Ink.FORCED),
        "half-open": Span(glyphs.trying, Ink.WARN),
        "open": Span(glyphs.failed, Ink.BAD),
    }
    gravity = list(looks)
    step = (now - begin) / room
    cells = ["not running"] * room
    for state, start, end in spells:
        first = min(room - 1, int((start - begin) / step))
        last = min(room - 1, int((end - begin) / step))
        for place in range(first, last + 1):
            if gravity.index(state) > gravity.index(cells[place]):
                cells[place] = state
    return tuple(looks[state] for state in cells)
