"""How long the data of one connection usually pauses, and from when on its silence says something. Pure."""

import math

SHORTEST_LIMIT_S = 1.0
"""A shorter silence is no fault of any stream: one lost packet on the way costs about as much."""
_ENOUGH_BEATS = 50
_ENOUGH_S = 10.0
_ENOUGH_SPANS = 20.0
"""It must have been heard for so many of its longest pauses: of fewer, the longest says little."""
_SURE = math.log(1e8)
"""Were pauses random, one as long as the limit would come once in so many of them."""
_LEAST_FACTOR = 3.0
"""Real pauses come in groups, so the limit never lies closer to the longest one than this."""
_HALF_LIFE_S = 600.0
_HALF_LIFE_PAUSES = 30.0


class Rhythm:
    """The longest pause of late. It is forgotten slowly, with a half-life of ten minutes or more.

    The longest pause, rather than the mean: what comes in bursts has a mean of
    milliseconds and pauses of seconds. `beat` is called for each frame of data,
    and costs two comparisons.
    """

    __slots__ = ("_beats", "_began_at", "_fading_since", "_last_at", "_longest_s")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: what it listens to has changed."""
        self._beats = 0
        self._began_at = self._last_at = self._fading_since = 0.0
        self._longest_s = 0.0

    def beat(self, now: float) -> None:
        """Data came."""
        if not self._beats:
            self._began_at = self._fading_since = now
        elif now - self._last_at > self._longest_s:
            self._longest_s = now - self._last_at
            self._fading_since = now
        self._beats += 1
        self._last_at = now

    def limit_s(self, now: float) -> float | None:
        """Seconds of silence that are no usual pause any more; None while too little was heard to say."""
        self._fade(now)
        heard_s = self._last_at - self._began_at
        if self._beats < _ENOUGH_BEATS or heard_s < max(_ENOUGH_S, _ENOUGH_SPANS * self._longest_s):
            return None
        # Of n random pauses the longest is about ln(n) usual ones, so the limit needs less of a
        # margin over it the longer it was listened to.
        spans = min(heard_s, self._half_life_s() / math.log(2.0)) / self._longest_s
        factor = max(_LEAST_FACTOR, _SURE / math.log(spans))
        return max(SHORTEST_LIMIT_S, factor * self._longest_s)

    def _fade(self, now: float) -> None:
        passed_s = now - self._fading_since
        if passed_s > 0 and self._longest_s:
            self._longest_s *= 0.5 ** (passed_s / self._half_life_s())
        self._fading_since = now

    def _half_life_s(self) -> float:
        return max(_HALF_LIFE_S, _HALF_LIFE_PAUSES * self._longest_s)
