"""Which row of which pane an event is about: pure."""

from mds_engine.control import Snapshot
from mds_engine.control.events import BudgetCrossed, Event, OverrideEnded, QuotaSpent, TicksSwitched

from mds_tui.panes.cost import use_key, use_rows


def row_about(event: Event, snapshot: Snapshot) -> tuple[str, str] | None:
    """Pane and key of the row, the most exact there is; None where nothing that can be seen is meant."""
    about = getattr(event, "command", event)
    source, route = getattr(about, "source", None), getattr(about, "route", None)
    match event:
        case OverrideEnded():
            source = route = event.subject
        case TicksSwitched():
            source = event.after
        case QuotaSpent() | BudgetCrossed():
            if (key := _meter_of(event, snapshot)) is not None:
                return "cost", key
        case _:
            pass
    instrument = getattr(event, "instrument", None)
    if any(row.instrument == instrument for row in snapshot.watch):
        return "watch", str(instrument)
    if route is not None and snapshot.route(route) is not None:
        return "routes", route
    if source is not None and snapshot.source(source) is not None:
        return "sources", source
    return None


def _meter_of(event: QuotaSpent | BudgetCrossed, snapshot: Snapshot) -> str | None:
    """The fullest of the source."""
    rows = [row for row in use_rows(snapshot) if row.source == event.source and row.resets_at is not None]
    fullest = max(rows, key=lambda row: row.percent or 0.0, default=None)
    return use_key(fullest) if fullest is not None else None
