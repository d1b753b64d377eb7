"""From the names in a command to what they name, or a sentence that lists what there is."""

from collections.abc import Mapping

from mds_engine.control.route_key import RouteKey
from mds_engine.errors import InvalidRequest, UnknownSourceError
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit


class Finder:
    """The sources and routes of one engine, by their names."""

    def __init__(self, sources: Mapping[str, SourceRuntime], routes: Mapping[RouteKey, Route]) -> None:
        self._sources = sources
        self._routes = routes

    def source(self, name: str) -> SourceRuntime:
        """Raises UnknownSourceError."""
        runtime = self._sources.get(name)
        if runtime is None:
            raise UnknownSourceError(f"there is no source {name!r}; known are {', '.join(self._sources)}")
        return runtime

    def route(self, text: str) -> Route:
        """Raises InvalidRequest."""
        route = self._routes.get(RouteKey.parse(text))
        if route is None:
            known = ", ".join(route.text for route in self._routes.values())
            raise InvalidRequest(f"there is no route {text!r}; known are {known}")
        return route

    def unit(self, route: Route, source: str) -> Unit:
        """A source of a route. Raises InvalidRequest."""
        unit = route.unit(source)
        if unit is None:
            known = ", ".join(unit.name for unit in route.units)
            raise InvalidRequest(f"{source!r} is no source of {route.text}; known are {known}")
        return unit

    def units(self, runtime: SourceRuntime, capability: str | None) -> list[Unit]:
        """One capability of a source, or all of them. Raises InvalidRequest."""
        if capability is None:
            return list(runtime.units.values())
        found = [unit for unit in runtime.units.values() if unit.capability.value == capability]
        if not found:
            known = ", ".join(unit.value for unit in runtime.units)
            raise InvalidRequest(f"{runtime.name} has no capability {capability!r}; known are {known}")
        return found


def check_ttl(ttl_s: float | None) -> None:
    """Raises InvalidRequest for a time to live that is none."""
    if ttl_s is not None and ttl_s <= 0:
        raise InvalidRequest("the time to live must be above 0 seconds, or none")


def left_s(until: float | None, now: float) -> float | None:
    """Seconds that an override has left, at least one; None if it has no end. Both are monotonic."""
    return None if until is None else max(1.0, until - now)
