"""The top line, the line of pane names, and the line of trouble: pure."""

from collections.abc import Sequence
from typing import NamedTuple

from mds_engine.control.drill import DrillPhase
from mds_engine.control.snapshot import RouteView, Snapshot, SourceState

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell, fit, join, width_of
from mds_tui.format.glyphs import Glyphs, state_glyph, state_ink
from mds_tui.format.numbers import age, clock, count, countdown, duration, milliseconds, zone_name
from mds_tui.format.overrides import Override, overrides
from mds_tui.format.sight import Sight


class Figures(NamedTuple):
    """What moves all the time; the screen takes it once a second, so that it can be read."""

    ticks_per_s: float = 0.0
    lag_ms: float = 0.0
    """Of the engine's loop."""
    frame_ms: float | None = None
    """The console's own work for one frame."""
    dropped: int = 0
    """Ticks since the start that readers lost because they were too slow."""
    conflated: int = 0
    """Ticks since the start whose place a newer one took, as their reader asked."""


class Status(NamedTuple):
    """How the console itself stands."""

    mode: str
    """`embedded`, `remote`, `replay`."""
    at: float
    """Epoch seconds UTC of now."""
    started: bool = True
    """False until the first picture."""
    failure: str | None = None
    silent_s: float | None = None
    """Age of the picture when it is old."""
    paused_s: float | None = None
    figures: Figures = Figures()
    read_only: bool = False
    """Whether the console was opened so."""
    config: str = ""
    """What there is to say of the configuration file; empty while it is what the engine goes by."""
    armed_s: float | None = None
    """For how long it acts all the same; None if it does not."""


_COUNTED = (SourceState.ACTIVE, SourceState.FORCED, SourceState.READY, SourceState.TRYING, SourceState.LOGIN)
_COUNTED_BAD = (SourceState.OUT, SourceState.DISABLED)


def header_parts(snapshot: Snapshot) -> tuple[object, ...]:
    """What the header shows of an engine, but for its figures: it is built again when that changed."""
    engine, drill = snapshot.engine, snapshot.drill
    told = (engine.name, engine.trouble, engine.simulated, engine.replayed and int(snapshot.at))
    drilled = drill and (drill.number, drill.target, drill.scenario, drill.phase, round(drill.remaining_s))
    held = [one._replace(left_s=one.left_s and int(one.left_s)) for one in overrides(snapshot)]
    states = [source.state for source in snapshot.sources]
    return told, drilled, states, [(route.active, route.pinned) for route in snapshot.routes], held


def header(sight: Sight, status: Status, width: int) -> Cell:
    """The top line; the least important parts go first where it is narrow."""
    engine = sight.snapshot.engine
    separator = (Span(f" {sight.glyphs.separator} ", Ink.FAINT),)
    title: Cell = (Span(" mds-tui", Ink.ACCENT), Span(f"  {engine.name}" if engine.name else ""))
    at = sight.snapshot.at if engine.replayed else status.at
    right: Cell = (
        Span(clock(at, sight.zone), Ink.FORCED if engine.replayed else Ink.TEXT),
        Span(f" {zone_name(at, sight.zone)} ", Ink.DIM),
    )
    held, held_short = _overrides(sight)
    parts: list[tuple[int, Cell]] = [
        (0, title),
        (0, _drill(sight.snapshot, sight.glyphs)),
        (0, liveness(sight.snapshot, status, sight.glyphs)),
        (1, _counts(sight.snapshot, sight.glyphs)),
        (1, _armed(status, sight.glyphs)),
        (2, held),
        (2, (Span(status.config, Ink.WARN, "screen.tool('config')"),) if status.config else EMPTY),
        (4, _flow(status.figures) if status.started else EMPTY),
        (5, _pulse(status.figures) if status.started else EMPTY),
        (6, _losses(status.figures) if status.started else EMPTY),
        (3, _way_out(status)),
    ]
    while True:
        left = join((part for _, part in parts), separator)
        if width_of(left) + width_of(right) + 2 <= width or len(parts) <= 2:
            break
        least = max(range(len(parts)), key=lambda place: parts[place][0])
        if held and parts[least] == (2, held):
            parts[least] = (2, held_short)
        else:
            del parts[least]
    room = width - width_of(right)
    return (*fit(left, room, more=sight.glyphs.more), *right) if room > width_of(title) else left


