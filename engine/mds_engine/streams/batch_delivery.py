"""From large frames to the board and the readers, in columns as far as lanes allow it."""

from collections.abc import Callable, Mapping, Sequence

from mds_engine.model import Instrument, Tick
from mds_engine.model.tick_batch import TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.streams.batch_lanes import BatchLanes
from mds_engine.streams.board import Board
from mds_engine.streams.lane import Lane
from mds_engine.streams.reader import TickReader


class BatchDelivery:
    """Hands on the rows of plain lanes many at once, the others by `deliver_one`, one by one.

    `lanes` and `readers` are the hub's own, as they are at each moment.
    """

    def __init__(
        self,
        board: Board,
        lanes: Mapping[Instrument, Lane],
        readers: Mapping[Instrument, Sequence[TickReader]],
        deliver_one: Callable[[Lane, str, Tick, float], None],
    ) -> None:
        self.lanes = BatchLanes(lanes.get, lambda instrument: readers.get(instrument, ()))
        self._board = board
        self._deliver_one = deliver_one

    def deliver(self, name: str, ticks: TickBatch | TickFrames, now: float) -> None:
        """What one read of a source brought in columns."""
        if type(ticks) is TickBatch:
            self._deliver_batch(name, ticks, now)
        elif type(ticks) is TickFrames:
            self._deliver_frames(name, ticks, now)

    def deliver_beside(self, lane: Lane, name: str, tick: Tick, now: float) -> None:
        """One tick of an instrument that comes in large frames too."""
        self.lanes.sync(lane)
        self._deliver_one(lane, name, tick, now)
        self.lanes.note(lane, tick)

    def _deliver_frames(self, name: str, frames: TickFrames, now: float) -> None:
        """All at once where nothing of them is old; else one frame after the other."""
        plan = self.lanes.plan(name, frames.instruments)
        if not self.lanes.pass_whole(plan, frames, now):
            for batch in frames.batches:
                self._deliver_batch(name, batch, now)
            return
        self._board.put_frames(frames, now)
        for reader, mask in plan.readers:
            for batch in frames.batches:
                reader.put_batch(batch if mask is None else batch.take(mask))

    def _deliver_batch(self, name: str, batch: TickBatch, now: float) -> None:
        plan = self.lanes.plan(name, batch.instruments)
        passed, rows = self.lanes.sift(plan, batch, now)
        if len(passed):
            self._board.put_batch(passed, now)
            for reader, mask in plan.readers:
                if mask is None:
                    reader.put_batch(passed)
                elif len(wanted := passed.take(mask if rows is None else mask[rows])):
                    reader.put_batch(wanted)
        if not plan.plain.all():
            for row in (~plan.plain).nonzero()[0].tolist():
                lane = plan.lanes[row]
                if lane is not None:
                    self.deliver_beside(lane, name, batch[row], now)
            self.lanes.forget_plans()
