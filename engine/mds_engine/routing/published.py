"""What vendors publish as their limits, and which of them an operator has set apart. No I/O."""

from collections.abc import Mapping, Sequence

from mds_engine.policy.limiter import Limiter
from mds_engine.policy.limiter_settings import LimitWindow

Window = tuple[str, float]
"""An endpoint group and the length of a window in seconds."""


class PublishedLimits:
    """Of one source. What an operator has set is not undone by the vendor's next word."""

    def __init__(self, limits: Mapping[str, Sequence[LimitWindow]]) -> None:
        """`limits` are the vendor's own, by endpoint group."""
        self._published: dict[Window, int] = {
            (group, window.window_s): window.limit for group, windows in limits.items() for window in windows
        }

    def of(self, group: str, window_s: float) -> int | None:
        """The vendor's own limit; None where it has published none for such a window."""
        return self._published.get((group, window_s))

    def publish(self, group: str, window_s: float, limit: int, limiter: Limiter, now: float) -> None:
        """The vendor published another limit.

        One that was set below the old one stays unless the new one is lower
        still; one that was set above it, against the vendor's word, stays.
        """
        before = self._published.get((group, window_s))
        self._published[group, window_s] = limit
        held = next((use.limit for use in limiter.used(now) if use.window_s == window_s), None)
        if held is None or held == before or (limit < held and (before is None or held < before)):
            limiter.set_limit(window_s, limit)
