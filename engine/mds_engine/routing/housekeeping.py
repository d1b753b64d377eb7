"""What time brings while nobody calls: routes move, forced states end, learned figures are refreshed."""

from collections.abc import Callable, Mapping
from typing import Protocol

from mds_engine.clock import Clock
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.routing.failover import Failover
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit

_STEP_S = 0.1
_LEARN_EVERY_S = 1.0
_SLOWER_BY = 1.02


class Lingering(Protocol):
    """Something that lets go of what has been idle long enough."""

    def housekeep(self) -> None:
        """Let go."""
        ...


class Expiring(Protocol):
    """Something whose forced states end by themselves."""

    def expire_forced(self) -> list[tuple[str, str]]:
        """End what is over; returns (source, capability) of each breaker, capability "" for all of them."""
        ...


class Housekeeping:
    """One small round ten times a second; cheap, because all but a few comparisons waits for a change."""

    def __init__(
        self,
        sources: Mapping[str, SourceRuntime],
        routes: Mapping[RouteKey, Route],
        *,
        clock: Clock,
        failover: Failover,
        hub: Lingering,
        steering: Expiring,
        hedge_quantile: float,
        emit: Callable[[Event], None],
    ) -> None:
        self._sources = sources
        self._routes = routes
        self._clock = clock
        self._failover = failover
        self._hub = hub
        self._steering = steering
        self._hedge_quantile = hedge_quantile
        self._emit = emit

    def use(self, *, hedge_quantile: float) -> None:
        """Go by other settings from now on."""
        self._hedge_quantile = hedge_quantile

    async def run(self) -> None:
        """Go round for ever. Ends only by cancellation."""
        learn_at = 0.0
        while True:
            self.settle()
            now = self._clock.now()
            if now >= learn_at:
                learn_at = now + _LEARN_EVERY_S
                self._learn(now)
            await self._clock.sleep(_STEP_S)

    def settle(self) -> None:
        """One round: whatever is due happens now."""
        now = self._clock.now()
        for runtime in self._sources.values():
            runtime.whole_changed(runtime.whole.advance(now))
            for unit in runtime.units.values():
                runtime.unit_changed(unit, unit.breaker.advance(now))
        for source, capability in self._steering.expire_forced():
            which = f"its {capability} breaker" if capability else "its breakers"
            why = f"the time for which {which} {'was' if capability else 'were'} forced is over"
            self._emit(events.OverrideEnded(subject=source, capability=capability, why=why))
        for route in self._routes.values():
            self._failover.reconsider(route)
        self._hub.housekeep()

    def _learn(self, now: float) -> None:
        """Refresh what calls are weighed against: what is usual, and what is slow, for each source."""
        for runtime in self._sources.values():
            for unit in runtime.units.values():
                usual_s = unit.latency.quantile(0.5, now)
                if usual_s is not None:
                    unit.learn(usual_s)
                unit.hedge_after_s = unit.latency.baseline_s(now, self._hedge_quantile)
                unit.breaker.slow_after_s = _slow_after_s(unit, unit.latency.baseline_s(now))


def _slow_after_s(unit: Unit, p99_s: float | None) -> float | None:
    """What counts as slow from now on. It grows by little at a time: a source that turns slow
    must be caught before its slowness has been learned as usual."""
    before = unit.breaker.slow_after_s
    if p99_s is None:
        return before
    settings = unit.breaker.settings
    learned = max(p99_s * settings.slow_factor, settings.slow_floor_s)
    return learned if before is None else min(learned, before * _SLOWER_BY)
