"""What a source sent lately, held back for the day when it has to take over. Pure."""

from collections import deque
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.model.tick_batch import NO_TIME, TickBatch

_ALWAYS_NEWER_NS = 2**63 - 1
_BOOK, _BAR = TickKind.BOOK, TickKind.BAR


class Ring:
    """The last ticks of one source, bounded by number and by age.

    `append` takes a whole frame and costs the same however many instruments
    there are; looking for one of them goes through all, which happens only at
    a change of source.
    """

    __slots__ = ("_entries", "_gone_ns", "_most", "_oldest_s", "ticks")

    def __init__(self, most_ticks: int, oldest_s: float) -> None:
        self.ticks = 0
        self._entries: deque[tuple[float, Sequence[Tick]]] = deque()
        self._most = most_ticks
        self._oldest_s = oldest_s
        self._gone_ns: dict[Instrument, int] = {}

    def append(self, now: float, ticks: Sequence[Tick]) -> None:
        """Hold the ticks of one frame, that came in at `now` (monotonic seconds)."""
        entries = self._entries
        entries.append((now, ticks))
        self.ticks += len(ticks)
        oldest = now - self._oldest_s
        while entries and (self.ticks > self._most or entries[0][0] < oldest):
            _, gone = entries.popleft()
            self.ticks -= len(gone)
            self._let_go(gone)

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

    def has_let_go_after(self, instrument: Instrument, time_ns: int | None, unit_ns: int) -> bool:
        """Whether a tick of an instrument was let go that is later than `time_ns` (of exchange time, told as
        finely as `unit_ns`). Where one of the two has no time, it counts as later."""
        gone_ns = self._gone_ns.get(instrument)
        if gone_ns is None:
            return False
        return time_ns is None or gone_ns // unit_ns > time_ns // unit_ns

    def _let_go(self, ticks: Sequence[Tick]) -> None:
        if isinstance(ticks, TickBatch):
            times: list[int] = ticks.time_ns.tolist()
            self._gone_ns.update(
                (instrument, _ALWAYS_NEWER_NS if at == NO_TIME else at)
                for instrument, at in zip(ticks.instruments, times, strict=True)
            )
            return
        gone_ns = self._gone_ns
        for tick in ticks:
            # A later book or bar takes the place of this one: nothing is lost with it.
            if (kind := tick.kind) is not _BOOK and kind is not _BAR:
                gone_ns[tick.instrument] = _ALWAYS_NEWER_NS if (at := tick.time_ns) is None else at
