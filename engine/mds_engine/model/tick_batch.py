"""The ticks of one large frame, kept in columns until somebody asks for one of them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from mds_engine.model.instrument import Instrument
from mds_engine.model.tick import Tick, TickKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TICK_FIELDS = (
    "size",
    "volume",
    "price",
    "bid",
    "ask",
    "open",
    "high",
    "low",
    "previous_close",
    "open_interest",
    "bid_size",
    "ask_size",
)
"""The columns of `TickBatch.values`: counts that may be zero, then prices, then the rest, so that a decoder
treats each kind in one slice."""

NO_TIME = -(2**63)
"""Stands in `TickBatch.time_ns` for a time that is not known; numpy's NaT is the same number."""


class TickBatch(Sequence[Tick]):
    """Ticks of one kind and source that came in one frame, one array for all figures.

    As a sequence it is what the ticks one by one would be: a `Tick` is made
    when it is asked for, and equals what a decoder of single ticks makes.
    Readers that work on columns never pay for it. What only numbered trades
    have (`sequence`, `buyer_is_maker`, `closed`) is None throughout.
    """

    __slots__ = ("flags", "instruments", "kind", "received_ns", "source", "time_ns", "values")

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        values: "NDArray[np.float64]",
        time_ns: "NDArray[np.int64]",
        *,
        kind: TickKind = TickKind.QUOTE,
        source: str = "",
        received_ns: int = 0,
        flags: int = 0,
    ) -> None:
        self.instruments = instruments
        """One a row. A connection hands on the same object while its frames name the same ones in the same
        order: who remembers something about it (the board: its rows) may ask with `is`."""
        self.values = values
        """Shape (n, 12), float64, columns by `TICK_FIELDS`. NaN is absent."""
        self.time_ns = time_ns
        """Shape (n,), int64: exchange time, UTC nanoseconds since the epoch; `NO_TIME` is absent."""
        self.kind = kind
        self.source = source
        self.received_ns = received_ns
        self.flags = flags
        """Bits of `TickFlag`, of every tick."""

    def column(self, field: str) -> "NDArray[np.float64]":
        """One of `TICK_FIELDS`, as a view."""
        return self.values[:, TICK_FIELDS.index(field)]

    def take(self, rows: "NDArray[np.intp] | NDArray[np.bool_]") -> "TickBatch":
        """Some of the rows: those at these places, in this order, or those where a mask of n is true."""
        places = rows.nonzero()[0] if rows.dtype == bool else rows
        instruments = self.instruments
        return self._like(
            tuple([instruments[place] for place in places.tolist()]),
            self.values[places],
            self.time_ns[places],
            self.flags,
        )

    def flagged(self, flags: int) -> "TickBatch":
        """The same ticks with these bits of `TickFlag` set besides; the columns are shared."""
        return self._like(self.instruments, self.values, self.time_ns, self.flags | flags)

    def __len__(self) -> int:
        return len(self.instruments)

    @overload
    def __getitem__(self, index: int) -> Tick: ...
    @overload
    def __getitem__(self, index: slice) -> "TickBatch": ...
    def __getitem__(self, index: int | slice) -> "Tick | TickBatch":
        if isinstance(index, slice):
            return self._like(self.instruments[index], self.values[index], self.time_ns[index], self.flags)
        figures = [None if value != value else value for value in self.values[index].tolist()]  # noqa: PLR0124
        time_ns = int(self.time_ns[index])
        return self._tick(self.instruments[index], figures, None if time_ns == NO_TIME else time_ns)

    def __iter__(self) -> Iterator[Tick]:
        absent = self.values != self.values
        figures = self.values.astype(object)
        figures[absent] = None
        times = self.time_ns.astype(object)
        times[self.time_ns == NO_TIME] = None
        return map(self._tick, self.instruments, figures.tolist(), times.tolist())

    def _tick(self, instrument: Instrument, figures: "list[float | None]", time_ns: int | None) -> Tick:
        (
            size, volume, price, bid, ask, open_, high, low,
            previous_close, open_interest, bid_size, ask_size,
        ) = figures  # fmt: skip
        return Tick(
            instrument, self.kind, price, size, time_ns, self.received_ns, self.source, None, None, volume,
            bid, bid_size, ask, ask_size, open_, high, low, previous_close, open_interest,
            flags=self.flags,
        )  # fmt: skip

    def _like(
        self,
        instruments: tuple[Instrument, ...],
        values: "NDArray[np.float64]",
        time_ns: "NDArray[np.int64]",
        flags: int,
    ) -> "TickBatch":
        return TickBatch(
            instruments,
            values,
            time_ns,
            kind=self.kind,
            source=self.source,
            received_ns=self.received_ns,
            flags=flags,
        )
