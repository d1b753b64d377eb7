"""What lanes do, for many instruments at once: the rows of large frames, in columns.

A large frame bears pictures without numbers, so that a row is late, the same as
before, or new. Lanes in any other state (a change of source, a gap to tell) take
their rows one by one.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mds_engine.model import Instrument, Tick
from mds_engine.model.tick_batch import NO_TIME, TICK_FIELDS, TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.streams.lane import Lane
from mds_engine.streams.reader import TickReader
from mds_engine.streams.rows_at import RowsAt, rows_at

_MOST_LATE = 16
"""As in a lane: so many late ones in a row are a clock that was set back."""
_MOST_PLANS = 64
_VOLUME = TICK_FIELDS.index("volume")


class Plan:
    """What is done with the frames of one list of instruments, until lanes or readers change."""

    __slots__ = ("instruments", "is_plain", "lanes", "places", "plain", "readers", "slots", "source")

    def __init__(
        self,
        source: str,
        instruments: tuple[Instrument, ...],
        lanes: list[Lane | None],
        slots: RowsAt,
        readers: list[tuple[TickReader, NDArray[np.bool_] | None]],
    ) -> None:
        self.source = source
        self.instruments = instruments
        self.lanes = lanes
        self.slots = slots
        self.places = np.arange(slots.start, slots.stop) if isinstance(slots, slice) else slots
        self.readers = readers
        """Each with the rows that it reads; None is all."""
        self.plain: NDArray[np.bool_] = np.fromiter(
            (lane is not None and lane.is_plain(source) for lane in lanes), bool, len(lanes)
        )
        self.is_plain = bool(self.plain.all()) and len(set(instruments)) == len(instruments)
        """Whether all of them are, and none is there twice."""


class BatchLanes:
    """Keeps what was last delivered of each instrument that comes in large frames.

    Instruments keep their slot for the life of the engine: there are as many as were ever wanted.
    """

    def __init__(
        self,
        lane_of: Callable[[Instrument], Lane | None],
        readers_of: Callable[[Instrument], Sequence[TickReader]],
    ) -> None:
        self.duplicates = 0
        self.late = 0
        self._lane_of = lane_of
        self._readers_of = readers_of
        self._slots: dict[Instrument, int] = {}
        self._plans: dict[int, Plan] = {}
        self._time_ns = np.full(64, NO_TIME, np.int64)
        self._values = np.full((64, len(TICK_FIELDS)), np.nan)
        self._late_run = np.zeros(64, np.int64)
        self._at = np.zeros(64)
        self._ahead = np.zeros(64, bool)
        """Whether more was delivered of it this way than its lane knows."""

    def __contains__(self, instrument: Instrument) -> bool:
        """Whether it ever came in a large frame, so that its lane may not know its last tick."""
        return instrument in self._slots

    def forget_plans(self) -> None:
        """Lanes or readers changed."""
        self._plans.clear()

    def forget(self, instrument: Instrument) -> None:
        """An instrument is wanted no more: when it is again, nothing was delivered of it yet."""
        slot = self._slots.get(instrument)
        if slot is not None:
            self._time_ns[slot], self._values[slot], self._late_run[slot] = NO_TIME, np.nan, 0
            self._ahead[slot] = False

    def plan(self, source: str, instruments: tuple[Instrument, ...]) -> Plan:
        """What to do with a frame of these instruments."""
        plan = self._plans.get(id(instruments))
        if plan is None or plan.source != source or plan.instruments is not instruments:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[id(instruments)] = self._make_plan(source, instruments)
        return plan

    def sift(self, plan: Plan, batch: TickBatch, now: float) -> tuple[TickBatch, NDArray[np.bool_] | None]:
        """The rows that go on, and which they are (None: all of them)."""
        slots, time_ns = plan.slots, batch.time_ns
        last_ns = self._time_ns[slots]
        keep = plan.plain & (time_ns > last_ns)
        if np.count_nonzero(keep) < len(keep):
            keep |= self._unlike_the_last(plan, batch, last_ns)
        whole = np.count_nonzero(keep) == len(keep)
        out = batch if whole else batch.take(keep)
        kept = slots if whole else plan.places[keep]
        self._remember(kept, out.time_ns, out.values, now)
        return out, None if whole else keep

    def pass_whole(self, plan: Plan, frames: TickFrames, now: float) -> bool:
        """Whether every tick of these frames goes on. If not, nothing was noted: sift each frame."""
        slots, time_ns = plan.slots, frames.time_ns
        if not plan.is_plain:
            return False
        earlier_ns = np.concatenate((self._time_ns[slots][None], time_ns[:-1]))
        later = time_ns > earlier_ns
        if np.count_nonzero(later) < later.size:
            values = frames.values
            earlier = np.concatenate((self._values[slots][None], values[:-1]))
            same_time = (time_ns == earlier_ns) & (time_ns != NO_TIME)
            differs = (values.view(np.int64) != earlier.view(np.int64)).any(axis=2)
            older = values[:, :, _VOLUME] < earlier[:, :, _VOLUME]
            fresh = later | (same_time & differs & ~older)
            if np.count_nonzero(fresh) < fresh.size:
                return False
        self._remember(slots, time_ns[-1], frames.values[-1], now)
        return True

    def _remember(
        self, slots: RowsAt, time_ns: NDArray[np.int64], values: NDArray[np.float64], now: float
    ) -> None:
        self._time_ns[slots] = time_ns
        self._values[slots] = values
        self._late_run[slots] = 0
        self._at[slots] = now
        self._ahead[slots] = True

    def sync(self, lane: Lane) -> None:
        """Let a lane know what was delivered of its instrument past it."""
        slot = self._slots.get(lane.instrument)
        if slot is None or not self._ahead[slot]:
            return
        self._ahead[slot] = False
        row = TickBatch(
            (lane.instrument,),
            self._values[slot : slot + 1].copy(),
            self._time_ns[slot : slot + 1].copy(),
            source=lane.active,
        )
        lane.remember(row, float(self._at[slot]))

    def note(self, lane: Lane, tick: Tick) -> None:
        """A tick was put to a lane by itself; if it went on, the next frame is held against it."""
        if lane.last is tick and lane.next_trade is None:
            self._write(self._slot(lane.instrument), tick, lane.last_at)

    def _write(self, slot: int, tick: Tick, at: float) -> None:
        self._time_ns[slot] = NO_TIME if tick.time_ns is None else tick.time_ns
        figures = (getattr(tick, field) for field in TICK_FIELDS)
        self._values[slot] = [np.nan if figure is None else figure for figure in figures]
        self._at[slot] = at
        self._ahead[slot] = False

    def _unlike_the_last(self, plan: Plan, batch: TickBatch, last_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Plain rows without a time, those that differ at the same time, and late ones after too many."""
        slots, time_ns = plan.places, batch.time_ns
        untimed = plan.plain & (time_ns == NO_TIME)
        timed = plan.plain & ~untimed
        same_time = timed & (time_ns == last_ns)
        older = same_time & (batch.values[:, _VOLUME] < self._values[slots, _VOLUME])
        late = (timed & (time_ns < last_ns)) | older
        self._late_run[slots[late]] += 1
        anew = late & (self._late_run[slots] > _MOST_LATE)
        self.late += int(late.sum() - anew.sum())
        differs = (batch.values.view(np.int64) != self._values[slots].view(np.int64)).any(axis=1)
        self.duplicates += int((same_time & ~differs).sum())
        fresh: NDArray[np.bool_] = untimed | anew | (same_time & differs & ~older)
        return fresh

    def _make_plan(self, source: str, instruments: tuple[Instrument, ...]) -> Plan:
        slots = rows_at([self._slot(instrument) for instrument in instruments])
        lanes = [self._lane_of(instrument) for instrument in instruments]
        rows: dict[TickReader, list[int]] = {}
        for row, instrument in enumerate(instruments):
            for reader in self._readers_of(instrument):
                rows.setdefault(reader, []).append(row)
        readers: list[tuple[TickReader, NDArray[np.bool_] | None]] = []
        for reader, places in rows.items():
            mask = np.zeros(len(instruments), bool)
            mask[places] = True
            readers.append((reader, None if mask.all() else mask))
        return Plan(source, instruments, lanes, slots, readers)

    def _slot(self, instrument: Instrument) -> int:
        slot = self._slots.get(instrument)
        if slot is None:
            slot = self._slots[instrument] = len(self._slots)
            size = len(self._time_ns)
            if slot >= size:
                self._time_ns = np.concatenate([self._time_ns, np.full(size, NO_TIME, np.int64)])
                self._values = np.concatenate([self._values, np.full_like(self._values, np.nan)])
                self._late_run = np.concatenate([self._late_run, np.zeros(size, np.int64)])
                self._at = np.concatenate([self._at, np.zeros(size)])
                self._ahead = np.concatenate([self._ahead, np.zeros(size, bool)])
            lane = self._lane_of(instrument)
            if lane is not None and lane.last is not None:
                self._write(slot, lane.last, lane.last_at)
        return slot