def liveness(snapshot: Snapshot, status: Status, glyphs: Glyphs) -> Cell:
    """Whether what is on the screen is the present, and of what."""
    if status.failure is not None:
        old = (
            f", picture {age(status.silent_s)} old" if status.silent_s is not None and status.started else ""
        )
        return (Span(f"{glyphs.out} engine stopped", Ink.BAD), Span(f": {status.failure}{old}", Ink.BAD))
    if not status.started:
        return (Span(f"{glyphs.trying} starting…", Ink.WARN),)
    if status.silent_s is not None:
        return (Span(f"{glyphs.out} engine silent for {duration(status.silent_s)}", Ink.BAD),)
    if status.paused_s is not None:
        return (Span(f"{glyphs.disabled} display paused {duration(status.paused_s)}", Ink.WARN),)
    if snapshot.engine.replayed:
        return (Span(f"{glyphs.arrow} replay", Ink.FORCED), Span(" of a recording, not live", Ink.WARN))
    word, ink = ("demo", Ink.FORCED) if snapshot.engine.simulated else ("live", Ink.GOOD)
    return (Span(f"{glyphs.live} {word}", ink), Span(f" {status.mode}", Ink.DIM))


def tabs(names: Sequence[str], focus: str, width: int) -> Cell:
    """`1 sources  2 routes …` with the focused one bright; only numbers where it is narrow."""
    long = [f"{number} {name}" for number, name in enumerate(names, 1)]
    if sum(len(label) + 2 for label in long) > width:
        long = [
            label if name == focus else str(number)
            for number, (name, label) in enumerate(zip(names, long, strict=True), 1)
        ]
    spans: list[Span] = [Span(" ")]
    for number, (name, label) in enumerate(zip(names, long, strict=True), 1):
        ink = Ink.ACCENT if name == focus else Ink.DIM
        spans += [Span(label, ink, f"screen.pane({number})"), Span("  ")]
    return tuple(spans)


def engine_trouble(sight: Sight) -> Cell:
    """What is wrong with the engine itself, as a full disk; empty while nothing is."""
    words = sight.snapshot.engine.trouble
    return (Span(" "), Span(f"{sight.glyphs.warning} engine: {words}", Ink.BAD)) if words else EMPTY


def trouble(sight: Sight) -> Cell:
    """The engine's own trouble, then down, forced and degraded routes; that there are none, where so."""
    routes = sight.snapshot.routes
    parts: list[Cell] = [
        engine_trouble(sight)[1:],
        *(_down(route, sight.glyphs) for route in routes if route.active is None and route.pinned is None),
        *(_forced(one, sight.glyphs) for one in overrides(sight.snapshot)),
        *(
            _degraded(route, sight.glyphs)
            for route in routes
            if route.degraded and route.pinned is None and route.active is not None
        ),
    ]
    if not any(parts):
        words = "every route is on its primary" if routes else ""
        return (Span(" "), Span(words, Ink.DIM))
    return (Span(" "), *join(parts, (Span("   "),)))


def _down(route: RouteView, glyphs: Glyphs) -> Cell:
    return (Span(f"{glyphs.out} {route.key} down", Ink.BAD),)


def _forced(one: Override, glyphs: Glyphs) -> Cell:
    left = f" {countdown(one.left_s)}" if one.left_s is not None else ""
    return (Span(f"{glyphs.forced} {one.what} {glyphs.arrow} {one.to}{left}", Ink.FORCED),)


