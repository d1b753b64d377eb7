"""Trying again when no other source is left: how long to pause, and how often at all."""

import math
from random import Random

import msgspec

from mds_engine.policy.call_share import CallShare


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Retries come last: a healthy other source is always asked first."""

    attempts: int = 1
    """Further rounds over the sources that failed, once all have; 0: none."""
    first_s: float = 0.1
    """Longest pause before the first retry, seconds; each pause is drawn between 0 and its longest."""
    growth: float = 2.0
    """Each further round may pause this many times longer."""
    cap_s: float = 2.0
    """Longest pause of all, seconds."""
    budget_share: float = 0.2
    """Retries allowed per call, 0.0-1.0, over `budget_window_s`."""
    budget_minimum: int = 10
    """Retries allowed in `budget_window_s`, however few calls there are."""
    budget_window_s: float = 10.0
    """Seconds over which the budget is counted."""

    def __post_init__(self) -> None:
        """Refuse what no retry could work with."""
        for name in ("attempts", "budget_minimum"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if not 0 < self.first_s <= self.cap_s:
            raise ValueError("first_s must be above 0 and at most cap_s")
        if self.growth < 1:
            raise ValueError("growth must be at least 1.0")
        if not 0 <= self.budget_share <= 1:
            raise ValueError("budget_share is a share and must be from 0.0 to 1.0")
        if self.budget_window_s <= 0:
            raise ValueError("budget_window_s must be above 0")


def longest_backoff_s(settings: RetrySettings, attempt: int) -> float:
    """Seconds that the pause before retry `attempt` (from 0) lasts at most."""
    # By logarithms, because a power of a high attempt overflows.
    rise = attempt * math.log(settings.growth)
    if rise >= math.log(settings.cap_s / settings.first_s):
        return settings.cap_s
    return settings.first_s * math.exp(rise)


def backoff_s(settings: RetrySettings, attempt: int, random: Random) -> float:
    """Seconds to pause before retry `attempt` (from 0): full jitter, so that callers do not retry in step."""
    return random.random() * longest_backoff_s(settings, attempt)


class RetryBudget(CallShare):
    """Keeps retries a small share of the calls, so that they cannot finish off a struggling vendor."""

    __slots__ = ()

    def __init__(self, settings: RetrySettings) -> None:
        super().__init__(settings.budget_share, settings.budget_minimum, settings.budget_window_s)
