"""How often a source without streams is asked for quotes, so that its limits and its plan last. Pure."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from mds_engine.policy.limiter_settings import LimitWindow

_LIMIT_SHARE = 0.5
"""Share of each of the vendor's limits that polls may use; the rest is for calls."""
_PLAN_SHARE = 0.8
"""Share of the plan's day that polls may use, whoever asked first."""
_DAY_S = 86400.0
_SHORTEST_S = 1.0
_SHORTEST_PAID_S = 60.0
"""Where each call costs money, an operator must ask for more himself."""


class PlanDay(NamedTuple):
    """What is left of a plan that counts calls, on the vendor's own day."""

    limit: int
    """Calls a day."""
    left: int
    """Calls."""
    rest_s: float
    """Seconds until the day ends."""

    @property
    def polls(self) -> int:
        """Calls of a whole day that polls may use; the others are kept for callers."""
        return int(_PLAN_SHARE * self.limit)

    @property
    def left_for_polls(self) -> int:
        """Calls that polls may still use."""
        return max(0, self.left - (self.limit - self.polls))

    @property
    def is_over(self) -> bool:
        """Whether polls must wait for the next day, for longer than they would wait for each other."""
        if self.left_for_polls:
            return False
        return not self.polls or self.rest_s > 2.0 * _DAY_S / self.polls


def polling_pace_s(
    windows: Iterable[LimitWindow], weight: int, day: PlanDay | None, *, paid: bool = False
) -> float:
    """Seconds between two polls of `weight` each; infinite if none may be sent any more on this day.

    `windows` are the vendor's limits, `day` is None where the plan does not
    count calls, `paid` says whether each call costs money.
    """
    shortest_s = _SHORTEST_PAID_S if paid else _SHORTEST_S
    for window in windows:
        shortest_s = max(shortest_s, weight * window.window_s / (_LIMIT_SHARE * window.limit))
    if day is None:
        return shortest_s
    if not day.left_for_polls:
        return math.inf
    return max(shortest_s, day.rest_s / day.left_for_polls)
