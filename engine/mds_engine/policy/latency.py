"""How fast a source answers: quantiles over time windows, and what is usual for it.

Durations are counted in buckets that grow by a constant factor, per slice of
time, so that memory does not depend on the number of calls. A quantile is the
middle of its bucket: off by at most `relative_error` of the true value for
durations between 10 µs and 10,000 s; what lies outside is counted at the edge.

What is usual is the median over minutes of each minute's quantile, so that an
outage of a few minutes does not teach that slow is normal.
"""

from collections import deque
from collections.abc import Iterable
from math import ceil, floor, inf, log
from statistics import median_low

import msgspec

_SHORTEST_S = 1e-5
_LONGEST_S = 1e4


class LatencySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long and how finely durations are remembered."""

    relative_error: float = 0.02
    """Quantiles are within this share of the true duration."""
    slice_s: float = 1.0
    """Time resolution of windows, seconds."""
    kept_s: float = 120.0
    """Longest window that can be asked for, seconds."""
    learning_slice_s: float = 60.0
    """Each of these counts once in what is usual, seconds."""
    learning_s: float = 1800.0
    """What is usual is learned over this long, seconds."""
    minimum_calls: int = 20
    """Nothing is called usual before so many calls."""

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        if not 0 < self.relative_error < 0.5:
            raise ValueError("relative_error must be above 0.0 and below 0.5")
        if not 0 < self.slice_s <= self.kept_s:
            raise ValueError("slice_s must be above 0 and at most kept_s")
        if not self.slice_s <= self.learning_slice_s <= self.learning_s:
            raise ValueError("learning_slice_s must be at least slice_s and at most learning_s")
        if self.minimum_calls < 1:
            raise ValueError("minimum_calls must be at least 1")


class _Slice:
    """Durations that ended within one slice of time: bucket number to count."""

    __slots__ = ("counts", "drawn", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.counts: dict[int, int] = {}
        self.drawn: dict[tuple[float, ...], tuple[float | None, ...]] = {}
        """Quantiles by what was asked for, kept once the slice is over: a sparkline is drawn every second."""


class LatencyTracker:
    """Records durations cheaply and answers quantiles of them."""

    __slots__ = (
        "_bucket_growth",
        "_calls_before",
        "_counts",
        "_learned",
        "_per_log",
        "_settings",
        "_slice_ends",
        "_slices",
    )

    def __init__(self, settings: LatencySettings | None = None) -> None:
        self._settings = settings = settings or LatencySettings()
        error = settings.relative_error
        self._bucket_growth = (1 + error) / (1 - error)
        self._per_log = 1 / log(self._bucket_growth)
        self._slices: deque[_Slice] = deque()
        self._learned: deque[_Slice] = deque()
        self._counts: dict[int, int] = {}
        self._slice_ends = -inf
        self._calls_before = 0

    def record(self, duration_s: float, now: float) -> None:
        """Count one call that took `duration_s` and ended at `now`."""
        if now >= self._slice_ends:
            self._begin_slice(now)
        if duration_s < _SHORTEST_S:
            duration_s = _SHORTEST_S
        elif duration_s > _LONGEST_S:
            duration_s = _LONGEST_S
        bucket = ceil(log(duration_s) * self._per_log)
        try:
            self._counts[bucket] += 1
        except KeyError:
            self._counts[bucket] = 1

    @property
    def calls(self) -> int:
        """Durations recorded since it was made."""
        return self._calls_before + sum(self._counts.values())

    def quantile(self, q: float, now: float, window_s: float = 60.0) -> float | None:
        """Seconds below which the share `q` of the last `window_s` lies; None without calls."""
        return self.quantiles((q,), now, window_s)[0]

    def quantiles(self, qs: Iterable[float], now: float, window_s: float = 60.0) -> tuple[float | None, ...]:
        """Several quantiles of one window, for the price of little more than one."""
        since = self._number(now - window_s)
        merged: dict[int, int] = {}
        for piece in self._slices:
            if piece.number > since:
                _merge(merged, piece.counts)
        return tuple(self._quantile_of(merged, q) for q in qs)

    def count(self, now: float, window_s: float = 60.0) -> int:
        """How many calls ended in the last `window_s`."""
        since = self._number(now - window_s)
        return sum(sum(piece.counts.values()) for piece in self._slices if piece.number > since)

    def series(self, now: float, buckets: int = 60, q: float = 0.99) -> tuple[float | None, ...]:
        """The quantile of each of the last slices, oldest first; None where no call was."""
        return self.series_of((q,), now, buckets)[0]

    def series_of(
        self, qs: tuple[float, ...], now: float, buckets: int = 60
    ) -> tuple[tuple[float | None, ...], ...]:
        """A series for each of several quantiles; a slice that is over is looked at once."""
        newest = self._number(now)
        pieces = {piece.number: piece for piece in self._slices}
        nothing: tuple[float | None, ...] = (None,) * len(qs)
        points = [
            self._drawn(piece, qs) if (piece := pieces.get(number)) is not None else nothing
            for number in range(newest - buckets + 1, newest + 1)
        ]
        return tuple(zip(*points, strict=True))

    def baseline_s(self, now: float, q: float = 0.99) -> float | None:
        """What the quantile usually is, seconds: the median of its minutes; None until learned.

        Of few calls a high quantile is the worst one, and one hiccup must not
        pass for usual: the worst three are left out wherever `q` would count them.
        """
        settings = self._settings
        if self.calls < settings.minimum_calls:
            return None
        newest = dict(self._learned[-1].counts)
        _merge(newest, self._counts)  # the running slice is not yet among what was learned
        oldest = now - settings.learning_s
        per_slice = [
            value
            for piece in self._learned
            if (piece.number + 1) * settings.learning_slice_s > oldest
            and (value := self._usual_of(newest if piece is self._learned[-1] else piece.counts, q))
        ]
        return median_low(per_slice) if per_slice else None

    @property
    def memory_buckets(self) -> int:
        """Buckets kept in all slices together: what its memory is made of."""
        return sum(len(piece.counts) for pieces in (self._slices, self._learned) for piece in pieces)

    def _number(self, now: float) -> int:
        return floor(now / self._settings.slice_s)

    def _begin_slice(self, now: float) -> None:
        """Close the running slice into what is learned, forget what is too old, begin the slice of `now`."""
        settings = self._settings
        number = self._number(now)
        if self._slices and self._slices[-1].number >= number:
            return
        self._calls_before = self.calls
        if self._learned:
            _merge(self._learned[-1].counts, self._counts)
        if not self._learned or now >= (self._learned[-1].number + 1) * settings.learning_slice_s:
            self._learned.append(_Slice(floor(now / settings.learning_slice_s)))
        piece = _Slice(number)
        self._slices.append(piece)
        self._counts = piece.counts
        self._slice_ends = (number + 1) * settings.slice_s
        while (self._slices[0].number + 1) * settings.slice_s <= now - settings.kept_s:
            self._slices.popleft()
        while (self._learned[0].number + 1) * settings.learning_slice_s <= now - settings.learning_s:
            self._learned.popleft()

    def _drawn(self, piece: _Slice, qs: tuple[float, ...]) -> tuple[float | None, ...]:
        if (kept := piece.drawn.get(qs)) is not None:
            return kept
        values = tuple(self._quantile_of(piece.counts, q) for q in qs)
        if piece.counts is not self._counts:
            piece.drawn[qs] = values
        return values

    def _usual_of(self, counts: dict[int, int], q: float) -> float | None:
        calls = sum(counts.values())
        return self._quantile_of(counts, min(q, max(0.5, 1.0 - _HICCUPS / calls))) if calls else None

    def _quantile_of(self, counts: dict[int, int], q: float) -> float | None:
        if not counts:
            return None
        rank = max(1, ceil(q * sum(counts.values())))
        bucket = min(counts)
        for bucket in sorted(counts):
            rank -= counts[bucket]
            if rank <= 0:
                break
        growth = self._bucket_growth
        return 2 * growth**bucket / (growth + 1)


_HICCUPS = 3
"""So many of the slowest calls of a minute say nothing of what is usual."""


def _merge(into: dict[int, int], counts: dict[int, int]) -> None:
    for bucket, count in counts.items():
        into[bucket] = into.get(bucket, 0) + count
