"""What a key acts on: the routes and sources that the focused pane points at. Pure."""

from typing import NamedTuple

from mds_engine.control import Snapshot
from mds_engine.control.events import Event
from mds_engine.control.snapshot import RouteView, SourceView, WatchRow

from mds_tui.panes.cost import UseRow
from mds_tui.panes.latency import LatencyRow


class Subject(NamedTuple):
    """The row under the cursor, as names."""

    source: str | None = None
    route: str | None = None


def subject_of(item: object, snapshot: Snapshot) -> Subject:
    """What a row is about."""
    match item:
        case SourceView():
            return Subject(source=item.name)
        case RouteView():
            return Subject(source=item.active, route=item.key)
        case LatencyRow():
            return Subject(source=item.source)
        case UseRow():
            return Subject(source=item.source)
        case WatchRow():
            key = f"{item.instrument.partition(':')[0]}/ticks"
            return Subject(source=item.source, route=key if snapshot.route(key) else None)
        case _:
            return _of_event(item, snapshot)


def routes_for(subject: Subject, snapshot: Snapshot) -> tuple[str, ...]:
    """Routes to choose from: the one under the cursor; else the source's, its own first; else all."""
    if subject.route is not None and snapshot.route(subject.route) is not None:
        return (subject.route,)
    if subject.source is not None:
        active = [route.key for route in snapshot.routes if route.active == subject.source]
        able = [route.key for route in snapshot.routes if subject.source in route.sources]
        if able:
            return tuple(dict.fromkeys(active + able))
    return tuple(route.key for route in snapshot.routes)


def sources_for(subject: Subject, snapshot: Snapshot) -> tuple[str, ...]:
    """Sources to choose from, the one under the cursor first."""
    names = [source.name for source in snapshot.sources]
    if subject.source in names:
        names.remove(subject.source)
        names.insert(0, subject.source)
    return tuple(names)


def _of_event(item: object, snapshot: Snapshot) -> Subject:
    if not isinstance(item, Event):
        return Subject()
    command = getattr(item, "command", item)
    source, route = getattr(command, "source", None), getattr(command, "route", None)
    return Subject(
        source=source if source is not None and snapshot.source(source) else None,
        route=route if route is not None and snapshot.route(route) else None,
    )
