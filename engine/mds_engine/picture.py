"""A snapshot of the running engine: everything that can be seen, at one time."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from math import isfinite
from urllib.parse import urlsplit

from mds_engine.clock import Clock
from mds_engine.control.route_key import RouteKey
from mds_engine.control.snapshot import (
    BreakerView,
    CapabilityView,
    EndpointView,
    EngineView,
    LimiterView,
    LoginView,
    PollView,
    RouteView,
    Snapshot,
    SourceState,
    SourceView,
    WatchRow,
    told_age,
)
from mds_engine.coverage import Coverage
from mds_engine.live_picture import LivePicture
from mds_engine.model import Capability, Instrument
from mds_engine.policy.breaker import Breaker, BreakerState
from mds_engine.rates import PerHour, PerSecond
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.streams.hub import TickHub

_REFRESH_S = 1.0
"""Quantiles are reckoned anew this often: the eye reads no faster."""


class Picture:
    """Takes snapshots. Keeps only what a rate needs: the counts of a second ago."""

    def __init__(
        self,
        name: str,
        sources: Mapping[str, SourceRuntime],
        routes: Mapping[RouteKey, Route],
        hub: TickHub,
        clock: Clock,
        *,
        forced_until: Mapping[tuple[str, str], float],
        login_of: Callable[[SourceRuntime], LoginView | None],
    ) -> None:
        """`forced_until` is the monotonic end of forced breakers by (source, capability)."""
        self._login_of = login_of
        self._forced_until = forced_until
        self._name = name
        self._sources = sources
        self._routes = routes
        self._hub = hub
        self._clock = clock
        self._started_wall = clock.wall()
        self._started = clock.now()
        self._ticks: defaultdict[str, PerSecond] = defaultdict(PerSecond)
        self._calls: defaultdict[Route, PerHour] = defaultdict(PerHour)
        self._coverage = Coverage(hub)
        self._figures: dict[Unit, _Figures] = {}
        self._watched: dict[Instrument, WatchRow] = {}

    def take(self, *, loop_lag_ms: float, last_event: int, trouble: str = "") -> Snapshot:
        """A picture of now."""
        now, wall = self._clock.now(), self._clock.wall()
        live = LivePicture(self._hub, self._routes, now)
        sources = tuple(self._source(runtime, live, now, wall) for runtime in self._sources.values())
        return Snapshot(
            at=wall,
            engine=EngineView(
                name=self._name,
                started_at=self._started_wall,
                uptime_s=now - self._started,
                ticks_per_s=sum(source.ticks_per_s for source in sources),
                loop_lag_ms=loop_lag_ms,
                ticks_dropped=self._hub.missed,
                ticks_conflated=self._hub.conflated,
                simulated=bool(sources) and all(source.simulated for source in sources),
                replayed=any(runtime.source.replays for runtime in self._sources.values()),
                last_event=last_event,
                trouble=trouble,
            ),
            sources=sources,
            routes=tuple(self._route(route, now) for route in self._routes.values() if route.units),
            watch=live.watch(self._watched),
        )

    # --- Sources --------------------------------------------------------------------------------------

    def _source(self, runtime: SourceRuntime, live: LivePicture, now: float, wall: float) -> SourceView:
        capabilities = tuple(self._capability(unit, now) for unit in runtime.units.values())
        whole = self._breaker(runtime, runtime.whole, "", now)
        worst = max((whole, *(view.breaker for view in capabilities)), key=lambda view: _GRAVITY[view.state])
        login = self._login_of(runtime)
        state, why = self._state(runtime, worst, now)
        if login is not None and login.needed and login.opens_in_s and state not in _WITHOUT_LOGIN:
            # It may still serve, but the exchange that it is wanted for is closed, and opens without it.
            state, why = SourceState.LOGIN, "login needed before its exchange opens"
        main = self._main_figures(runtime)
        calls = sum(figures.window_calls for figures in self._figures_of(runtime))
        failures = sum(figures.window_failures for figures in self._figures_of(runtime))
        endpoints = tuple(
            EndpointView(
                url=endpoint.url,
                active=endpoint.active,
                failures=endpoint.failures,
                retry_in_s=endpoint.retry_in_s,
            )
            for endpoint in runtime.source.endpoints()
        )
        return SourceView(
            name=runtime.name,
            kind=runtime.settings.kind,
            state=state,
            why=why,
            enabled="disabled" not in runtime.blocks,
            health=runtime.health.status(now).value,
            score=round(runtime.health.score(now), 2),
            breaker=worst,
            capabilities=capabilities,
            age_s=None if (good_at := runtime.last_good_at) is None else told_age(now - good_at),
            p50_ms=main.p50_ms if main else None,
            p99_ms=main.p99_ms if main else None,
            error_percent=100.0 * failures / calls if calls else None,
            ticks_per_s=self._ticks[runtime.name].take(runtime.ticks, now),
            calls=sum(unit.calls for unit in runtime.units.values()),
            failures=sum(unit.failures for unit in runtime.units.values()),
            limiters=_limiters(runtime, now),
            meters=runtime.account.meters(wall),
            money=runtime.account.money(wall),
            endpoints=endpoints,
            last_error=runtime.last_error,
            last_error_at=runtime.last_error_wall,
            simulated=bool(endpoints) and all(_is_loopback(endpoint.url) for endpoint in endpoints),
            stream=live.stream(runtime.name),
            login=login,
            price=runtime.account.price,
            polls=_polls(runtime),
            carries=_carries(runtime),
        )

    def _state(self, runtime: SourceRuntime, worst: BreakerView, now: float) -> tuple[SourceState, str]:
        refusal = runtime.refusal()
        if "disabled" in runtime.blocks:
            return SourceState.DISABLED, refusal
        if "login" in runtime.blocks:
            return SourceState.LOGIN, refusal
        if refusal:
            return SourceState.OUT, refusal
        for limiter in runtime.limiters.values():
            banned_until = limiter.banned_until
            if banned_until is not None and banned_until > now:
                return SourceState.OUT, f"banned for {banned_until - now:.0f} s more"
        outs = [unit.runtime.is_out(unit, now) for unit in runtime.units.values()]
        if outs and all(outs):
            return SourceState.OUT, outs[0]
        serving = [route for route in self._routes.values() if _serves(route, runtime)]
        pinned = [route.text for route in serving if route.pinned is not None]
        if pinned:
            return SourceState.FORCED, f"forced for {', '.join(pinned)}"
        if worst.state == BreakerState.HALF_OPEN.value or any(outs):
            return SourceState.TRYING, next((why for why in outs if why), worst.why)
        if runtime.last_good_at is None and runtime.last_error:
            return SourceState.TRYING, f"has not answered yet; {runtime.last_error}"
        if serving:
            return SourceState.ACTIVE, f"answers {', '.join(route.text for route in serving)}"
        return SourceState.READY, "stands by"

    def _capability(self, unit: Unit, now: float) -> CapabilityView:
        figures = self._figures.get(unit)
        if figures is None or now - figures.at >= _REFRESH_S:
            figures = self._figures[unit] = _Figures(unit, now)
        return CapabilityView(
            capability=unit.capability.value,
            breaker=self._breaker(unit.runtime, unit.breaker, unit.capability.value, now),
            group=unit.runtime.group(unit),
            calls=unit.calls,
            failures=unit.failures,
            p50_ms=figures.p50_ms,
            p95_ms=figures.p95_ms,
            p99_ms=figures.p99_ms,
            p50_series_ms=figures.series_ms[0],
            p95_series_ms=figures.series_ms[1],
            p99_series_ms=figures.series_ms[2],
        )

    def _breaker(self, runtime: SourceRuntime, breaker: Breaker, capability: str, now: float) -> BreakerView:
        retry_in_s = breaker.retry_in_s(now)
        until = self._forced_until.get((runtime.name, capability))
        return BreakerView(
            capability=capability,
            state=breaker.state(now).value,
            retry_in_s=0.0 if retry_in_s == float("inf") else retry_in_s,
            probes_passed=breaker.half_open_successes,
            probes_needed=breaker.settings.half_open_successes,
            recent=breaker.recent,
            why=breaker.last_why,
            opened=breaker.opened_count,
            forced_for_s=None if until is None else max(0.0, until - now),
        )

    def _figures_of(self, runtime: SourceRuntime) -> list["_Figures"]:
        return [self._figures[unit] for unit in runtime.units.values()]

    def _main_figures(self, runtime: SourceRuntime) -> "_Figures | None":
        """Those of the capability that is asked most, opening streams aside."""
        asked = [
            unit
            for unit in runtime.units.values()
            if unit.capability is not Capability.TICKS and self._figures[unit].p50_ms is not None
        ]
        return self._figures[max(asked, key=lambda unit: unit.calls)] if asked else None

    # --- Routes and instruments -----------------------------------------------------------------------

    def _route(self, route: Route, now: float) -> RouteView:
        serving = route.serving
        out = serving is None or bool(serving.runtime.is_out(serving, now))
        spare = next(
            (unit for unit in route.units if unit is not serving and not unit.runtime.is_out(unit, now)), None
        )
        ticks = route.key.capability is Capability.TICKS
        return RouteView(
            key=route.text,
            exchange=route.key.exchange,
            capability=route.key.capability.value,
            sources=tuple(unit.name for unit in route.units),
            active=None if serving is None or out else serving.name,
            degraded=out or route.degraded,
            pinned=route.pinned.name if route.pinned else None,
            pinned_for_s=None if route.pin_until is None else max(0.0, route.pin_until - now),
            pin_why=route.pin_why,
            next_source=spare.name if spare else None,
            instruments=self._hub.subscriptions(route.key.exchange) if ticks else 0,
            coverage=self._coverage.of(route, now) if ticks else (),
            calls_per_hour=self._calls[route].take(route.calls, now),
            calls=route.calls,
            failures=route.failures,
            last_decision=route.last_decision,
        )


_QUANTILES = (0.5, 0.95, 0.99)


class _Figures:
    """The last minute of one capability of one source."""

    __slots__ = ("at", "p50_ms", "p95_ms", "p99_ms", "series_ms", "window_calls", "window_failures")

    def __init__(self, unit: Unit, now: float) -> None:
        self.at = now
        latency = unit.latency
        self.p50_ms, self.p95_ms, self.p99_ms = (_ms(value) for value in latency.quantiles(_QUANTILES, now))
        self.series_ms = tuple(
            tuple(_ms(value) for value in series) for series in latency.series_of(_QUANTILES, now)
        )
        self.window_failures = unit.recent_failures.count(now)
        self.window_calls = latency.count(now) + self.window_failures


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000.0


def _limiters(runtime: SourceRuntime, now: float) -> tuple[LimiterView, ...]:
    costs = [runtime.cost(unit) for unit in runtime.units.values()]
    weighed = {cost.group for cost in costs if cost.weight > 1}
    return tuple(
        LimiterView(
            group=group,
            limit=use.limit,
            window_s=use.window_s,
            used=use.used,
            published=runtime.published.of(group, use.window_s),
            weighed=group in weighed,
            rate_factor=limiter.rate_factor,
            blocked_for_s=max(0.0, (limiter.blocked_until(now) or now) - now),
            banned=limiter.banned_until is not None and limiter.banned_until > now,
        )
        for group, limiter in runtime.limiters.items()
        for use in limiter.used(now)
    )


def _polls(runtime: SourceRuntime) -> PollView | None:
    if runtime.polls is None:
        return None
    pace_s = runtime.polls.pace_s
    return PollView(pace_s=pace_s if isfinite(pace_s) else None, at_once=runtime.source.quotes_at_once)


def _carries(runtime: SourceRuntime) -> int | None:
    limits = runtime.source.stream_limits
    if limits.instruments is None or limits.connections is None:
        return None
    return limits.instruments * limits.connections


def _serves(route: Route, runtime: SourceRuntime) -> bool:
    return route.serving is not None and route.serving.runtime is runtime


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_WITHOUT_LOGIN = frozenset({SourceState.LOGIN, SourceState.DISABLED, SourceState.OUT, SourceState.FORCED})

_GRAVITY = {
    BreakerState.CLOSED.value: 0,
    BreakerState.FORCED_CLOSED.value: 1,
    BreakerState.HALF_OPEN.value: 2,
    BreakerState.OPEN.value: 3,
    BreakerState.FORCED_OPEN.value: 4,
}
