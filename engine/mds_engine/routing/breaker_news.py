"""Telling of one source's breakers: each change, what it means for the whole, and when all are well again."""

from collections.abc import Callable, Iterable

from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.policy.breaker import BreakerState, Transition
from mds_engine.policy.source_breaker import SourceBreaker
from mds_engine.routing.breaker_words import WELL
from mds_engine.routing.telling import event_of
from mds_engine.routing.unit import Unit


class BreakerNews:
    """Emits the events of one source's breakers. `units` gives its capabilities of the moment."""

    def __init__(
        self,
        name: str,
        whole: SourceBreaker,
        units: Callable[[], Iterable[Unit]],
        emit: Callable[[Event], None],
    ) -> None:
        self._name = name
        self._whole = whole
        self._units = units
        self._emit = emit
        self._out_since: float | None = None

    def unit_changed(self, unit: Unit, transition: Transition) -> None:
        """One capability's breaker changed: tell, and let the source's own breaker know."""
        capability = unit.capability.value
        self._tell(capability, transition)
        if transition.after is BreakerState.CLOSED:
            self._whole.capability_closed(capability)
        if transition.after is BreakerState.OPEN and transition.before is BreakerState.CLOSED:
            whole = self._whole.capability_opened(capability, transition.at, transition.why)
            if whole is not None:
                self._tell("", whole)
        self._tell_recovery(transition)

    def whole_changed(self, transition: Transition) -> None:
        """The breaker of the source as a whole changed."""
        self._tell("", transition)
        self._tell_recovery(transition)

    def _tell_recovery(self, transition: Transition) -> None:
        well = all(
            breaker.state(transition.at) in WELL
            for breaker in (self._whole, *(unit.breaker for unit in self._units()))
        )
        if not well and self._out_since is None:
            self._out_since = transition.at
        elif well and self._out_since is not None:
            out_for_s = transition.at - self._out_since
            self._out_since = None
            self._emit(events.SourceRecovered(source=self._name, out_for_s=out_for_s, why=transition.why))

    def _tell(self, capability: str, transition: Transition) -> None:
        self._emit(event_of(self._name, capability, transition))
