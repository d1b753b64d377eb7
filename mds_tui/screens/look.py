"""What the desk shows of a picture, to be compared with what it showed before: pure."""

from typing import NamedTuple

from mds_engine.control import Snapshot
from mds_engine.control.drill import DrillView
from mds_engine.control.snapshot import RouteView, SourceView, WatchRow


class Look(NamedTuple):
    """All that the panes and the header show of an engine; while this stays equal, they are as they were."""

    second: int
    """Of the picture: some things are counted down."""
    newest: int
    lit: frozenset[str]
    drill: DrillView | None
    engine: tuple[str, str, bool, bool]
    sources: tuple[SourceView, ...]
    routes: tuple[RouteView, ...]
    watch: tuple[WatchRow, ...]


def look_at(snapshot: Snapshot, newest: int, lit: frozenset[str]) -> Look:
    """What a picture shows, with the number of the newest event and the routes that are lit."""
    engine = snapshot.engine
    told = (engine.name, engine.trouble, engine.simulated, engine.replayed)
    drill, rows = snapshot.drill, (snapshot.sources, snapshot.routes, snapshot.watch)
    return Look(int(snapshot.at), newest, lit, drill, told, *rows)
