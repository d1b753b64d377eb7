"""Where a time stands on a time line that leaves out the silences of a recording. Pure."""

from collections.abc import Sequence


class Scale:
    """From times to shares of a line, and back. `stretches` are where the recording is not silent."""

    def __init__(self, stretches: Sequence[tuple[float, float]]) -> None:
        self._stretches = stretches
        self._length_s = sum(end - start for start, end in stretches)

    def share(self, at: float) -> float:
        """From 0.0 to 1.0, for a time in epoch seconds."""
        if self._length_s <= 0:
            return 0.0 if at <= self._stretches[0][0] else 1.0
        before_s = sum(min(max(at, start), end) - start for start, end in self._stretches)
        return before_s / self._length_s

    def time(self, share: float) -> float:
        """The time, epoch seconds, at a share of the line."""
        left_s = min(1.0, max(0.0, share)) * self._length_s
        for start, end in self._stretches:
            if left_s <= end - start:
                return start + left_s
            left_s -= end - start
        return self._stretches[-1][1]
