"""Commands about a route: who answers it, and in which order its sources are tried."""

from mds_engine.clock import Clock
from mds_engine.control import commands
from mds_engine.control.commands import Command, CommandResult
from mds_engine.errors import InvalidRequest
from mds_engine.orders.finding import Finder, check_ttl, left_s
from mds_engine.routing.failover import Failover
from mds_engine.routing.route import Route
from mds_engine.routing.unit import Unit


class RouteOrders:
    """Moves, forces and reorders routes. Each raises InvalidRequest for what makes no sense."""

    def __init__(self, find: Finder, clock: Clock, failover: Failover) -> None:
        self._find = find
        self._clock = clock
        self._failover = failover

    def fail_over(self, command: commands.FailOver) -> CommandResult:
        """Move it once."""
        route = self._find.route(command.route)
        if route.pinned is not None:
            raise InvalidRequest(
                f"{route.text} is forced onto {route.pinned.name}; give it back to automatic first"
            )
        before = route.active
        unit = self._find.unit(route, command.to) if command.to else self._next_fit(route)
        if unit is before:
            raise InvalidRequest(f"{unit.name} is the active source of {route.text} already")
        problem = unit.runtime.is_out(unit, self._clock.now())
        if problem:
            raise InvalidRequest(f"{unit.name} cannot take over {route.text}: {problem}")
        self._failover.move(route, unit, command.why or f"by {command.by}")
        reverse = commands.FailOver(route=route.text, to=before.name, by=command.by) if before else None
        return CommandResult(accepted=True, message=f"{route.text} moved to {unit.name}", reverse=reverse)

    def _next_fit(self, route: Route) -> Unit:
        now = self._clock.now()
        for unit in route.units:
            if unit is not route.active and not unit.runtime.is_out(unit, now):
                return unit
        raise InvalidRequest(f"no other source of {route.text} can take over now")

    def pin(self, command: commands.Pin) -> CommandResult:
        """Force it onto one source."""
        route = self._find.route(command.route)
        unit = self._find.unit(route, command.source)
        check_ttl(command.ttl_s)
        reverse: Command = (
            commands.Unpin(route=route.text, by=command.by)
            if route.pinned is None
            else commands.Pin(
                route=route.text,
                source=route.pinned.name,
                ttl_s=left_s(route.pin_until, self._clock.now()),
                by=command.by,
            )
        )
        self._failover.pin(route, unit, command.why, command.ttl_s)
        held = "until ended" if command.ttl_s is None else f"for {command.ttl_s / 60:g} min"
        return CommandResult(
            accepted=True, message=f"{route.text} is forced onto {unit.name} {held}", reverse=reverse
        )

    def unpin(self, command: commands.Unpin) -> CommandResult:
        """Give it back."""
        route = self._find.route(command.route)
        if route.pinned is None:
            raise InvalidRequest(f"{route.text} is automatic already")
        reverse = commands.Pin(
            route=route.text,
            source=route.pinned.name,
            ttl_s=left_s(route.pin_until, self._clock.now()),
            by=command.by,
            why=route.pin_why,
        )
        self._failover.unpin(route)
        return CommandResult(accepted=True, message=f"{route.text} is automatic again", reverse=reverse)

    def set_priority(self, command: commands.SetPriority) -> CommandResult:
        """Reorder its sources."""
        route = self._find.route(command.route)
        units = tuple(self._find.unit(route, name) for name in command.sources)
        if len(set(command.sources)) != len(units) or len(units) != len(route.units):
            names = ", ".join(unit.name for unit in route.units)
            raise InvalidRequest(f"name each source of {route.text} once: {names}")
        before = tuple(unit.name for unit in route.units)
        self._failover.set_order(route, units)
        return CommandResult(
            accepted=True,
            message=f"{route.text} goes {' ▸ '.join(command.sources)}",
            reverse=commands.SetPriority(route=route.text, sources=before, by=command.by),
        )
