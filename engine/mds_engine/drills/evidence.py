"""What a drill leaves behind for its judges: the callers' view, the engine's events, the simulator's log."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from mds_engine.control import Event, events
from mds_engine.drills.traffic import Traffic
from mds_engine.simulator.wire_log import WireEntry

E = TypeVar("E", bound=Event)


class Evidence(NamedTuple):
    """Everything a judgement may look at. Times are epoch seconds."""

    primary: str
    backup: str
    route: str
    traffic: Traffic
    events: tuple[Event, ...]
    wire: tuple[WireEntry, ...]
    """Data requests that reached the primary, by the simulator's own count; checks are not among them."""
    fault_at: float
    cleared_at: float
    ended_at: float
    timeout_s: float
    check_interval_s: float
    deadline_s: float
    sources: tuple[str, ...]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    def open_spans(self) -> Iterator[tuple[float, float]]:
        """When the primary's quote breaker, or the primary as a whole, let nobody through."""
        for capability in ("quote", ""):
            opened: float | None = None
            for event in self.events:
                if getattr(event, "source", None) != self.primary:
                    continue
                if getattr(event, "capability", None) != capability:
                    continue
                if isinstance(event, events.BreakerOpened):
                    opened = event.at if opened is None else opened
                elif (
                    isinstance(event, events.BreakerHalfOpened | events.BreakerClosed) and opened is not None
                ):
                    yield opened, event.at
                    opened = None
            if opened is not None:
                yield opened, self.ended_at

    def first_opened_at(self) -> float | None:
        """When the primary was first left alone; None if it never was."""
        return min((start for start, _ in self.open_spans()), default=None)
