"""How an operator's word is carried out: checked against what is, applied, answered with its reverse."""

from collections.abc import Callable, Mapping
from typing import Protocol

from mds_engine.clock import Clock
from mds_engine.control import commands
from mds_engine.control.commands import Command, CommandResult, ForcedState
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import InvalidRequest, MdsError, SourceError, UnknownSourceError
from mds_engine.model import Capability, Instrument
from mds_engine.policy.breaker import Breaker, BreakerState
from mds_engine.routing.failover import Failover
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.streams.hub import TickHub


class Checker(Protocol):
    """Runs an active health check."""

    async def check(self, runtime: SourceRuntime) -> None:
        """Raises a SourceError if the source is not well."""
        ...


class Steering:
    """Applies commands. Everything but a health check is done at once, on the engine's loop."""

    def __init__(
        self,
        sources: Mapping[str, SourceRuntime],
        routes: Mapping[RouteKey, Route],
        *,
        clock: Clock,
        failover: Failover,
        hub: TickHub,
        checker: Checker,
        seed: Callable[[tuple[Instrument, ...]], None],
    ) -> None:
        self._sources = sources
        self._routes = routes
        self._clock = clock
        self._failover = failover
        self._hub = hub
        self._checker = checker
        self._seed = seed
        self.forced_until: dict[tuple[str, str], float] = {}
        """Monotonic time at which a forced breaker of (source, capability) is automatic again; capability
        "" is the source as a whole."""

    async def apply(self, command: Command) -> CommandResult:
        """Carry it out, or say in one sentence why not. Never raises for a bad command."""
        try:
            return await self._apply(command)
        except MdsError as error:
            return CommandResult(accepted=False, message=str(error))

    async def _apply(self, command: Command) -> CommandResult:
        match command:
            case commands.FailOver():
                return self._fail_over(command)
            case commands.Pin():
                return self._pin(command)
            case commands.Unpin():
                return self._unpin(command)
            case commands.SetPriority():
                return self._set_priority(command)
            case commands.ForceBreaker():
                return self._force_breaker(command)
            case commands.ResetBreaker():
                return self._reset_breaker(command)
            case commands.EnableSource():
                return self._enable(command)
            case commands.SetRateLimit():
                return self._set_rate_limit(command)
            case commands.CheckHealth():
                return await self._check(command)
            case commands.Subscribe():
                return self._subscribe(command)
            case commands.Unsubscribe():
                return self._unsubscribe(command)

    # --- Routes ---------------------------------------------------------------------------------------

    def _fail_over(self, command: commands.FailOver) -> CommandResult:
        route = self._route(command.route)
        if route.pinned is not None:
            raise InvalidRequest(
                f"{route.text} is forced onto {route.pinned.name}; give it back to automatic first"
            )
        before = route.active
        unit = self._unit(route, command.to) if command.to else self._next_fit(route)
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

    def _pin(self, command: commands.Pin) -> CommandResult:
        route = self._route(command.route)
        unit = self._unit(route, command.source)
        _check_ttl(command.ttl_s)
        reverse: Command = (
            commands.Unpin(route=route.text, by=command.by)
            if route.pinned is None
            else commands.Pin(
                route=route.text, source=route.pinned.name, ttl_s=self._left_s(route.pin_until), by=command.by
            )
        )
        self._failover.pin(route, unit, command.why, command.ttl_s)
        held = "until ended" if command.ttl_s is None else f"for {command.ttl_s / 60:g} min"
        return CommandResult(
            accepted=True, message=f"{route.text} is forced onto {unit.name} {held}", reverse=reverse
        )

    def _unpin(self, command: commands.Unpin) -> CommandResult:
        route = self._route(command.route)
        if route.pinned is None:
            raise InvalidRequest(f"{route.text} is automatic already")
        reverse = commands.Pin(
            route=route.text,
            source=route.pinned.name,
            ttl_s=self._left_s(route.pin_until),
            by=command.by,
            why=route.pin_why,
        )
        self._failover.unpin(route)
        return CommandResult(accepted=True, message=f"{route.text} is automatic again", reverse=reverse)

    def _set_priority(self, command: commands.SetPriority) -> CommandResult:
        route = self._route(command.route)
        units = tuple(self._unit(route, name) for name in command.sources)
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

    # --- Breakers -------------------------------------------------------------------------------------

    def _force_breaker(self, command: commands.ForceBreaker) -> CommandResult:
        runtime = self._source(command.source)
        _check_ttl(command.ttl_s)
        now, why = self._clock.now(), command.why or f"by {command.by}"
        names = [unit.capability.value for unit in self._units(runtime, command.capability)]
        if command.capability is None:
            names.append(_WHOLE)
        before = self._breaker(runtime, names[0]).state(now)
        held_until = self.forced_until.get((runtime.name, names[0]))
        for name in names:
            self._force(runtime, name, command.state, why)
            self.forced_until.pop((runtime.name, name), None)
            if command.ttl_s is not None and command.state is not ForcedState.AUTOMATIC:
                self.forced_until[runtime.name, name] = now + command.ttl_s
        what = command.capability or "every"
        state = "automatic" if command.state is ForcedState.AUTOMATIC else f"forced {command.state.value}"
        return CommandResult(
            accepted=True,
            message=f"{what} breaker of {runtime.name} is {state}",
            reverse=commands.ForceBreaker(
                source=runtime.name,
                capability=command.capability,
                state=_FORCED.get(before, ForcedState.AUTOMATIC),
                ttl_s=self._left_s(held_until),
                by=command.by,
            ),
        )

    def _breaker(self, runtime: SourceRuntime, name: str) -> Breaker:
        return runtime.whole if name == _WHOLE else runtime.units[Capability(name)].breaker

    def _force(self, runtime: SourceRuntime, name: str, state: ForcedState, why: str) -> None:
        """Change one breaker and tell of it."""
        breaker, now = self._breaker(runtime, name), self._clock.now()
        match state:
            case ForcedState.OPEN:
                transition = breaker.force_open(now, why)
            case ForcedState.CLOSED:
                transition = breaker.force_closed(now, why)
            case ForcedState.AUTOMATIC:
                transition = breaker.automatic(now, why)
        if name == _WHOLE:
            runtime.whole_changed(transition)
        else:
            runtime.unit_changed(runtime.units[Capability(name)], transition)

    def expire_forced(self) -> list[str]:
        """End the forced breakers whose time is over; returns what ended, in words."""
        now = self._clock.now()
        over = [key for key, until in self.forced_until.items() if until <= now]
        for source, name in over:
            del self.forced_until[source, name]
            self._force(self._sources[source], name, ForcedState.AUTOMATIC, "its time is over")
        return [f"{source} {name or 'source'} breaker" for source, name in over]

    def _reset_breaker(self, command: commands.ResetBreaker) -> CommandResult:
        runtime = self._source(command.source)
        now, why = self._clock.now(), command.why or f"reset by {command.by}"
        if command.capability is None:
            runtime.whole_changed(runtime.whole.reset(now, why))
            self.forced_until.pop((runtime.name, _WHOLE), None)
            for kind in ("login", "quota"):
                runtime.unblock(kind)
        for unit in self._units(runtime, command.capability):
            self.forced_until.pop((runtime.name, unit.capability.value), None)
            unit.problem = ""
            runtime.unit_changed(unit, unit.breaker.reset(now, why))
        what = "breakers" if command.capability is None else f"{command.capability} breaker"
        return CommandResult(accepted=True, message=f"{what} of {runtime.name} reset")

    # --- Sources --------------------------------------------------------------------------------------

    def _enable(self, command: commands.EnableSource) -> CommandResult:
        runtime = self._source(command.source)
        if command.enabled == ("disabled" not in runtime.blocks):
            state = "in service" if command.enabled else "out of service"
            raise InvalidRequest(f"{runtime.name} is {state} already")
        if command.enabled:
            runtime.unblock("disabled")
        else:
            runtime.block("disabled", "disabled" + (f": {command.why}" if command.why else ""))
        return CommandResult(
            accepted=True,
            message=f"{runtime.name} {'enabled' if command.enabled else 'disabled'}",
            reverse=commands.EnableSource(source=runtime.name, enabled=not command.enabled, by=command.by),
        )

    def _set_rate_limit(self, command: commands.SetRateLimit) -> CommandResult:
        runtime = self._source(command.source)
        limiter = runtime.limiters.get(command.group)
        if limiter is None:
            known = ", ".join(runtime.limiters)
            raise InvalidRequest(f"{runtime.name} has no limit group {command.group!r}; known are {known}")
        if command.limit < 1:
            raise InvalidRequest("the limit must be at least 1; disable the source to send nothing")
        windows = {use.window_s: use.limit for use in limiter.used(self._clock.now())}
        if command.window_s not in windows:
            known = ", ".join(f"{window_s:g} s" for window_s in windows)
            raise InvalidRequest(
                f"{runtime.name} {command.group} has no window of {command.window_s:g} s; known are {known}"
            )
        limiter.set_limit(command.window_s, command.limit)
        return CommandResult(
            accepted=True,
            message=f"{runtime.name} {command.group}: {command.limit} in {command.window_s:g} s",
            reverse=commands.SetRateLimit(
                source=runtime.name,
                group=command.group,
                limit=windows[command.window_s],
                window_s=command.window_s,
                by=command.by,
            ),
        )

    async def _check(self, command: commands.CheckHealth) -> CommandResult:
        runtime = self._source(command.source)
        try:
            await self._checker.check(runtime)
        except SourceError as error:
            return CommandResult(accepted=True, message=f"{runtime.name} is not well: {error.message}")
        return CommandResult(accepted=True, message=f"{runtime.name} answers")

    # --- Watching -------------------------------------------------------------------------------------

    def _subscribe(self, command: commands.Subscribe) -> CommandResult:
        new = self._hub.watch(Instrument.parse(text) for text in command.instruments)
        self._seed(new)
        names = tuple(str(instrument) for instrument in new)
        reverse = commands.Unsubscribe(instruments=names, by=command.by) if names else None
        return CommandResult(
            accepted=True, message=f"watching {', '.join(names) or 'nothing new'}", reverse=reverse
        )

    def _unsubscribe(self, command: commands.Unsubscribe) -> CommandResult:
        gone = self._hub.unwatch(Instrument.parse(text) for text in command.instruments)
        names = tuple(str(instrument) for instrument in gone)
        reverse = commands.Subscribe(instruments=names, by=command.by) if names else None
        return CommandResult(
            accepted=True, message=f"no longer watching {', '.join(names) or 'anything'}", reverse=reverse
        )

    # --- Finding --------------------------------------------------------------------------------------

    def _source(self, name: str) -> SourceRuntime:
        runtime = self._sources.get(name)
        if runtime is None:
            raise UnknownSourceError(f"there is no source {name!r}; known are {', '.join(self._sources)}")
        return runtime

    def _route(self, text: str) -> Route:
        route = self._routes.get(RouteKey.parse(text))
        if route is None:
            known = ", ".join(route.text for route in self._routes.values())
            raise InvalidRequest(f"there is no route {text!r}; known are {known}")
        return route

    def _unit(self, route: Route, source: str) -> Unit:
        unit = route.unit(source)
        if unit is None:
            known = ", ".join(unit.name for unit in route.units)
            raise InvalidRequest(f"{source!r} is no source of {route.text}; known are {known}")
        return unit

    def _units(self, runtime: SourceRuntime, capability: str | None) -> list[Unit]:
        if capability is None:
            return list(runtime.units.values())
        found = [unit for unit in runtime.units.values() if unit.capability.value == capability]
        if not found:
            known = ", ".join(unit.value for unit in runtime.units)
            raise InvalidRequest(f"{runtime.name} has no capability {capability!r}; known are {known}")
        return found

    def _left_s(self, until: float | None) -> float | None:
        return None if until is None else max(1.0, until - self._clock.now())


def _check_ttl(ttl_s: float | None) -> None:
    if ttl_s is not None and ttl_s <= 0:
        raise InvalidRequest("the time to live must be above 0 seconds, or none")


_WHOLE = ""
_FORCED = {BreakerState.FORCED_OPEN: ForcedState.OPEN, BreakerState.FORCED_CLOSED: ForcedState.CLOSED}
