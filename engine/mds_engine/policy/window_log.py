"""What was granted within one sliding window: bounded in memory, and never too low.

A slice holds the weight of grants close in time and is as old as its newest
grant, so it leaves the window late, never early.
"""

import math
from collections import deque

from mds_engine.policy.limiter_settings import LimitWindow

# A slice is [first grant's time, newest grant's time, weight].
_FIRST, _NEWEST, _WEIGHT = 0, 1, 2


class WindowLog:
    """The grants of one window, oldest first."""

    __slots__ = (
        "_capacity",
        "_slices",
        "_unscaled_span_s",
        "allowed",
        "granule_s",
        "limit",
        "span_s",
        "used",
        "window_s",
    )

    def __init__(self, window: LimitWindow, margin_s: float, slices: int) -> None:
        if window.window_s <= 0:
            raise ValueError("a limit window needs a length above 0 s")
        self.limit = window.limit
        self.window_s = window.window_s
        self.used: float = 0
        """Weight in the log, grants still to come included."""
        self.allowed = window.limit
        """Weight granted over any `span_s` at the present rate."""
        self.span_s = window.window_s + margin_s
        """Window plus margin, longer where the present rate is less than one call per window."""
        self._unscaled_span_s = self.span_s
        self._capacity = 2 * slices
        self.granule_s = 0.0
        """Grants closer together than this share a slice, seconds; 0 where each call is kept by itself."""
        self._slices: deque[list[float]] = deque()
        self.set_limit(window.limit, slices)

    def set_limit(self, limit: int, slices: int) -> None:
        """Take a new limit at its full rate. Raises ValueError for a limit below 1."""
        if limit < 1:
            raise ValueError("a limit window needs a limit of at least 1")
        self.limit = limit
        self.granule_s = self._unscaled_span_s / slices if limit > slices else 0.0
        self.scale(1.0)

    def scale(self, rate_factor: float) -> None:
        """Grant only this share of the limit; below one call a window, stretch the window instead."""
        share = self.limit * rate_factor
        if share >= 1.0:
            self.allowed = int(share)
            self.span_s = self._unscaled_span_s
        else:
            self.allowed = 1
            self.span_s = self._unscaled_span_s / share

    def roll(self, first: float, newest: float, weight: int, now: float) -> float:
        """Log `weight` as `add` does, drop what has left the window that ends now, return the room left."""
        slices, span_s = self._slices, self.span_s
        if weight:
            if slices and (newest - slices[-1][_FIRST] <= self.granule_s or len(slices) >= self._capacity):
                self.add(first, newest, weight)
            else:
                self.used += weight
                slices.append([first, newest, weight])
        while slices and slices[0][_NEWEST] + span_s <= now:
            self.used -= slices.popleft()[_WEIGHT]
        return self.allowed - self.used

    def add(self, first: float, newest: float, weight: int) -> None:
        """Log `weight` granted from `first` to `newest`; calls come in the order of time."""
        slices = self._slices
        self.used += weight
        if slices:
            last = slices[-1]
            if newest - last[_FIRST] <= self.granule_s or len(slices) >= self._capacity:
                if newest > last[_NEWEST]:
                    last[_NEWEST] = newest
                last[_WEIGHT] += weight
                return
            if newest < last[_NEWEST]:
                newest = last[_NEWEST]
        slices.append([first, newest, weight])

    def copy(self, other: "WindowLog") -> None:
        """Take over what another window has logged, when this one begins later."""
        for first, newest, weight in other._slices:  # noqa: SLF001 - its own kind
            self.add(first, newest, int(weight))

    def remove(self, granted_at: float, weight: int) -> None:
        """Take back a grant; one that has left the window already is no longer there."""
        for place in range(len(self._slices) - 1, -1, -1):
            entry = self._slices[place]
            if entry[_FIRST] <= granted_at <= entry[_NEWEST] and entry[_WEIGHT] >= weight:
                entry[_WEIGHT] -= weight
                self.used -= weight
                if not entry[_WEIGHT]:
                    del self._slices[place]
                return

    def earliest(self, weight: int, not_before: float) -> float:
        """Return the first time from `not_before` on at which `weight` fits; infinite if it never does.

        A weight above what the present rate allows, but within the limit, fits when the window is empty.
        """
        if weight > self.limit:
            return math.inf
        excess = self.used - max(self.allowed - weight, 0)
        if excess <= 0:
            return not_before
        span_s = self.span_s
        for entry in self._slices:
            excess -= entry[_WEIGHT]
            if excess <= 0:
                return max(not_before, entry[_NEWEST] + span_s)
        return math.inf  # the slices hold all that is used

    @property
    def newest(self) -> float:
        """The time of the last grant, minus infinity if there is none."""
        return self._slices[-1][_NEWEST] if self._slices else -math.inf

    @property
    def length(self) -> int:
        """How many slices are kept."""
        return len(self._slices)
