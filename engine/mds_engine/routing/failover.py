"""Which source of a route is active: moved down on failure, back up when it is safe, or by an operator."""

from collections.abc import Callable

from mds_engine.clock import Clock
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.model import Capability, Decision
from mds_engine.policy.failback import FailbackSettings
from mds_engine.routing.route import Route
from mds_engine.routing.unit import Unit


class Failover:
    """Moves the active source of routes and tells of it. Calls never wait for it."""

    def __init__(
        self,
        settings: FailbackSettings,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        moved: Callable[[Route], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self._moved = moved

    def use(self, settings: FailbackSettings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    # --- What calls bring -----------------------------------------------------------------------------

    def answered(self, route: Route, unit: Unit, decision: Decision, first_failed_at: float | None) -> None:
        """A call was answered by another source than the active one, or on a route that was down."""
        now = self._clock.now()
        if route.down_since is not None:
            self._emit(
                events.RouteRestored(route=route.text, source=unit.name, down_for_s=now - route.down_since)
            )
            route.down_since = None
        if unit is route.active or route.pinned is not None or unit not in route.units:
            return
        why = "nobody was active" if route.active is None else route.active.runtime.is_out(route.active, now)
        if why:
            if route.active is not None:
                why = route.active.runtime.cause(route.active, now)
            took_ms = decision.took_ms if first_failed_at is None else (now - first_failed_at) * 1000.0
            self._move_down(route, unit, why, took_ms)

    def all_failed(self, route: Route, decision: Decision) -> None:
        """No source could answer."""
        now = self._clock.now()
        if (
            route.order
            and route.down_since is None
            and all(unit.runtime.is_out(unit, now) for unit in route.order)
        ):
            route.down_since = now
            self._emit(events.RouteDown(route=route.text, why=decision.explain()))

    # --- What time brings -----------------------------------------------------------------------------

    def reconsider(self, route: Route) -> None:
        """Move a route whose active source is out although nobody called, and back up when it is safe."""
        now = self._clock.now()
        if route.pinned is not None:
            if route.pin_until is not None and route.pin_until <= now:
                name = route.pinned.name
                self.unpin(route)
                self._emit(
                    events.OverrideEnded(subject=route.text, why=f"the time of the force onto {name} is over")
                )
            return
        active = route.active
        why = "nobody was active" if active is None else active.runtime.is_out(active, now)
        if why:
            fit = next((unit for unit in route.units if not unit.runtime.is_out(unit, now)), None)
            if fit is not None and fit is not active:
                if active is not None:
                    why = active.runtime.cause(active, now)
                self._move_down(route, fit, why, 0.0)
            return
        assert active is not None
        for unit in route.units:
            if unit is active:
                return
            if self._may_take_over(route, unit, now):
                self._move_up(route, unit)
                return

    def _may_take_over(self, route: Route, unit: Unit, now: float) -> bool:
        if unit.runtime.is_out(unit, now) or not unit.runtime.is_well(unit, now):
            return False
        if unit.capability is Capability.TICKS and not unit.flowing:
            return False
        if now < route.held_until:
            return False
        preemptive = self._settings.preemptive if route.preemptive is None else route.preemptive
        return preemptive or unit.recovery.may_take_over(now)

    # --- What operators do ----------------------------------------------------------------------------

    def move(self, route: Route, unit: Unit, why: str) -> None:
        """Make `unit` active by an operator's word. It fails back like any failover: the time for which
        better sources have been well begins anew."""
        now = self._clock.now()
        for better in route.units:
            if better is unit:
                break
            better.recovery.bad(now)
        # A preemptive route asks for no proof, and would undo it at once.
        route.held_until = now + self._settings.after_s
        self._move_down(route, unit, why, 0.0)

    def pin(self, route: Route, unit: Unit, why: str, ttl_s: float | None) -> None:
        """Force a route onto one source."""
        route.pinned, route.pin_why = unit, why
        route.pin_until = None if ttl_s is None else self._clock.now() + ttl_s
        self._changed(route)

    def unpin(self, route: Route) -> None:
        """Give a route back to automatic choice."""
        route.pinned, route.pin_until, route.pin_why = None, None, ""
        self._changed(route)

    def set_order(self, route: Route, units: tuple[Unit, ...]) -> None:
        """Give a route other priorities; the best that can serve becomes active at once."""
        now = self._clock.now()
        route.units = units
        before = route.active
        route.active = next((unit for unit in units if not unit.runtime.is_out(unit, now)), units[0])
        if before is not None and route.active is not before:
            self._emit(
                events.FailedBack(
                    route=route.text, before=before.name, after=route.active.name, why="priorities changed"
                )
            )
        self._changed(route)

    def reshape(self, route: Route, units: tuple[Unit, ...], *, reordered: bool, why: str) -> None:
        """Give a route the sources that its configuration says. Who is active stays so under his name, unless
        they are `reordered`: then it is the best that can serve. The streams are left to the caller."""
        now, before = self._clock.now(), route.active
        kept = None if before is None else next((unit for unit in units if unit.name == before.name), None)
        route.units = units
        if kept is None or reordered:
            fit = (unit for unit in units if not unit.runtime.is_out(unit, now))
            kept = next(fit, units[0] if units else None)
        route.active = kept
        if route.ramp_from not in units:
            route.ramp_from = None
        if route.pinned is not None:
            self._keep_pin(route, units)
        route.rebuild()
        if before is not None and kept is not None and before.name != kept.name:
            self._emit(
                events.FailedOver(route=route.text, before=before.name, after=kept.name, why=why, took_ms=0.0)
            )

    def _keep_pin(self, route: Route, units: tuple[Unit, ...]) -> None:
        pinned, route.pinned = route.pinned, None
        assert pinned is not None
        route.pinned = next((unit for unit in units if unit.name == pinned.name), None)
        if route.pinned is None:
            route.pin_until, route.pin_why = None, ""
            self._emit(
                events.OverrideEnded(subject=route.text, why=f"{pinned.name} is no source of it any more")
            )

    # --- Moves ----------------------------------------------------------------------------------------

    def _move_down(self, route: Route, unit: Unit, why: str, took_ms: float) -> None:
        before = "" if route.active is None else route.active.name
        route.active = unit
        route.ramp_from = None
        self._emit(
            events.FailedOver(route=route.text, before=before, after=unit.name, why=why, took_ms=took_ms)
        )
        self._changed(route)

    def _move_up(self, route: Route, unit: Unit) -> None:
        before = "" if route.active is None else route.active.name
        route.ramp_from, route.ramp_since = route.active, self._clock.now()
        route.active = unit
        recovery = unit.recovery
        why = f"well for {recovery.well_for_s(self._clock.now()):.0f} s, {recovery.good_checks} good checks"
        self._emit(events.FailedBack(route=route.text, before=before, after=unit.name, why=why))
        self._changed(route)

    def _changed(self, route: Route) -> None:
        route.rebuild()
        self._moved(route)
