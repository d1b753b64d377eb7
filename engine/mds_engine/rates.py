"""Rates from counts that only grow, taken whenever a picture is."""

from collections import deque

_STEP_S = 1.0
"""Rates are reckoned anew this often: the eye reads no faster."""
_WINDOW_S = 60.0


class PerSecond:
    """Counts a second, over the last second."""

    __slots__ = ("_at", "_count", "_rate")

    def __init__(self) -> None:
        self._at, self._count, self._rate = 0.0, 0, 0.0

    def take(self, count: int, now: float) -> float:
        """The rate, given the count of now (monotonic seconds)."""
        if now - self._at >= _STEP_S:
            self._rate = (count - self._count) / (now - self._at) if self._at else 0.0
            self._at, self._count = now, count
        return self._rate


class PerHour:
    """Counts an hour, at the pace of the last minute: sixty times what it brought.

    Of a shorter time it is no more: what comes together at a start is not taken for a pace.
    """

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def take(self, count: int, now: float) -> float:
        """The rate, given the count of now (monotonic seconds)."""
        marks = self._marks
        if not marks or now - marks[-1][0] >= _STEP_S:
            marks.append((now, count))
            while now - marks[0][0] > _WINDOW_S:
                marks.popleft()
        return (marks[-1][1] - marks[0][1]) * 3600.0 / _WINDOW_S
