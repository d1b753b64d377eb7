"""Where a time stands on a time line that leaves out the silences of a recording. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class Scale:
    """From times to shares of a line, and back. `stretches` are where the recording is not silent."""

    def __init__(self, stretches: Sequence[tuple[float, float]]) -> None:
        self._starts = [start for start, _ in stretches]
        self._lengths_s = [end - start for start, end in stretches]
        self._before_s = [0.0, *accumulate(self._lengths_s)]
        """What was played before each stretch; all of it at the end."""

    def share(self, at: float) -> float:
        """From 0.0 to 1.0, for a time in epoch seconds."""
        place = bisect_right(self._starts, at) - 1
        if place < 0:
            return 0.0
        played_s = self._before_s[place] + min(at - self._starts[place], self._lengths_s[place])
        return played_s / self._before_s[-1] if self._before_s[-1] > 0 else 1.0

    def time(self, share: float) -> float:
        """The time, epoch seconds, at a share of the line."""
        played_s = min(1.0, max(0.0, share)) * self._before_s[-1]
        place = min(bisect_right(self._before_s, played_s), len(self._starts)) - 1
        return self._starts[place] + min(played_s - self._before_s[place], self._lengths_s[place])
