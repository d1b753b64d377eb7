"""What became of a source's calls: the one place where outcomes are booked, each by its class."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.errors import AuthRequired, NotFound, QuotaExhausted, SourceError, Throttled, Unavailable
from mds_engine.routing.unit import Unit

if TYPE_CHECKING:
    from mds_engine.routing.source_runtime import Permit, SourceRuntime


class Booking:
    """Tells a source's breakers, latencies, health, limiters and plan what its calls met."""

    __slots__ = ("_emit", "_runtime", "tell_login")

    def __init__(self, runtime: "SourceRuntime", emit: Callable[[Event], None]) -> None:
        self._runtime = runtime
        self._emit = emit
        self.tell_login: Callable[[SourceRuntime, str], None] = self._tell_login
        """Tells that a login is needed, and why."""

    def succeeded(self, unit: Unit, permit: "Permit", now: float, duration_s: float) -> None:
        """Book a good answer."""
        runtime = self._runtime
        unit.calls += 1
        unit.latency.record(duration_s, now)
        runtime.last_good_at = now
        runtime.health.succeeded(now, duration_s)
        unit.recovery.good(now)
        opened = runtime.whole.success(permit[1], now, duration_s)
        if opened is not None:
            runtime.whole_changed(opened)
        changed = unit.breaker.success(permit[0], now, duration_s)
        if changed is not None:
            runtime.unit_changed(unit, changed)

    def data_flowed(self, unit: Unit, now: float) -> None:
        """Live data came in. To a half-open breaker that is as good as a probe that was answered."""
        runtime = self._runtime
        unit.recovery.good(now)
        runtime.health.data_flowed(now)
        if runtime.is_well(unit, now):
            return
        permit = runtime.acquire(unit, now)
        if permit is not None:
            runtime.whole_changed(runtime.whole.success(permit[1], now, 0.0))
            runtime.unit_changed(unit, unit.breaker.success(permit[0], now, 0.0))

    def failed(self, unit: Unit, permit: "Permit", now: float, duration_s: float, error: SourceError) -> None:
        """Book a failure by its class: what counts against the source, what slows it, what blocks it."""
        runtime = self._runtime
        error.source = error.source or runtime.name
        unit.calls += 1
        unit.failures += 1
        if isinstance(error, NotFound) and error.local:
            runtime.spending.take_back()
        if not error.counts_against_breaker:
            self.ignored(unit, permit, now)
            self.took_note(error, runtime.group(unit))
            return
        unit.recent_failures.record(duration_s, now)
        self.note_error(error)
        unreachable = isinstance(error, Unavailable) and error.unreachable
        if unreachable:
            runtime.spending.take_back()
        runtime.health.failed(now, unreachable=unreachable)
        unit.recovery.bad(now)
        why = error.message
        whole = runtime.whole.failure(permit[1], now, duration_s, why, unreachable=unreachable)
        if whole is not None:
            runtime.whole_changed(whole)
        changed = unit.breaker.failure(permit[0], now, duration_s, why)
        if changed is not None:
            runtime.unit_changed(unit, changed)

    def ignored(self, unit: Unit, permit: "Permit", now: float) -> None:
        """Give both permits back: the outcome says nothing of the source."""
        self._runtime.whole.ignore(permit[1], now)
        unit.breaker.ignore(permit[0], now)

    def note_error(self, error: SourceError) -> None:
        """Keep the last error for the operator's eyes."""
        runtime = self._runtime
        runtime.last_error = f"{error.class_name}: {error.message}"
        runtime.last_error_wall = runtime.clock.wall()

    def took_note(self, error: SourceError, group: str | None = None) -> None:
        """Act on a failure that is no illness: slow down, wait for a login, wait for the reset."""
        runtime = self._runtime
        if isinstance(error, Throttled):
            if not error.local and group is not None:
                self.note_error(error)
                self.throttled(error, group, runtime.clock.now())
        elif isinstance(error, AuthRequired):
            self.note_error(error)
            self.needs_login(error.message)
        elif isinstance(error, QuotaExhausted):
            self.note_error(error)
            runtime.spending.used_up(error.message, error.resets_at)

    def throttled(self, error: Throttled, group: str, now: float) -> None:
        """The vendor told us to slow down; a ban concerns every group."""
        runtime = self._runtime
        limiters = runtime.limiters.values() if error.banned else (runtime.limiters[group],)
        for limiter in limiters:
            if error.banned:
                limiter.banned(now, now + (error.retry_after_s if error.retry_after_s is not None else 120.0))
            else:
                limiter.throttled(now, error.retry_after_s)
        until = max((limiter.blocked_until(now) or now) for limiter in limiters)
        self._emit(
            events.Throttled(source=runtime.name, for_s=until - now, banned=error.banned, why=error.message)
        )
        runtime.changed(runtime)

    def needs_login(self, why: str) -> None:
        """The vendor refuses our key: out until a login or a good check."""
        runtime = self._runtime
        if "login" not in runtime.blocks:
            self.tell_login(runtime, why)
        runtime.block("login", f"login needed: {why}")

    def _tell_login(self, _runtime: "SourceRuntime", why: str) -> None:
        self._emit(events.LoginNeeded(source=self._runtime.name, why=why))
