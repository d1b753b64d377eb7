"""Command, Event, Snapshot: the three words that carry the whole system. Pure data."""

from mds_engine.control.commands import Command, CommandResult
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.control.snapshot import Snapshot
from mds_engine.model.decision import Decision, Step, Verdict

__all__ = [
    "Command",
    "CommandResult",
    "Decision",
    "Event",
    "RouteKey",
    "Snapshot",
    "Step",
    "Verdict",
]
