"""One instrument, one event."""

from collections.abc import Iterable

import msgspec
from mds_engine.control.events import Event
from mds_engine.control.snapshot import WatchRow

from mds_tui.details.lines import entry, heading, table
from mds_tui.details.trail import Trail
from mds_tui.format.cells import Cell, Ink, Span, cell
from mds_tui.format.events import event_line, level_ink
from mds_tui.format.numbers import NOTHING, age, basis_points, change, clock, compact, count, price
from mds_tui.format.sight import Sight
from mds_tui.panes.routes import chain_cell


def instrument_lines(name: str, trail: Trail, sight: Sight, width: int) -> tuple[Cell, ...]:
    """Last values, the ticks that went by since `trail` was made, and the routes that it goes over."""
    row = next((row for row in sight.snapshot.watch if row.instrument == name), None)
    if row is None:
        return (cell(f"{name} is not watched any more", Ink.WARN),)
    bid_to_ask = basis_points(row.bid, row.ask)
    figures = (
        ("last", price(row.price).strip()),
        ("change", f"{change(row.change_percent)} %"),
        ("bid", price(row.bid).strip()),
        ("ask", price(row.ask).strip()),
        ("bid to ask", f"{bid_to_ask:.1f} bps" if bid_to_ask is not None else NOTHING),
        ("volume", compact(row.volume)),
        ("ticks", count(row.ticks)),
        ("age", age(row.age_s)),
        ("source", (row.source or NOTHING) + (", a backup" if row.backup else "")),
    )
    lines: list[Cell] = [(Span(row.instrument, Ink.STRONG),)]
    for label, value in figures:
        lines += entry(label, cell(value), width)
    if row.problem:
        lines += entry("problem", cell(row.problem, Ink.WARN), width)
    if row.doubt:
        lines += entry("doubt", cell(f"{row.source} looks wrong: {row.doubt}", Ink.BAD), width)
    lines += _sources(row)
    trail.note(row, sight.snapshot.at)
    lines += trail.lines(sight, width)
    exchange = name.partition(":")[0]
    lines += heading("routes")
    for route in sight.snapshot.routes:
        if route.exchange == exchange:
            lines += entry(route.capability, chain_cell(route, sight, width), width)
    return tuple(lines)


def _sources(row: WatchRow) -> Iterable[Cell]:
    """The last price of every source that streams it, and how far each is from the one shown."""
    if not row.prices:
        return
    apart = f", {row.spread_bps:.1f} bps apart" if row.spread_bps is not None else ""
    yield from heading(f"at its sources{apart}")
    rows: list[tuple[Cell, ...]] = [tuple(cell(word, Ink.DIM) for word in ("", "last", "bps", "age", ""))]
    for one in row.prices:
        shown = one.source == row.source
        away = (one.price / row.price - 1.0) * 1e4 if row.price and not shown else None
        rows.append(
            (
                cell(one.source, Ink.STRONG if shown else Ink.TEXT),
                cell(price(one.price).strip()),
                cell(NOTHING if away is None else f"{away:+.1f}", Ink.DIM),
                cell(age(one.age_s)),
                cell("shown" if shown else "held back", Ink.GOOD if shown else Ink.DIM),
            )
        )
    yield from table(rows, (16, 12, 8, 7, 10), right=frozenset({1, 2, 3}))


def event_lines(number: str, events: Iterable[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """Everything that an event carries."""
    event = next((event for event in events if str(event.number) == number), None)
    if event is None:
        return (cell(f"event {number} is no longer kept", Ink.WARN),)
    line = event_line(event, sight.glyphs, sight.zone)
    lines: list[Cell] = [
        (
            Span(f"{line.glyph} ", level_ink(line.level)),
            Span(f"{line.subject}  ", Ink.STRONG),
            Span(line.text),
        )
    ]
    for name, value in msgspec.to_builtins(event).items():
        if name == "drill" and not value:
            continue
        if name == "at":
            lines += entry(name, cell(clock(event.at, sight.zone)), width)
            continue
        for label, words in _flat(name, value):
            lines += entry(label, cell(words), width)
    return tuple(lines)


def _flat(name: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, content in value.items():
            yield from _flat(str(inner), content)
    elif isinstance(value, (list, tuple)):
        yield name, ", ".join(str(part) for part in value)
    elif value not in (None, ""):
        yield name, str(value)
