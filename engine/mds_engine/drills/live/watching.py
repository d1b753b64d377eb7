"""What a drill brings about, watched from beside: counters, events, and a reader of the ticks."""

from collections.abc import Sequence
from typing import NamedTuple

from mds_engine.control import Decision, Event, events
from mds_engine.control.drill import DrillFigures
from mds_engine.drills.live.fault import Fault
from mds_engine.drills.live.tick_accounts import TickAccounts
from mds_engine.model import Capability, Instrument
from mds_engine.policy.breaker import BreakerState
from mds_engine.rehearsing import Grounds
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streams.changeover import numbers_of
from mds_engine.streams.reader import TickReader

WHOLE = "source"
_LIVELY_S = 5.0
"""Who ticked within so long before the fault is expected to go on."""
_MOST_INSTRUMENTS = 200
"""Whose ticks are looked at one by one: enough to judge by, and little enough to cost nothing."""

_SIGNS = (
    events.BreakerOpened,
    events.SourceUnhealthy,
    events.Throttled,
    events.LoginNeeded,
    events.StreamLost,
    events.InstrumentsMute,
    events.TicksSwitched,
    events.DataSuspect,
    events.FailedOver,
)
"""Each says that something is wrong with a source."""


class _Count(NamedTuple):
    calls: int
    failures: int


