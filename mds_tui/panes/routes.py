"""Pane 2: who answers each route, who would be next, and what happens if the active one fails now."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from mds_engine.control.snapshot import RouteView, SourceState

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell, width_of
from mds_tui.format.glyphs import state_glyph, state_ink
from mds_tui.format.numbers import count, countdown, milliseconds
from mds_tui.format.sight import Sight
from mds_tui.panes.sources import quota_percent
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid

_TAIL_LINES = 4
_TROUBLE = {
    SourceState.TRYING,
    SourceState.OUT,
    SourceState.DISABLED,
    SourceState.LOGIN,
}


def exchange_cell(route: RouteView, _sight: Sight, _width: int) -> Cell:
    """The exchange."""
    return cell(route.exchange)


def capability_cell(route: RouteView, _sight: Sight, _width: int) -> Cell:
    """`quote`, `bars`, `ticks`."""
    return cell(route.capability, Ink.DIM)


def chain_cell(route: RouteView, sight: Sight, width: int) -> Cell:
    """`▲ kite ▸ yahoo`: who answers is marked, so is who is in trouble; closer where it is narrow."""
    if route.pinned is not None:
        left = f" {countdown(route.pinned_for_s)} left" if route.pinned_for_s is not None else ""
        words = cell(f"{sight.glyphs.forced} {route.pinned} forced,{left}" if left else "", Ink.FORCED)
        short = cell(f"{sight.glyphs.forced} {route.pinned}{left}", Ink.FORCED)
        return words if left and width_of(words) <= width else short
    # Names of which even the bare letters would not fit are not tried: there may be hundreds.
    most = max(1, (width + 1) // 2)
    if len(route.sources) <= most:
        roomy = _chain(route, sight, " ")
        if width_of(roomy) <= width:
            return roomy
    # Whole names or none: who answers always, then the first in line; the rest is a number.
    others = [name for name in route.sources if name != route.active]

    def wide(number: int) -> int:
        return width_of(_close(route, sight, others, number))

    # All of them may be narrower than all but one, which are told with a number.
    if len(others) <= most and wide(len(others)) <= width:
        return _close(route, sight, others, len(others))
    fitting = bisect_right(range(1, min(len(others), most) + 1), width, key=wide)
    return _close(route, sight, others, fitting)


def _close(route: RouteView, sight: Sight, others: Sequence[str], number: int) -> Cell:
    """The chain without gaps, of who answers and so many others."""
    return _chain(route, sight, "", frozenset(others[number:]))


def _chain(route: RouteView, sight: Sight, gap: str, left_out: frozenset[str] = frozenset()) -> Cell:
    glyphs = sight.glyphs
    shown = [name for name in route.sources if name not in left_out]
    spans: list[Span] = []
    if route.active is None:
        spans += [Span(f"{glyphs.out} down", Ink.BAD), Span("  ")]
    for index, name in enumerate(shown):
        if index:
            spans.append(Span(f"{gap}{glyphs.arrow}{gap}", Ink.FAINT))
        source = sight.snapshot.source(name)
        if name == route.active:
            spans.append(Span(f"{glyphs.active}{gap}{name}", Ink.WARN if route.degraded else Ink.GOOD))
        elif source is not None and source.state in _TROUBLE:
            glyph = state_glyph(source.state, glyphs)
            spans.append(
                Span(f"{glyph}{gap}{name}", Ink.DIM if route.active is None else state_ink(source.state))
            )
        else:
            spans.append(Span(name, Ink.DIM))
    if hidden := len(route.sources) - len(shown):
        spans.append(Span(f" +{hidden}" if shown else f"+{hidden}", Ink.FAINT))
    return tuple(spans)


class RoutesPane(LiveGrid[RouteView]):
    """Every route."""

    heading = False
    columns: Sequence[Column[RouteView]] = (
        Column("exchange", exchange_cell, 5, 10, order=lambda route: route.exchange),
        Column("data", capability_cell, 5, order=lambda route: route.capability),
        Column("sources", chain_cell, 18, 90, stretch=True),
    )

    def basis(self, items: Sequence[RouteView], sight: Sight) -> object:
        """Routes, the states in their chains, what is said of the source that would be next, what is lit."""
        route = self.current()
        next_one = () if route is None or route.active is None else _consequences(route, sight)
        return items, [source.state for source in sight.snapshot.sources], next_one, sight.lit

    def surroundings(self) -> object:
        """The signs in the chains."""
        return [source.state for source in self.sight.snapshot.sources]

    def key(self, item: RouteView) -> str:
        """`NSE/quote`."""
        return item.key

    def fields(self, item: RouteView) -> Mapping[str, object]:
        """Its columns, and who would be next."""
        return {
            "route": item.key,
            "exchange": item.exchange,
            "data": item.capability,
            "sources": item.sources,
            "active": item.active,
            "degraded": item.degraded,
            "forced_to": item.pinned,
            "forced_for_s": item.pinned_for_s,
            "forced_why": item.pin_why or None,
            "next_source": item.next_source,
            "instruments": item.instruments,
            "calls": item.calls,
            "failures": item.failures,
        }

    def words(self, item: RouteView) -> str:
        """Key, sources and condition."""
        condition = "forced" if item.pinned else "degraded" if item.degraded else ""
        return f"{item.key} {' '.join(item.sources)} {condition}"

    def is_lit(self, item: RouteView) -> bool:
        """It changed its source a moment ago."""
        return item.key in self.sight.lit

    def note(self) -> str:
        """How many are not as they should be."""
        degraded = sum(route.degraded and route.pinned is None for route in self.rows)
        forced = sum(route.pinned is not None for route in self.rows)
        parts = [super().note()] if self.needle or self.sort_by is not None else []
        parts += [f"{degraded} degraded"] if degraded else []
        parts += [f"{forced} forced"] if forced else []
        return " · ".join(parts)

    def tail(self) -> tuple[Cell, ...]:
        """What happens if the active source of the route under the cursor fails now."""
        route = self.current()
        if route is None:
            return ()
        if route.active is None:
            lines: tuple[Cell, ...] = (cell(f"{route.key} is down", Ink.BAD),)
        else:
            title = cell(f"if {route.active} fails {route.key} now", Ink.DIM)
            lines = (title, *_consequences(route, self.sight))
        return (*lines, *(EMPTY for _ in range(_TAIL_LINES - len(lines))))


def _consequences(route: RouteView, sight: Sight) -> tuple[Cell, ...]:
    glyphs = sight.glyphs
    if route.pinned is not None:
        return (cell("  it is forced: nobody steps in", Ink.FORCED),)
    following = sight.snapshot.source(route.next_source) if route.next_source is not None else None
    if following is None:
        return ((Span(f"  {glyphs.out} nobody else can serve it", Ink.BAD),),)
    view = next((view for view in following.capabilities if view.capability == route.capability), None)
    p99_ms = view.p99_ms if view is not None else following.p99_ms
    speed = f"  p99 {milliseconds(p99_ms)} ms" if p99_ms is not None else ""
    lines: list[Cell] = [
        (
            Span(f"  {glyphs.arrow} ", Ink.ACCENT),
            Span(following.name, Ink.STRONG),
            Span(f"  {state_glyph(following.state, glyphs)} ", state_ink(following.state)),
            Span(following.state.value, state_ink(following.state)),
            Span(speed, Ink.DIM),
        )
    ]
    if route.instruments:
        lines.append((Span(f"    {count(route.instruments)} instruments"), _covered(route, following.name)))
    if (used := quota_percent(following)) is not None:
        lines.append((Span("    headroom ", Ink.DIM), Span(f"{max(0.0, 100 - used):.0f} %", Ink.TEXT)))
    return tuple(lines)


def _covered(route: RouteView, source: str) -> Span:
    """How many of a route's live instruments a source has, as far as it was seen."""
    view = next((view for view in route.coverage if view.source == source), None)
    if view is None or (view.untried and not view.has and not view.lacks):
        return Span(", untried", Ink.DIM)
    if view.lacks:
        return Span(f", {count(view.lacks)} lost", Ink.WARN)
    words = f", {count(view.has)} known" if view.untried else ", all known"
    return Span(words, Ink.DIM)
