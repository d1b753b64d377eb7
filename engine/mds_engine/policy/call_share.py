"""A budget that is a share of the calls of the last seconds: for retries, for hedges.

Counted in coarse slices of time, so that a call costs one comparison and one
addition, and memory is bounded. The calls of somewhat less than the window
are held against the withdrawals of somewhat more: it errs by too few, never
by too many.
"""

from collections import deque

_SLICES = 10
# A slice is [number, calls, withdrawals].
_NUMBER, _CALLS, _WITHDRAWALS = 0, 1, 2


class CallShare:
    """So many withdrawals for so many calls."""

    __slots__ = ("_calls", "_slice_ends_at", "_slice_s", "_slices", "minimum", "share")

    def __init__(self, share: float, minimum: int, window_s: float) -> None:
        self.share = share
        """Withdrawals allowed for each call in the window."""
        self.minimum = minimum
        """Withdrawals allowed in the window, however few calls there were."""
        self._slice_s = window_s / _SLICES
        self._slices: deque[list[int]] = deque([[-1, 0, 0]])
        self._slice_ends_at = 0.0
        self._calls = 0

    def called(self, now: float) -> None:
        """Count a call that earns its share."""
        if now >= self._slice_ends_at:
            self._roll(now)
        self._calls += 1

    def withdraw(self, now: float) -> bool:
        """Take one from the budget; False if it is used up."""
        if self.left(now) < 1:
            return False
        self._slices[-1][_WITHDRAWALS] += 1
        return True

    def left(self, now: float) -> int:
        """How many could be withdrawn at once."""
        if now >= self._slice_ends_at:
            self._roll(now)
        newest = self._slices[-1]
        oldest_call = newest[_NUMBER] - _SLICES + 1
        calls = self._calls + sum(entry[_CALLS] for entry in self._slices if entry[_NUMBER] >= oldest_call)
        withdrawn = sum(entry[_WITHDRAWALS] for entry in self._slices)
        # The small addition: 0.05 x 20 must be 1, whatever floats make of it.
        return max(0, max(self.minimum, int(self.share * calls + 1e-9)) - withdrawn)

    def _roll(self, now: float) -> None:
        slices = self._slices
        slices[-1][_CALLS] = self._calls
        self._calls = 0
        number = int(now // self._slice_s)
        slices.append([number, 0, 0])
        self._slice_ends_at = (number + 1) * self._slice_s
        while slices[0][_NUMBER] < number - _SLICES:
            slices.popleft()
