"""Which page stands behind a row: pure."""

from collections.abc import Callable, Sequence
from functools import partial

from mds_engine.control import Snapshot
from mds_engine.control.events import Event
from mds_engine.control.snapshot import WatchRow

from mds_tui.details.others import event_lines, instrument_lines
from mds_tui.details.route import route_lines
from mds_tui.details.source import source_lines
from mds_tui.details.trail import Trail
from mds_tui.format.cells import Cell
from mds_tui.format.sight import Sight
from mds_tui.screens.subjects import subject_of

Lines = Callable[[Sight, int], Sequence[Cell]]
"""A page, for what is in sight and a width."""


def detail_of(
    item: object, key: str, events: Sequence[Event], snapshot: Snapshot
) -> tuple[str, Lines] | None:
    """Title and page of a row with its key; `events` newest first. None where nothing is behind it."""
    if isinstance(item, Event):
        return "event", partial(event_lines, key, tuple(events))
    if isinstance(item, WatchRow):
        return key, partial(instrument_lines, key, Trail())
    subject = subject_of(item, snapshot)
    if subject.route is not None:
        return subject.route, partial(route_lines, subject.route, events)
    if subject.source is not None:
        return subject.source, partial(source_lines, subject.source, events)
    return None
