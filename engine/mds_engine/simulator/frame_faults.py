"""What the faults of a live stream do to its frames: a small state machine, without I/O."""

import random
from collections.abc import Collection
from typing import NamedTuple

from mds_engine.simulator.faults import ActiveFault, FaultBoard, FaultKind

Frame = str | bytes


class Due(NamedTuple):
    """A frame that is to be sent."""

    frame: Frame
    delay_s: float = 0.0
    """Zero: at once, in this order."""


class FrameFaults:
    """The faults that stand on one stream. The same seed hits the same frames of the same stream.

    `stream` is the stream's number, so that two streams at once are not hit alike.
    """

    def __init__(self, board: FaultBoard, vendor: str, endpoint: int, path: str, stream: int) -> None:
        self._board = board
        self._vendor = vendor
        self._endpoint = endpoint
        self._path = path
        self._stream = stream
        self._draws: dict[int, random.Random] = {}
        self._held: Frame | None = None

    def standing(self, kind: FaultKind) -> ActiveFault | None:
        """The newest fault of a kind on this stream."""
        return self._board.standing(self._vendor, self._endpoint, kind, self._path)

    def muted(self) -> frozenset[str]:
        """The instruments of which nothing is sent."""
        return frozenset(active.fault.instrument for active in self._all(FaultKind.MUTE_INSTRUMENT))

    def silent(self) -> bool:
        """Whether nothing at all is sent."""
        return self.standing(FaultKind.MUTE_STREAM) is not None or self.standing(FaultKind.HANG) is not None

    def drops(self, instruments: Collection[str]) -> bool:
        """Whether a frame that tells of these instruments is not to be sent at all."""
        return self._hit(FaultKind.DROPPED_FRAMES, instruments) is not None

    def pass_on(self, frame: Frame, instruments: Collection[str]) -> list[Due]:
        """What is to be sent where this frame was due. It tells of these instruments."""
        if not self._board and self._held is None:
            return [Due(frame)]
        due = Due(frame)
        late = self._hit(FaultKind.REORDERED_FRAMES, instruments) if self._held is None else None
        if late is not None and late.fault.delay_s <= 0:
            self._held = frame
            return []
        if late is not None:
            due = Due(frame, late.fault.delay_s)
        sent = [due]
        twice = self._hit(FaultKind.DUPLICATE_FRAMES, instruments)
        if twice is not None:
            sent.append(Due(frame, due.delay_s + twice.fault.delay_s))
        return sent + self.release()

    def release(self) -> list[Due]:
        """The frame that waits for the following one, if any."""
        held, self._held = self._held, None
        return [] if held is None else [Due(held)]

    def _all(self, kind: FaultKind) -> list[ActiveFault]:
        return self._board.all_standing(self._vendor, self._endpoint, kind, self._path)

    def _hit(self, kind: FaultKind, instruments: Collection[str]) -> ActiveFault | None:
        for active in self._all(kind):
            fault = active.fault
            if fault.instrument and fault.instrument not in instruments:
                continue
            if fault.probability < 1 and self._draw(active) >= fault.probability:
                continue
            active.hits += 1
            return active
        return None

    def _draw(self, active: ActiveFault) -> float:
        drawn = self._draws.get(active.id)
        if drawn is None:
            drawn = random.Random(f"{self._board.seed}|{active.id}|{self._stream}")
            self._draws[active.id] = drawn
        return drawn.random()
