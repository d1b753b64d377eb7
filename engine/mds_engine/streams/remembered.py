"""The ticks that were delivered last, as far as another source's may be taken for them. Pure."""

from collections import deque
from collections.abc import Sequence

from mds_engine.model import Tick

_MOST = 64
"""Ticks of one unit of time that are remembered."""


class Remembered:
    """Of one instrument, what came within the last unit of time.

    What is older is let go sooner or later, for no other source's tick can be it:
    thousands of instruments would fill the processor's cache with it.
    """

    __slots__ = ("_before", "_forget_at_ns", "_run", "unit_ns")

    def __init__(self) -> None:
        self.unit_ns = 1_000_000_000
        """How finely time is told, in nanoseconds, by the coarsest source that it may come from."""
        self._before: deque[Tick] = deque(maxlen=_MOST)
        self._run: Sequence[Tick] = ()
        """The trades that came last and at once, as they were given; they follow those in `_before`."""
        self._forget_at_ns = 0
        """Exchange time of the first tick that is of a later unit of time than all that is remembered."""

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Oldest first."""
        return (*self._before, *self._run)[-_MOST:]

    def add(self, tick: Tick) -> None:
        """Remember one tick."""
        before, time_ns = self._before, tick.time_ns
        if time_ns is not None and time_ns >= self._forget_at_ns:
            before.clear()
            self._run = ()
            self._forget_at_ns = time_ns - time_ns % self.unit_ns + self.unit_ns
        elif self._run:
            before.extend(self._run)
            self._run = ()
        before.append(tick)

    def add_run(self, trades: Sequence[Tick], last_ns: int) -> None:
        """Remember trades that came at once, the last of them at `last_ns`. The sequence must not be changed
        afterwards."""
        if last_ns >= self._forget_at_ns:
            self._before.clear()
            self._forget_at_ns = last_ns - last_ns % self.unit_ns + self.unit_ns
        else:
            self._before.extend(self._run)
        self._run = trades
