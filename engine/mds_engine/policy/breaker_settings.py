"""When a breaker opens, for how long, and what closes it: settings, states, transitions."""

from enum import StrEnum
from typing import NamedTuple

import msgspec


class BreakerState(StrEnum):
    """Where a breaker stands. The forced states are an operator's word and hold until it is taken back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    FORCED_OPEN = "forced-open"
    FORCED_CLOSED = "forced-closed"


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Triggers and times of one breaker. A trigger set to 0 is off."""

    consecutive_failures: int = 5
    """Failures in a row that open it; 0: never by this trigger."""
    failure_rate: float = 0.5
    """Share of failed calls in the window, 0.0-1.0, at which a failure opens it; 0: never."""
    slow_rate: float = 0.5
    """Share of slow calls in the window, 0.0-1.0, at which a slow call opens it; 0: never."""
    slow_factor: float = 3.0
    """A call is slow when it takes longer than this many times the learned p99."""
    slow_floor_s: float = 0.1
    """A call that takes less than so many seconds is never slow, whatever was learned."""
    window_calls: int = 20
    """The rates are taken over this many last calls."""
    minimum_calls: int = 5
    """The rates open nothing before this many calls were seen since it closed."""
    open_s: float = 60.0
    """Seconds that it stays open the first time."""
    open_growth: float = 2.0
    """Each reopening without healthy time between stays open this many times longer."""
    open_cap_s: float = 300.0
    """Longest time that it stays open, seconds."""
    open_jitter: float = 0.1
    """Up to this share is taken off each open time at random, so that breakers do not probe in step."""
    healthy_s: float = 300.0
    """Seconds closed after which the open time is back at its first length."""
    half_open_probes: int = 1
    """Probes in flight at once while half-open."""
    half_open_successes: int = 3
    """Good probes that close it."""

    def __post_init__(self) -> None:
        """Refuse what no breaker could work with."""
        for name in ("consecutive_failures", "failure_rate", "slow_rate", "slow_floor_s", "healthy_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        for name in ("window_calls", "minimum_calls", "half_open_probes", "half_open_successes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("failure_rate", "slow_rate"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} is a share and must not be above 1.0")
        if self.minimum_calls > self.window_calls:
            raise ValueError("minimum_calls must not be above window_calls")
        if not 0 <= self.open_jitter < 1:
            raise ValueError("open_jitter must be at least 0.0 and below 1.0")
        if self.open_s <= 0 or self.open_cap_s < self.open_s:
            raise ValueError("open_s must be above 0 and not above open_cap_s")
        if self.open_growth < 1 or self.slow_factor < 1:
            raise ValueError("open_growth and slow_factor must be at least 1.0")


class Transition(NamedTuple):
    """One change of state, with its reason."""

    at: float
    """Monotonic seconds."""
    before: BreakerState
    after: BreakerState
    why: str
    open_for_s: float
    """How long it stays open, seconds; 0 unless `after` is open."""


class PermitError(RuntimeError):
    """A permit was released that was released before, or that was never given."""
