"""What an Alpha Vantage key may do: one call a second, 25 a day, and no premium features on the free plan."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")

Refusal = Literal["burst", "daily"]


@dataclass(frozen=True, slots=True)
class AlphaVantagePlan:
    """The default is the free plan."""

    api_key: str | None = None
    """The one key that is accepted; None accepts any, as the vendor in fact does."""
    per_second: int | None = 1
    """None for no limit."""
    per_day: int | None = 25
    """Per day of the US East coast; None for no limit."""
    premium: bool = False


class Meter:
    """Counts the calls of the one key. A call that is refused does not count."""

    def __init__(self, plan: AlphaVantagePlan) -> None:
        self._plan = plan
        self._recent: deque[float] = deque()
        self._day: date | None = None
        self._today = 0

    def admit(self, now: float, wall: float) -> Refusal | None:
        """None if one more call is allowed at `now` (monotonic) and `wall` (epoch seconds)."""
        day = datetime.fromtimestamp(wall, UTC).astimezone(EASTERN).date()
        if day != self._day:
            self._day, self._today = day, 0
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if self._plan.per_day is not None and self._today >= self._plan.per_day:
            return "daily"
        if self._plan.per_second is not None and len(self._recent) >= self._plan.per_second:
            return "burst"
        self._today += 1
        self._recent.append(now)
        return None
