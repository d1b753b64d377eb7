"""The ticks of several large frames that came at once and name the same instruments, in columns."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from mds_engine.model.instrument import Instrument
from mds_engine.model.tick import Tick
from mds_engine.model.tick_batch import TickBatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TickFrames(Sequence[Tick]):
    """Two frames or more, oldest first: who works on columns works on all of them in as many calls as on one.

    As a sequence it is the ticks of one frame after the other.
    """

    __slots__ = ("_batches", "instruments", "received_ns", "source", "time_ns", "values")

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        values: "NDArray[np.float64]",
        time_ns: "NDArray[np.int64]",
        *,
        source: str = "",
        received_ns: int = 0,
    ) -> None:
        self.instruments = instruments
        """Of each frame, in its order. One object while frames name the same ones, as in `TickBatch`."""
        self.values = values
        """Shape (frames, n, 12), columns by `TICK_FIELDS`. NaN is absent."""
        self.time_ns = time_ns
        """Shape (frames, n): exchange time, UTC nanoseconds since the epoch; `NO_TIME` is absent."""
        self.source = source
        self.received_ns = received_ns
        self._batches: tuple[TickBatch, ...] = ()

    @property
    def batches(self) -> tuple[TickBatch, ...]:
        """The frames one by one, oldest first. They share the columns."""
        if not self._batches:
            instruments, source, received_ns = self.instruments, self.source, self.received_ns
            self._batches = tuple(
                [
                    TickBatch(instruments, values, time_ns, source=source, received_ns=received_ns)
                    for values, time_ns in zip(self.values, self.time_ns, strict=True)
                ]
            )
        return self._batches

    def __len__(self) -> int:
        return len(self.time_ns) * len(self.instruments)

    @overload
    def __getitem__(self, index: int) -> Tick: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tick]: ...
    def __getitem__(self, index: int | slice) -> Tick | Sequence[Tick]:
        if isinstance(index, slice):
            return list(self)[index]
        frame, row = divmod(range(len(self))[index], len(self.instruments))
        return self.batches[frame][row]

    def __iter__(self) -> Iterator[Tick]:
        for batch in self.batches:
            yield from batch
