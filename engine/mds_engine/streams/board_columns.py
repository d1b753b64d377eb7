"""The board's columns: what large frames write, and what is read of all instruments at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from mds_engine.model import Instrument
from mds_engine.model.tick_batch import NO_TIME, TICK_FIELDS, TickBatch
from mds_engine.streams.board_row import BoardRow
from mds_engine.streams.rows_at import RowsAt, rows_at

_FIELDS = len(TICK_FIELDS)
_SEEN_AT, _TIME, _TICKS, _SOURCE = range(_FIELDS, _FIELDS + 4)
_WIDTH = _FIELDS + 4
_LEAST_PLACES = 256

_figures_of = attrgetter(*TICK_FIELDS, "seen_at")


@dataclass(frozen=True, slots=True, eq=False)
class BoardColumns:
    """One moment's picture of the board, one row an instrument, in the order in which they were asked for.

    It is a copy, which nothing changes any more.
    """

    instruments: tuple[Instrument, ...]
    values: NDArray[np.float64]
    """Shape (n, 12), columns by `TICK_FIELDS`. NaN is not known."""
    time_ns: NDArray[np.int64]
    """Exchange time of the last tick, UTC nanoseconds since the epoch; `NO_TIME` is not known."""
    seen_at: NDArray[np.float64]
    """Monotonic time at which the last tick came in; NaN if none has."""
    ticks: NDArray[np.int64]
    sources: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.instruments)

    def column(self, field: str) -> NDArray[np.float64]:
        """One of `TICK_FIELDS`, as a view."""
        return self.values[:, TICK_FIELDS.index(field)]

    def change_percent(self) -> NDArray[np.float64]:
        """Against the previous close, in percent; NaN where either is not known."""
        close = self.column("previous_close")
        close = np.where(close == 0.0, np.nan, close)
        return (self.column("price") - close) * 100.0 / close


class Places:
    """Where the instruments of a frame are on the board."""

    __slots__ = ("distinct", "instruments", "of_table", "rows", "settled_at")

    def __init__(self, instruments: tuple[Instrument, ...], rows: list[BoardRow]) -> None:
        self.instruments = instruments
        self.rows = rows
        self.of_table = rows_at([row.place for row in rows])
        self.distinct = len(set(instruments)) == len(instruments)
        """Whether none is there twice: a later tick must not hide what only an earlier one says."""
        self.settled_at = -1
        """All of these rows were in columns when the board had taken out so many."""


class BoardTable:
    """Figures by place. It knows nothing of who is where."""

    __slots__ = ("_source_numbers", "_sources", "_table")

    def __init__(self) -> None:
        self._table = np.full((_LEAST_PLACES, _WIDTH), np.nan)
        """TICK_FIELDS and `seen_at` as float64; in the same eight bytes each as int64 `time_ns`, how many
        ticks, and the number of the source. In one array, for a frame then takes half the calls."""
        self._sources: list[str | None] = []
        """By the number that stands in the table for them."""
        self._source_numbers: dict[str | None, int] = {}

    def hold(self, places: int) -> None:
        """Have at least so many places."""
        held = len(self._table)
        if places > held:
            more = max(places, 2 * held) - held
            self._table = np.concatenate((self._table, np.full((more, _WIDTH), np.nan)))

    def put(self, places: RowsAt, batch: TickBatch, now: float, frames: int) -> None:
        """Note a frame's ticks, each at its place; no place is there twice. NaN leaves what was."""
        values, times = batch.values, batch.time_ns
        # For few places `take` needs a third of the time of [places].
        held = self._table[places] if isinstance(places, slice) else self._table.take(places, 0)
        whole = held.view(np.int64)
        known = values == values  # noqa: PLR0124  only NaN differs from itself
        if np.count_nonzero(known) == known.size:
            held[:, :_FIELDS] = values
        else:
            np.copyto(held[:, :_FIELDS], values, where=known)
        held[:, _SEEN_AT] = now
        np.copyto(whole[:, _TIME], times, where=times != NO_TIME)
        whole[:, _TICKS] += frames
        whole[:, _SOURCE] = self._number_of(batch.source)
        if not isinstance(places, slice):
            self._table[places] = held

    def write(self, rows: Sequence[BoardRow]) -> None:
        """Put what these rows hold in their places."""
        if not rows:
            return
        number_of = self._number_of
        held = np.empty((len(rows), _WIDTH))
        held[:, :_TIME] = np.array([_figures_of(row) for row in rows], np.float64)
        held.view(np.int64)[:, _TIME:] = [
            (NO_TIME if row.time_ns is None else row.time_ns, row.ticks, number_of(row.source))
            for row in rows
        ]
        self._table[[row.place for row in rows]] = held

    def read(self, row: BoardRow) -> None:
        """Put into a row what its place holds."""
        held = self._table[row.place]
        *figures, seen_at = held[:_TIME].tolist()
        for field, value in zip(TICK_FIELDS, figures, strict=True):
            setattr(row, field, _known(value))
        row.seen_at = _known(seen_at)
        time_ns, row.ticks, source = held.view(np.int64)[_TIME:].tolist()
        row.time_ns = None if time_ns == NO_TIME else time_ns
        row.source = self._sources[source]

    def copy(self, rows: Sequence[BoardRow]) -> BoardColumns:
        """What the places of these rows hold."""
        held = self._table[np.array([row.place for row in rows], np.intp)]
        whole = held.view(np.int64)
        sources = self._sources
        return BoardColumns(
            instruments=tuple([row.instrument for row in rows]),
            values=held[:, :_FIELDS],
            time_ns=whole[:, _TIME],
            seen_at=held[:, _SEEN_AT],
            ticks=whole[:, _TICKS],
            sources=tuple([sources[number] for number in whole[:, _SOURCE].tolist()]),
        )

    def _number_of(self, source: str | None) -> int:
        number = self._source_numbers.get(source)
        if number is None:
            number = self._source_numbers[source] = len(self._sources)
            self._sources.append(source)
        return number


def _known(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124  only NaN differs from itself
