"""One source that goes by other settings: in place where it can, made anew where it must."""

from collections.abc import Mapping, Sequence

from mds_engine.config.schema import Config
from mds_engine.config.source_settings import SourceSettings
from mds_engine.policy.limiter import Limiter, LimitWindow
from mds_engine.routing.account import Account
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.sources.contract import SourcePlugin
from mds_engine.wiring import limits_of

_DISABLED = "disabled"


def refit(runtime: SourceRuntime, before: Config, after: Config, plugins: Mapping[str, SourcePlugin]) -> None:
    """Let a source that stays go by `after`, with all that was seen and counted of it."""
    settings, old = after.sources[runtime.name], runtime.settings
    runtime.settings = settings
    runtime.whole.use_both(after.source_breaker, after.breaker)
    runtime.health.settings = after.health
    for unit in runtime.units.values():
        unit.breaker.use(after.breaker)
        unit.recovery.settings = after.failback
    _limit(runtime, old, before, after)
    if _plan(settings) != _plan(old):
        _renew_account(runtime, runtime.account, plugins[settings.kind].quota_zone)
    if settings.enabled != old.enabled:
        set_enabled(runtime, enabled=settings.enabled)


def succeed(fresh: SourceRuntime, old: SourceRuntime, after: Config, zone: str) -> None:
    """A source that was made anew goes on counting where the old one was: its vendor does."""
    enabled = _DISABLED not in old.blocks
    if old.settings.enabled == fresh.settings.enabled and enabled != fresh.settings.enabled:
        set_enabled(fresh, enabled=enabled)
    if old.settings.kind == fresh.settings.kind:
        keep_counting(fresh, old, after)
        _renew_account(fresh, old.account, zone)


def keep_counting(fresh: SourceRuntime, old: SourceRuntime, after: Config) -> None:
    """What the old one was sent still counts in its vendor's windows. Both are of one kind and one clock."""
    was, wanted = limits_of(old.source, old.settings), limits_of(fresh.source, fresh.settings)
    now = fresh.clock.now()
    for group, windows in wanted.items():
        limiter = old.limiters.get(group)
        if limiter is not None:
            limiter.use(_windows(limiter, was[group], windows, now), after.limiter)
            fresh.limiters = {**fresh.limiters, group: limiter}


def set_enabled(runtime: SourceRuntime, *, enabled: bool) -> None:
    """In service or out of it, by the configuration's word."""
    if enabled:
        runtime.unblock(_DISABLED)
        for unit in runtime.units.values():
            unit.problem = ""  # that of its streams: they are tried at once
    else:
        runtime.block(_DISABLED, "disabled in the configuration")


def _limit(runtime: SourceRuntime, old: SourceSettings, before: Config, after: Config) -> None:
    was, wanted = limits_of(runtime.source, old), limits_of(runtime.source, runtime.settings)
    if was == wanted and before.limiter == after.limiter:
        return
    now = runtime.clock.now()
    for group, windows in wanted.items():
        limiter = runtime.limiters[group]
        limiter.use(_windows(limiter, was[group], windows, now), after.limiter)


def _windows(
    limiter: Limiter, was: Sequence[LimitWindow], wanted: Sequence[LimitWindow], now: float
) -> list[LimitWindow]:
    """What is wanted; but a window that was configured so before keeps what its vendor, or an operator, has
    made of it since."""
    held = {use.window_s: use.limit for use in limiter.used(now)}
    return [
        LimitWindow(held.get(window.window_s, window.limit), window.window_s) if window in was else window
        for window in wanted
    ]


def _plan(settings: SourceSettings) -> tuple[object, ...]:
    return (settings.calls_per_day, settings.cost_per_call, settings.cost_per_month, settings.currency)


def _renew_account(runtime: SourceRuntime, old: Account, zone: str) -> None:
    """Another plan, with what was used of the old one."""
    wall = runtime.clock.wall()
    runtime.account = account = Account(runtime.settings, zone)
    account.restore(old.dump(), wall)
    runtime.counted(runtime)
    resets_at = account.exhausted_until(wall)
    if resets_at is None:
        runtime.unblock("quota")
    else:
        runtime.spending.used_up(runtime.spending.plan_used, resets_at)
