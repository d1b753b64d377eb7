"""What a vendor allows, and how the limiter answers when the vendor says "too many"."""

from typing import NamedTuple

import msgspec


class LimitWindow(NamedTuple):
    """One published limit: at most `limit` over any `window_s`."""

    limit: int
    """Calls, or weight where the vendor weighs its calls."""
    window_s: float
    """Seconds."""


class WindowUse(NamedTuple):
    """How full one window is."""

    window_s: float
    """Seconds."""
    limit: int
    """What the vendor allows."""
    allowed: int
    """What is granted at present: the limit, or less after a 429."""
    used: int
    """Weight sent within the window, counted so that it is never too low."""
    reserved: int
    """Weight granted for a time still to come."""


class LimiterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one limiter keeps its distance and how it slows down and recovers."""

    margin_s: float = 0.05
    """Added to every window: calls sent a window apart may arrive closer together, seconds."""
    slices: int = 128
    """A window with a higher limit than this is counted in so many slices of time, each as old as its newest
    call; memory is bounded by it, and at most one part in so many of the limit goes unused."""
    throttle_factor: float = 0.5
    """A 429 multiplies the rate by this."""
    rate_floor: float = 0.05
    """The rate never falls below this share of the limit."""
    recovery_step: float = 0.05
    """Share of the limit that each quiet period gives back."""
    quiet_s: float = 10.0
    """Seconds without a 429 that make one quiet period."""
    throttle_wait_s: float = 1.0
    """Seconds without calls after a 429 that does not say how long; doubles until the rate is full."""
    throttle_wait_cap_s: float = 60.0
    """Longest such wait, seconds."""

    def __post_init__(self) -> None:
        """Refuse what no limiter could work with."""
        if self.margin_s < 0:
            raise ValueError("margin_s must not be negative")
        if self.slices < 2:
            raise ValueError("slices must be at least 2")
        for name in ("throttle_factor", "rate_floor", "recovery_step"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share and must be above 0.0 and at most 1.0")
        if self.quiet_s <= 0:
            raise ValueError("quiet_s must be above 0")
        if not 0 < self.throttle_wait_s <= self.throttle_wait_cap_s:
            raise ValueError("throttle_wait_s must be above 0 and at most throttle_wait_cap_s")
