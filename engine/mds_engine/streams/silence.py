"""When a connection that still stands counts as lost: it is silent for longer than it may be. Pure."""

from typing import NamedTuple

from mds_engine.streams.rhythm import Rhythm

_OVERSLEPT_S = 0.25
"""A look that comes so late finds ticks that wait to be received: their silence was ours."""
_MANY = 10
"""So many instruments or more are never all silent for long while others of their source flow."""
_NEVER = float("inf")


class Heard(NamedTuple):
    """What was heard over a connection, and beside it. Times are monotonic."""

    opened_at: float
    last_at: float
    """Its last tick, or its opening while none has come."""
    rhythm: Rhythm
    instruments: int
    """So many are subscribed over it."""
    flowed_at: float
    """The last tick over any connection of its source."""


class Silence:
    """Judges the connections of one strand, one after the other, while their exchanges trade."""

    __slots__ = ("_trading", "_trading_since", "mute_after_s")

    def __init__(self, mute_after_s: float) -> None:
        self.mute_after_s = mute_after_s
        """The longest silence that is borne of any; 0: silence says nothing."""
        self._trading: frozenset[str] = frozenset()
        self._trading_since = 0.0

    def begin(self, trading: frozenset[str], now: float) -> None:
        """A connection was opened; `trading` are those of its exchanges that trade."""
        self._trading = trading
        self._trading_since = now

    def follow_hours(self, trading: frozenset[str], now: float) -> bool:
        """These trade now. True where they are others than before: what was usual is so no more.

        One that begins to trade is given time, as a connection that was opened.
        """
        if trading == self._trading:
            return False
        if trading - self._trading:
            self._trading_since = now
        self._trading = trading
        return True

    def due_in_s(self, heard: Heard, now: float) -> float:
        """Seconds until it is silent for too long; infinite while its silence says nothing."""
        if not self.mute_after_s or not self._trading:
            return _NEVER
        heard_at, limit_s = self._may_last(heard, now)
        return heard_at + limit_s - now

    def too_long(self, heard: Heard, now: float, *, late_s: float) -> str:
        """Why it counts as lost; empty if it does not. `late_s` is how much later than meant we look."""
        if not self.mute_after_s or not self._trading:
            return ""
        heard_at, limit_s = self._may_last(heard, now)
        quiet_s = now - heard_at
        if quiet_s < limit_s or (late_s >= _OVERSLEPT_S and quiet_s < self.mute_after_s):
            return ""
        return f"connected but mute for {quiet_s:.{0 if quiet_s >= 10 else 1}f} s"

    def _may_last(self, heard: Heard, now: float) -> tuple[float, float]:
        """When it was heard last (monotonic), and for how many seconds from then on it may be silent.

        Its own usual pauses say when it is silent for too long. Where they are
        not known, or longer than `mute_after_s`, the whole source must be: a
        few instruments that are seldom traded may have a connection of their own.
        """
        heard_at = max(heard.last_at, self._trading_since)
        limit_s = heard.rhythm.limit_s(now)
        if limit_s is not None and limit_s < self.mute_after_s:
            return heard_at, limit_s
        if heard.instruments < _MANY:
            heard_at = max(heard_at, heard.flowed_at)
        return heard_at, self.mute_after_s


def is_merely_quiet(heard: Heard, settled_after_s: float, now: float) -> bool:
    """Whether one that is up again merely has nothing to say, while others of its source flow: it is well."""
    return now - heard.opened_at >= settled_after_s and heard.flowed_at > heard.opened_at
