"""What a source sent lately, held back for the day when it has to take over. Pure."""

from collections import deque
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from mds_engine.model import Instrument, Tick


class Ring:
    """The last ticks of one source, bounded by number and by age.

    `append` takes a whole frame and costs the same however many instruments
    there are; looking for one of them goes through all, which happens only at
    a change of source.
    """

    __slots__ = ("_entries", "_evicted_at", "_most", "_oldest_s", "ticks")

    def __init__(self, most_ticks: int, oldest_s: float) -> None:
        self.ticks = 0
        self._entries: deque[tuple[float, Sequence[Tick]]] = deque()
        self._most = most_ticks
        self._oldest_s = oldest_s
        self._evicted_at: float | None = None

    def append(self, now: float, ticks: Sequence[Tick]) -> None:
        """Hold the ticks of one frame, that came in at `now` (monotonic seconds)."""
        entries = self._entries
        entries.append((now, ticks))
        self.ticks += len(ticks)
        oldest = now - self._oldest_s
        while entries and (self.ticks > self._most or entries[0][0] < oldest):
            at, gone = entries.popleft()
            self.ticks -= len(gone)
            self._evicted_at = at

    def of(self, instrument: Instrument) -> Iterator[Tick]:
        """The held ticks of one instrument, oldest first."""
        for _, ticks in self._entries:
            for tick in ticks:
                if tick.instrument == instrument:
                    yield tick

    def by_instrument(self, instruments: AbstractSet[Instrument]) -> dict[Instrument, list[Tick]]:
        """The held ticks of some instruments, oldest first, in one pass."""
        found: dict[Instrument, list[Tick]] = {}
        for _, ticks in self._entries:
            for tick in ticks:
                if tick.instrument in instruments:
                    found.setdefault(tick.instrument, []).append(tick)
        return found

    def is_whole_since(self, at: float) -> bool:
        """Whether nothing that came in at `at` or later has been let go."""
        return self._evicted_at is None or self._evicted_at < at
