"""Kite's rate limits: so many calls in any second, per key and kind of call."""

from collections import defaultdict, deque
from collections.abc import Mapping

PER_SECOND: Mapping[str, int] = {"quote": 1, "historical": 3}
"""By the wire log's group; everything else shares ten."""

OTHERS_PER_SECOND = 10

CONNECTIONS_PER_KEY = 3
TOKENS_PER_CONNECTION = 3_000

_WINDOW_S = 1.0


class RateLimits:
    """Counts calls in a sliding second. A call that is refused does not count."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, group: str, now: float) -> bool:
        """True if one more call is allowed at `now` (monotonic seconds)."""
        bucket = group if group in PER_SECOND else ""
        calls = self._calls[bucket]
        while calls and calls[0] <= now - _WINDOW_S:
            calls.popleft()
        if len(calls) >= PER_SECOND.get(group, OTHERS_PER_SECOND):
            return False
        calls.append(now)
        return True
