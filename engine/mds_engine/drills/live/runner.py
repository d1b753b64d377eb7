"""Drills on the engine that hands its grounds: one at a time, and only where it says what may be lost."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from mds_engine.control.commands import CommandResult, EndDrill, StartDrill
from mds_engine.control.drill import SCENARIOS, DrillScenario, DrillView, scenario_named
from mds_engine.control.route_key import RouteKey
from mds_engine.drills.live.rehearsal import Rehearsal
from mds_engine.errors import InvalidRequest, UnknownSourceError
from mds_engine.policy.breaker import BreakerState
from mds_engine.rehearsing import Grounds
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime

_SHORTEST_S, _LONGEST_S = 1.0, 3600.0
_CALLS_LEFT = 10
"""Of a plan that counts: calls that are held back are uncounted, but not before they were counted."""


class LiveDrills:
    """The `Rehearsals` of an engine that may be rehearsed on."""

    def __init__(self, grounds: Grounds) -> None:
        """Nothing is changed before a drill begins."""
        self._grounds = grounds
        self._current: Rehearsal | None = None
        self._number = 0

    def view(self) -> DrillView | None:
        """The drill that is under way, None while none is."""
        drill = self._under_way()
        return None if drill is None else drill.view()

    def start(self, command: StartDrill) -> CommandResult:
        """Begin one. Raises InvalidRequest or UnknownSourceError, saying why not."""
        scenario = _scenario(command)
        if (drill := self._under_way()) is not None:
            view = drill.view()
            raise InvalidRequest(
                f"the drill {view.scenario} of {view.target} is under way: one at a time; end-drill ends it"
            )
        runtime = self._target(command.target)
        self._refuse_unfit(runtime)
        routes = self._routes_hit(scenario, runtime)
        risky = [route for route in routes if self._at_risk(route, runtime)]
        if risky and not command.accept_loss:
            names = " and ".join(route.text for route in risky)
            raise InvalidRequest(
                f"{names} would be lost: no other source than {runtime.name} can serve it now; "
                "say --accept_loss true if that is meant"
            )
        self._number += 1
        self._current = drill = Rehearsal(
            self._number,
            scenario,
            command,
            self._grounds,
            runtime,
            routes=routes,
            risky=risky,
            simulated=_is_simulated(runtime),
        )
        self._grounds.own(drill.run(), "drill")
        return CommandResult(
            accepted=True,
            message=f"drill {scenario.name} of {runtime.name} for {command.duration_s:g} s",
            reverse=EndDrill(by=command.by),
        )

    def end(self, command: EndDrill) -> CommandResult:
        """End the fault, or the watching of its recovery. Raises InvalidRequest if no drill is under way."""
        drill = self._under_way()
        if drill is None:
            raise InvalidRequest("no drill is under way")
        return CommandResult(accepted=True, message=drill.end(command.by))

    def _under_way(self) -> Rehearsal | None:
        if self._current is not None and self._current.is_over:
            self._current = None
        return self._current

    # --- Whom, and whether ----------------------------------------------------------------------------

    def _target(self, target: str) -> SourceRuntime:
        """The source of that name, or the one that serves the route now."""
        if "/" in target:
            key = RouteKey.parse(target)
            route = self._grounds.routes.get(key)
            if route is None:
                known = ", ".join(route.text for route in self._grounds.routes.values() if route.units)
                raise InvalidRequest(f"there is no route {target!r}; known are {known}")
            if route.serving is None:
                raise InvalidRequest(f"nobody serves {route.text} now: there is nothing to rehearse")
            return route.serving.runtime
        runtime = self._grounds.sources.get(target)
        if runtime is None:
            known = ", ".join(self._grounds.sources)
            raise UnknownSourceError(f"there is no source {target!r}; known are {known}")
        return runtime

    def _refuse_unfit(self, runtime: SourceRuntime) -> None:
        now, wall = self._grounds.clock.now(), self._grounds.clock.wall()
        if refusal := runtime.refusal():
            raise InvalidRequest(f"{runtime.name} is out already: {refusal}")
        if runtime.source.replays:
            raise InvalidRequest(f"{runtime.name} gives what was recorded: there is nothing to rehearse")
        for what, breaker in (
            ("source", runtime.whole),
            *((unit.capability.value, unit.breaker) for unit in runtime.units.values()),
        ):
            state = breaker.state(now)
            if state is not BreakerState.CLOSED:
                raise InvalidRequest(
                    f"the {what} breaker of {runtime.name} is {state.value}: wait until it is closed"
                )
        for limiter in runtime.limiters.values():
            if limiter.blocked_until(now) is not None:
                raise InvalidRequest(f"{runtime.name} asked us to slow down: wait until that is over")
        day = runtime.account.day(wall)
        if day is not None and day.left < _CALLS_LEFT:
            raise InvalidRequest(
                f"the plan of {runtime.name} has {day.left} calls left today; a drill wants {_CALLS_LEFT}"
            )

    def _routes_hit(self, scenario: DrillScenario, runtime: SourceRuntime) -> list[Route]:
        polled = runtime.polls is not None
        routes = [
            route
            for route in self._grounds.routes.values()
            if route.unit(runtime.name) is not None
            and scenario.hits(route.key.capability.value, polled=polled)
        ]
        if not routes:
            raise InvalidRequest(f"{runtime.name} serves nothing that {scenario.name!r} could hit")
        return routes

    def _at_risk(self, route: Route, runtime: SourceRuntime) -> bool:
        """Whether the source serves it, and no other could take over."""
        if route.serving is None or route.serving.runtime is not runtime:
            return False
        if route.pinned is not None:
            return True
        now = self._grounds.clock.now()
        return all(unit.runtime is runtime or unit.runtime.is_out(unit, now) for unit in route.units)


def _scenario(command: StartDrill) -> DrillScenario:
    scenario = scenario_named(command.scenario)
    if scenario is None:
        known = ", ".join(one.name for one in SCENARIOS)
        raise InvalidRequest(f"there is no drill {command.scenario!r}; known are {known}")
    if not _SHORTEST_S <= command.duration_s <= _LONGEST_S:
        raise InvalidRequest(f"a drill lasts from {_SHORTEST_S:g} s to {_LONGEST_S:g} s")
    return scenario


def _is_simulated(runtime: SourceRuntime) -> bool:
    endpoints = runtime.source.endpoints()
    return bool(endpoints) and all(_is_loopback(endpoint.url) for endpoint in endpoints)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
