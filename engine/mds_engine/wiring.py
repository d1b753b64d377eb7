"""From a configuration to running parts: one runtime a source, one route an (exchange, capability)."""

import random as random_module
from collections.abc import Callable, Mapping

from mds_engine.clock import Clock
from mds_engine.config.schema import Config
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import ConfigError
from mds_engine.model import Capability, Instrument
from mds_engine.policy.breaker import Breaker
from mds_engine.policy.failback import Recovery
from mds_engine.policy.health import HealthTracker
from mds_engine.policy.latency import LatencySettings, LatencyTracker
from mds_engine.policy.limiter import Limiter, LimitWindow
from mds_engine.policy.source_breaker import SourceBreaker
from mds_engine.routing.account import Account
from mds_engine.routing.polls import Polls
from mds_engine.routing.published import PublishedLimits
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import Source, SourcePlugin

_LATENCY = LatencySettings()


def make_runtime(
    name: str,
    settings: SourceSettings,
    config: Config,
    plugins: Mapping[str, SourcePlugin],
    *,
    clock: Clock,
    emit: Callable[[Event], None],
    random: random_module.Random,
) -> SourceRuntime:
    """One source with everything that is kept of it. Does no I/O. Raises ConfigError for an unknown kind."""
    plugin = plugins.get(settings.kind)
    if plugin is None:
        raise ConfigError(
            f"source {name!r} is of kind {settings.kind!r}, which is not installed; "
            f"installed are {', '.join(sorted(plugins))}"
        )
    runtime = SourceRuntime(
        name,
        settings,
        clock=clock,
        emit=emit,
        whole=SourceBreaker(config.source_breaker, config.breaker, random),
        health=HealthTracker(config.health),
        account=Account(settings, plugin.quota_zone),
    )
    runtime.source = source = plugin.create(settings, runtime)
    runtime.published = PublishedLimits(source.limits())
    runtime.limiters = {
        group: Limiter(windows, config.limiter) for group, windows in limits_of(source, settings).items()
    }
    polled = source.polls and settings.pace_s != 0
    runtime.units = {
        capability: Unit(
            runtime,
            capability,
            Breaker(config.breaker, random),
            LatencyTracker(_LATENCY),
            LatencyTracker(_LATENCY),
            Recovery(config.failback),
        )
        for capability in Capability
        if capability in source.capabilities or (polled and capability is Capability.TICKS)
    }
    if polled:
        runtime.polls = Polls(runtime, runtime.units[Capability.TICKS])
    if not settings.enabled:
        runtime.block("disabled", "disabled in the configuration")
    return runtime


def limits_of(source: Source, settings: SourceSettings) -> dict[str, tuple[LimitWindow, ...]]:
    """The vendor's published limits, with the operator's own beside the first group's."""
    limits = {group: tuple(windows) for group, windows in source.limits().items()}
    if settings.rate_limit is not None:
        own = LimitWindow(settings.rate_limit, settings.rate_window_s)
        limits = {
            group: (own, *(window for window in windows if window.window_s != own.window_s))
            for group, windows in limits.items()
        }
    return limits


def units_of(key: RouteKey, config: Config, sources: Mapping[str, SourceRuntime]) -> tuple[Unit, ...]:
    """Those of a route's configured sources that are there and have the capability and the exchange, in
    order; those that are polled for their ticks come after all that stream them."""
    sample = Instrument(key.exchange, "X")
    runtimes = (sources[name] for name in config.route(key).sources if name in sources)
    units = tuple(
        unit
        for runtime in runtimes
        if (unit := runtime.units.get(key.capability)) is not None and runtime.serves(unit, sample)
    )
    if key.capability is Capability.TICKS:
        units = tuple(sorted(units, key=lambda unit: unit.runtime.polls is not None))
    return units


def make_route(key: RouteKey, config: Config, sources: Mapping[str, SourceRuntime]) -> Route:
    """A route with its sources, as it is configured."""
    route = Route(key, units_of(key, config, sources))
    configure_route(route, config)
    return route


def configure_route(route: Route, config: Config) -> None:
    """Let a route behave as it is configured, whatever its sources are."""
    configured = config.route(route.key)
    route.hedged = configured.hedge
    route.preemptive = None if configured.failback is None else configured.failback == "preemptive"
    route.standby = configured.standby
    route.quarantine = configured.quarantine