def _degraded(route: RouteView, glyphs: Glyphs) -> Cell:
    return (Span(f"{glyphs.trying} {route.key} {glyphs.arrow} {route.active}", Ink.WARN),)


def _counts(snapshot: Snapshot, glyphs: Glyphs) -> Cell:
    spans: list[Span] = []
    for state in (*_COUNTED, *_COUNTED_BAD):
        number = sum(source.state is state for source in snapshot.sources)
        if number:
            spans.append(
                Span((" " if spans else "") + f"{state_glyph(state, glyphs)}{number}", state_ink(state))
            )
    return tuple(spans)


def _armed(status: Status, glyphs: Glyphs) -> Cell:
    """Where the console is read-only: that it is, or for how long it is not."""
    if not status.read_only:
        return EMPTY
    if status.armed_s is None:
        return cell("read-only", Ink.WARN)
    return (Span(f"{glyphs.warning} ARMED {countdown(status.armed_s)}", Ink.BAD),)


def _overrides(sight: Sight) -> tuple[Cell, Cell]:
    """The override that ends first, with its countdown, and how many more there are; and that in short."""
    held = overrides(sight.snapshot)
    if not held:
        return EMPTY, EMPTY
    first, glyphs = held[0], sight.glyphs
    left = "" if first.left_s is None else countdown(first.left_s)
    more = f" +{len(held) - 1} more" if len(held) > 1 else ""
    long = f"{glyphs.forced} {first.what} {glyphs.arrow} {first.to} {left or 'until ended'}{more}"
    short = f"{glyphs.forced} {len(held)} forced {left}".rstrip()
    return (Span(long, Ink.FORCED),), (Span(short, Ink.FORCED),)


def _drill(snapshot: Snapshot, glyphs: Glyphs) -> Cell:
    """`DRILL kite refused 0:42 left`, so that nobody takes it for an outage."""
    drill = snapshot.drill
    if drill is None:
        return EMPTY
    minutes, seconds = divmod(max(0, round(drill.remaining_s)), 60)
    left = f"{minutes}:{seconds:02d} left" if drill.phase is DrillPhase.FAULT else "recovering"
    words = f"{glyphs.forced} DRILL {drill.target} {drill.scenario} {left}"
    return (Span(words, Ink.FORCED, "screen.tool('drill')"),)


def _flow(figures: Figures) -> Cell:
    return (Span(count(figures.ticks_per_s)), Span(" t/s", Ink.DIM))


def _losses(figures: Figures) -> Cell:
    """What did not reach a reader, by its own slowness or by its own wish; nothing while there is nothing."""
    parts: list[Cell] = []
    if figures.dropped:
        parts.append((Span("dropped ", Ink.DIM), Span(count(figures.dropped), Ink.WARN)))
    if figures.conflated:
        parts.append((Span("conflated ", Ink.DIM), Span(count(figures.conflated))))
    return join(parts, (Span("  "),))


def _way_out(status: Status) -> Cell:
    """The key that helps where the engine does not answer."""
    if status.failure is None and status.silent_s is None:
        return EMPTY
    ink = Ink.DIM if status.read_only else Ink.ACCENT
    return (Span("X", ink, "app.restart_engine"), Span(" restarts it", Ink.DIM, "app.restart_engine"))


def _pulse(figures: Figures) -> Cell:
    lag = figures.lag_ms
    spans = [
        Span("lag ", Ink.DIM),
        Span(milliseconds(lag), Ink.WARN if lag >= 50 else Ink.TEXT),
        Span(" ms", Ink.DIM),
    ]
    if figures.frame_ms is not None:
        spans += [
            Span("  frame ", Ink.DIM),
            Span(milliseconds(figures.frame_ms), Ink.WARN if figures.frame_ms >= 50 else Ink.TEXT),
            Span(" ms", Ink.DIM),
        ]
    return tuple(spans)
