"""Another configuration on a running engine: all of it or nothing, and only what changed is touched.

Sources that stay keep their connections, breakers, limiters, streams and
readers. One whose connection must be made anew leaves its routes first, so
that its instruments go to a standby without a loss, and comes back under its
name. The steps of `_apply` are one step to everybody else: nothing is awaited
between the first change and the last.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mds_engine.asking import Asking
from mds_engine.config.difference import Difference, difference
from mds_engine.config.schema import Config
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import InvalidRequest
from mds_engine.keeping import Keeper
from mds_engine.model import Instrument
from mds_engine.recording.recorder import Recorder
from mds_engine.refitting import refit, succeed
from mds_engine.routing.failover import Failover
from mds_engine.routing.housekeeping import Housekeeping
from mds_engine.routing.route import Route
from mds_engine.routing.router import Router
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import SourcePlugin
from mds_engine.steering import Steering
from mds_engine.streaming import Streaming
from mds_engine.upkeep import Upkeep
from mds_engine.wiring import configure_route, units_of

_WHY = "the configuration changed"
_GONE = "gone"


class Parts(NamedTuple):
    """Of a running engine, what a configuration has a say in. `sources` and `routes` are changed in place."""

    plugins: Mapping[str, SourcePlugin]
    make: Callable[[str, Config], SourceRuntime]
    """A new source by its name, not begun. Raises ConfigError."""
    sources: dict[str, SourceRuntime]
    routes: dict[RouteKey, Route]
    route_of: Callable[[RouteKey], Route]
    router: Router
    asking: Asking
    failover: Failover
    housekeeping: Housekeeping
    steering: Steering
    streaming: Streaming
    upkeep: Upkeep
    seed: Callable[[tuple[Instrument, ...]], None]
    """Puts a quote on the board for each instrument that is newly watched."""
    keeper: Keeper | None
    """None where nothing is kept over a restart."""
    recorder: Recorder | None
    """None where nothing is recorded."""


class Reconfiguring:
    """Takes the engine of `parts` from one configuration to the next."""

    def __init__(self, parts: Parts, use: Callable[[Config], None]) -> None:
        """`use` makes a configuration the one that the engine goes by: new routes are made by it."""
        self._parts = parts
        self._use = use

    async def take(self, before: Config, after: Config) -> Difference:
        """Apply what differs. Raises ConfigError or InvalidRequest, and then nothing has changed."""
        parts, changes = self._parts, difference(before, after)
        for name in (*changes.gone, *changes.reconnected):
            if "restart" in parts.sources[name].blocks:
                raise InvalidRequest(f"{name} is being restarted; apply it when that is over")
        fresh = {name: parts.make(name, after) for name in (*changes.new, *changes.reconnected)}
        leaving = {name: parts.sources[name] for name in (*changes.gone, *changes.reconnected)}
        self._apply(before, after, changes, fresh, leaving)
        await parts.upkeep.end(leaving.values())
        return changes

    def _apply(
        self,
        before: Config,
        after: Config,
        changes: Difference,
        fresh: Mapping[str, SourceRuntime],
        leaving: Mapping[str, SourceRuntime],
    ) -> None:
        parts = self._parts
        was = {key: _names(units_of(key, before, parts.sources)) for key in parts.routes}
        self._use(after)
        self._policies(before, after)
        staying = {name: runtime for name, runtime in parts.sources.items() if name not in leaving}
        for runtime in staying.values():
            refit(runtime, before, after, parts.plugins)
        if leaving:
            self._let_go(after, leaving, staying)
        self._bring_in(after, fresh, leaving, staying)
        self._reshape(after, was)
        self._forget_words(before, after, changes, was)
        self._watch(before, after)
        parts.streaming.hub.assign()
        for runtime in parts.sources.values():
            if runtime.name in fresh:
                parts.upkeep.begin(runtime)
            else:
                parts.upkeep.connect(runtime)
            if runtime.name in changes.adjusted:
                parts.streaming.look_again(runtime.name)

    def _policies(self, before: Config, after: Config) -> None:
        parts = self._parts
        parts.router.use(
            retry=after.retry,
            panic=after.panic,
            failback=after.failback,
            hedging=after.hedging,
            failover=after.engine.failover_enabled,
        )
        parts.asking.use(deadline_s=after.engine.deadline_s, bars_deadline_s=after.engine.bars_deadline_s)
        parts.failover.use(after.failback)
        parts.housekeeping.use(hedge_quantile=after.hedging.quantile)
        if (before.streams, before.quality, before.reconnect) != (
            after.streams,
            after.quality,
            after.reconnect,
        ):
            parts.streaming.use(after)

    # --- Sources --------------------------------------------------------------------------------------

    def _let_go(
        self, after: Config, leaving: Mapping[str, SourceRuntime], staying: Mapping[str, SourceRuntime]
    ) -> None:
        """Take sources off their routes, so that who listens to them goes elsewhere while they still can
        give what they hold."""
        parts = self._parts
        for runtime in leaving.values():
            runtime.block(_GONE, _WHY)
        routes = [route for route in parts.routes.values() if _has_any(route, leaving)]
        stood = [(route, route.units, route.active, route.pinned) for route in routes]
        for route in routes:
            others = units_of(route.key, after, staying)
            route.units, route.pinned = others, None
            if route.active not in others:
                route.active = _first_fit(others)
            route.rebuild()
        parts.streaming.hub.assign()
        for route, units, active, pinned in stood:
            # As they stood: what becomes of them is decided, and told, once who comes is there.
            route.units, route.active, route.pinned = units, active, pinned
        for name, runtime in leaving.items():
            parts.streaming.remove(name, _WHY)
            runtime.retire()

    def _bring_in(
        self,
        after: Config,
        fresh: Mapping[str, SourceRuntime],
        leaving: Mapping[str, SourceRuntime],
        staying: Mapping[str, SourceRuntime],
    ) -> None:
        parts = self._parts
        for name, runtime in fresh.items():
            old = leaving.get(name)
            zone = parts.plugins[runtime.settings.kind].quota_zone
            if old is not None:
                succeed(runtime, old, after, zone)
            elif parts.keeper is not None:
                parts.keeper.take_up(runtime)
            if parts.keeper is not None:
                runtime.counted = parts.keeper.keep_account
            parts.streaming.add(runtime)
        if parts.recorder is not None and fresh:
            parts.recorder.attach_more(fresh.values())
        for name, runtime in leaving.items():
            parts.steering.carry_over(runtime, fresh.get(name))
        parts.sources.clear()
        parts.sources.update({name: fresh.get(name) or staying[name] for name in after.sources})

    # --- Routes ---------------------------------------------------------------------------------------

    def _reshape(self, after: Config, was: Mapping[RouteKey, tuple[str, ...]]) -> None:
        parts = self._parts
        for key, route in list(parts.routes.items()):
            if key.exchange not in after.exchanges and self._is_idle(route):
                del parts.routes[key]
                continue
            units = units_of(key, after, parts.sources)
            reordered = _names(units) != was[key]
            if not reordered:
                # An operator's own order stands as long as the configured one does.
                units = tuple(sorted(units, key=lambda unit: _place(route, unit.name)))
            configure_route(route, after)
            parts.failover.reshape(route, units, reordered=reordered, why=_WHY)
        for configured in after.routes:
            parts.route_of(configured.key)
        in_order = [route.key for route in after.routes]
        ordered = {key: parts.routes[key] for key in (*in_order, *parts.routes)}
        parts.routes.clear()
        parts.routes.update(ordered)

    def _is_idle(self, route: Route) -> bool:
        """Whether nobody needs a route that no configuration names."""
        hub = self._parts.streaming.hub
        return not any(instrument.exchange == route.key.exchange for instrument in hub.lanes)

    # --- What stood, and what is watched --------------------------------------------------------------

    def _forget_words(
        self, before: Config, after: Config, changes: Difference, was: Mapping[RouteKey, tuple[str, ...]]
    ) -> None:
        """The configuration is the newer word on what it changes: an older one does not come back."""
        keeper, parts = self._parts.keeper, self._parts
        if keeper is None:
            return
        over = {f"route:{key}" for key in was if key not in parts.routes or parts.routes[key].pinned is None}
        over |= {
            f"priority:{key}"
            for key, names in was.items()
            if key not in parts.routes or names != _names(units_of(key, after, parts.sources))
        }
        beginnings: list[str] = []
        for name in changes.gone:
            over.add(f"source:{name}")
            beginnings += [f"breaker:{name}/", f"limit:{name}/"]
        for name in after.sources.keys() & before.sources.keys():
            old, new = before.sources[name], after.sources[name]
            if old.enabled != new.enabled:
                over.add(f"source:{name}")
            if (old.rate_limit, old.rate_window_s) != (new.rate_limit, new.rate_window_s):
                beginnings.append(f"limit:{name}/")
        keeper.forget(lambda subject: subject in over or subject.startswith(tuple(beginnings)))

    def _watch(self, before: Config, after: Config) -> None:
        hub = self._parts.streaming.hub
        was, wanted = before.console.watched, after.console.watched
        hub.unwatch(instrument for instrument in was if instrument not in wanted)
        self._parts.seed(hub.watch(instrument for instrument in wanted if instrument not in was))


def _names(units: tuple[Unit, ...]) -> tuple[str, ...]:
    return tuple(unit.name for unit in units)


def _first_fit(units: tuple[Unit, ...]) -> Unit | None:
    return next((unit for unit in units if not unit.runtime.is_out(unit, unit.runtime.clock.now())), None)


def _place(route: Route, name: str) -> int:
    return next((place for place, unit in enumerate(route.units) if unit.name == name), len(route.units))


def _has_any(route: Route, sources: Mapping[str, SourceRuntime]) -> bool:
    return any(unit.name in sources for unit in route.units)