class Watcher:
    """Follows one drill on one source. Looks are cheap, and are taken a few times a second."""

    def __init__(
        self, grounds: Grounds, runtime: SourceRuntime, routes: Sequence[Route], risky: Sequence[Route]
    ) -> None:
        """`routes` are those of the source that are hit; `risky` of them have no other source."""
        now = grounds.clock.now()
        self.served = tuple(
            route for route in routes if route.serving is not None and route.serving.runtime is runtime
        )
        """Who answered them was the source when the drill began."""
        self.moved_after_s: dict[str, float] = {}
        self.to_move: set[str] = set()
        """Routes that it served and could not serve any more while the fault stood."""
        self.failed_beyond_risk = 0
        """Calls that failed on routes that had another source."""
        self.events: list[Event] = []
        """What the drill brought about."""
        self.opened: list[str] = []
        """Capabilities whose breakers opened; "" is the source as a whole."""
        self.past_breaker = 0
        self.accounts: TickAccounts | None = None
        self._grounds = grounds
        self._runtime = runtime
        self._routes = tuple(routes)
        self._risky = {route.text for route in risky}
        self._began, self._began_wall = now, grounds.clock.wall()
        self._cleared: float | None = None
        self._before = {route.text: _Count(route.calls, route.failures) for route in routes}
        self._answers: dict[str, int] = {}
        self._last_event = grounds.log.last_number
        self._failover_ms: float | None = None
        self._noticed_after_s: float | None = None
        self._recovered_after_s: float | None = None

    # --- What is about the drill ----------------------------------------------------------------------

    def is_about(self, event: Event) -> bool:
        """Whether an event comes from the drill, as far as that can be told."""
        name = self._runtime.name
        if isinstance(event, events.CommandApplied | events.CommandRefused | events.OverrideEnded):
            return False
        if name in (getattr(event, "source", ""), getattr(event, "before", ""), getattr(event, "after", "")):
            return True
        return getattr(event, "route", None) in self._before

    def came(self, capability: Capability) -> None:
        """A data call has come to the source."""
        now = self._grounds.clock.now()
        unit = self._runtime.units.get(capability)
        breakers = (self._runtime.whole, *(() if unit is None else (unit.breaker,)))
        self.past_breaker += any(breaker.state(now) is BreakerState.OPEN for breaker in breakers)

    # --- Looking --------------------------------------------------------------------------------------

    def look(self) -> None:
        """Take note of what has happened since the last look."""
        for event in self._grounds.log.after(self._last_event):
            self._last_event = event.number
            if self.is_about(event):
                self._take(event)
        now = self._grounds.clock.now()
        for route in self.served if self._cleared is None else ():
            unit = route.unit(self._runtime.name)
            if unit is not None and self._runtime.is_out(unit, now):
                self.to_move.add(route.text)
            if route.text not in self.moved_after_s and self._is_off(route):
                self.moved_after_s[route.text] = now - self._began
        if self._cleared is not None and self._recovered_after_s is None and self.is_well():
            self._recovered_after_s = now - self._cleared

    def cleared(self) -> None:
        """The fault is gone from now on."""
        self._cleared = now = self._grounds.clock.now()
        if self.accounts is not None:
            self.accounts.stop_silence(now)

    @property
    def well_since(self) -> float | None:
        """Monotonic time since when the source is well again; None while it is not."""
        if self._cleared is None or self._recovered_after_s is None:
            return None
        return self._cleared + self._recovered_after_s

    @property
    def away(self) -> int:
        """Routes that the source served when the drill began, and does not serve now."""
        return sum(self._is_off(route) for route in self.served)

    def is_well(self) -> bool:
        """Whether the source could serve everything now that it has."""
        runtime, now = self._runtime, self._grounds.clock.now()
        if runtime.refusal():
            return False
        for unit in runtime.units.values():
            if runtime.is_out(unit, now) or not runtime.is_well(unit, now):
                return False
        supervisor = self._grounds.hub.supervisors.get(runtime.name)
        return supervisor is None or not supervisor.wanted or supervisor.live

    def _is_off(self, route: Route) -> bool:
        return route.serving is None or route.serving.runtime is not self._runtime

    def _take(self, event: Event) -> None:
        self.events.append(event)
        at_s = max(0.0, event.at - self._began_wall)
        if self._cleared is None and self._noticed_after_s is None and isinstance(event, _SIGNS):
            self._noticed_after_s = at_s
        if isinstance(event, events.BreakerOpened) and event.source == self._runtime.name:
            self.opened.append(event.capability)
        elif isinstance(event, events.FailedOver) and event.before == self._runtime.name:
            self.moved_after_s.setdefault(event.route, at_s)
            if self._failover_ms is None and event.took_ms > 0:
                self._failover_ms = event.took_ms

    def watch_calls(self) -> None:
        """Be told of each call on the routes, until `let_go`."""
        for route in self._routes:
            route.watched = self._called

    def let_go(self) -> None:
        """Leave the routes as they were."""
        for route in self._routes:
            route.watched = None

    def _called(self, decision: Decision) -> None:
        if decision.source is not None:
            self._answers[decision.source] = self._answers.get(decision.source, 0) + 1

    # --- Figures --------------------------------------------------------------------------------------

    def figures(self, fault: Fault) -> DrillFigures:
        """How things stand."""
        now = self._grounds.clock.now()
        calls = failures = 0
        self.failed_beyond_risk = 0
        for route in self._routes:
            before = self._before[route.text]
            calls += route.calls - before.calls
            failed = route.failures - before.failures
            failures += failed
            if route.text not in self._risky:
                self.failed_beyond_risk += failed
        ticks = None if self.accounts is None else self.accounts.take(now)
        moved = [self.moved_after_s.get(route) for route in self.to_move]
        whole = {WHOLE: self._runtime.whole.state(now).value}
        return DrillFigures(
            held_back=fault.held_back,
            past_breaker=self.past_breaker,
            calls=calls,
            answered=calls - failures,
            failed=failures,
            answered_by=dict(self._answers),
            noticed_after_s=self._noticed_after_s,
            failover_ms=self._failover_ms,
            moved_after_s=max((at for at in moved if at is not None), default=None),
            ticks=0 if ticks is None else ticks.ticks,
            lost=None if ticks is None else ticks.lost,
            doubled=0 if ticks is None else ticks.doubled,
            disordered=0 if ticks is None else ticks.disordered,
            bent=0 if ticks is None else ticks.bent,
            gaps=0 if ticks is None else ticks.gaps,
            gap_s=0.0 if ticks is None else ticks.gap_s,
            silence_s=None if ticks is None else ticks.silence_s,
            breakers={
                unit.capability.value: unit.breaker.state(now).value for unit in self._runtime.units.values()
            }
            | whole,
            breakers_opened=len(self.opened),
            recovered_after_s=self._recovered_after_s,
            served=len(self.served),
            away=self.away,
        )

    # --- Ticks ----------------------------------------------------------------------------------------

    def reader(self) -> TickReader | None:
        """A reader of the instruments whose ticks come from the source; None where none do.

        They are subscribed already: nothing more is asked of a vendor.
        """
        hub, now = self._grounds.hub, self._grounds.clock.now()
        name = self._runtime.name
        lanes = [lane for lane in hub.lanes.values() if lane.active == name][:_MOST_INSTRUMENTS]
        if not lanes:
            return None
        lively: set[Instrument] = set()
        for lane in lanes:
            seen_at = hub.board.row(lane.instrument).seen_at
            if seen_at is not None and now - seen_at <= _LIVELY_S:
                lively.add(lane.instrument)
        self.accounts = TickAccounts(frozenset(lively), name, now, self._numbers_of)
        return hub.reader([lane.instrument for lane in lanes], name="drill")

    def _numbers_of(self, source: str) -> str:
        runtime = self._grounds.sources.get(source)
        return "" if runtime is None else numbers_of(runtime)
