"""The latest of every instrument. The screen samples it at its own pace; nothing is posted per tick.

What comes in large frames is kept in columns, which take 500 ticks in a few
calls of numpy. What comes tick by tick is kept in rows, for to write one tick
into columns takes twice as long as into a row. Each instrument is in the one
or the other, and moves when its ticks come the other way; whoever reads gets
rows or columns of all, as he asks.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mds_engine.model import Instrument, Quote, Tick
from mds_engine.model.tick_batch import NO_TIME, TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.streams.board_row import BoardRow

if TYPE_CHECKING:
    from mds_engine.streams.board_columns import BoardColumns, BoardTable, Places

__all__ = ["Board", "BoardRow"]

_MOST_ROSTERS = 64
"""So many lists of instruments are remembered with their places, of those that came in frames."""


class Board:
    """Rows by instrument, in the order in which they were first asked for."""

    __slots__ = ("_freed", "_moves", "_rosters", "_rows", "_table")

    def __init__(self) -> None:
        self._rows: dict[Instrument, BoardRow] = {}
        self._freed: list[int] = []
        """Places of instruments that were forgotten, for the next new ones."""
        self._table: BoardTable | None = None
        """Made when columns are first needed: a board without them does without numpy."""
        self._rosters: dict[int, Places] = {}
        """By the identity of a frame's instruments, which the places keep alive."""
        self._moves = 0
        """How often a row was taken out of the columns."""

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, instrument: Instrument) -> BoardRow:
        """What is known of an instrument now; its row is made when it is first asked for.

        Ask again rather than keep it: large frames change only the columns.
        """
        row = self._rows.get(instrument)
        if row is None:
            return self._add(instrument)
        if row.in_columns:
            self._columns().read(row)
        return row

    def remove(self, instrument: Instrument) -> None:
        """Forget an instrument. Its place is free for another."""
        row = self._rows.pop(instrument, None)
        if row is not None:
            self._freed.append(row.place)
            self._rosters.clear()

    def put(self, tick: Tick, now: float) -> None:
        """Note a tick. What it leaves out stays as it was."""
        row = self._rows.get(tick.instrument)
        if row is None:
            row = self._add(tick.instrument)
        elif row.in_columns:
            self._take_out(row)
        row.put(tick, now)

    def put_trades(self, trades: Mapping[Instrument, Sequence[Tick]], now: float) -> None:
        """Note trades that bear price, size and time and nothing else: of each instrument the last says it
        all."""
        rows = self._rows
        for instrument, run in trades.items():
            row = rows.get(instrument)
            if row is None:
                row = self._add(instrument)
            elif row.in_columns:
                self._take_out(row)
            last = run[-1]
            row.price, row.size, row.time_ns = last.price, last.size, last.time_ns
            row.source, row.seen_at = last.source, now
            row.ticks += len(run)

    def change_source(self, instrument: Instrument, *, trusted: bool) -> None:
        """Another source takes over: a bid of one beside an ask of the other would be nobody's book.

        `trusted` says whether the data of the one before looked right.
        """
        row = self.row(instrument)
        if row.in_columns:
            self._take_out(row)
        row.change_source(trusted=trusted)

    def put_batch(self, batch: TickBatch, now: float, *, frames: int = 1) -> None:
        """Note the ticks of one frame, as `put` would one after the other.

        It may stand for several `frames`, whose figures it takes the place of.
        """
        if not batch.instruments:
            return
        places = self._rosters.get(id(batch.instruments)) or self._find_places(batch.instruments)
        if not places.distinct:
            for tick in batch:
                self.put(tick, now)
            return
        table = self._table
        if table is None or places.settled_at != self._moves:
            table = self._columns()
            table.write([row for row in places.rows if not row.in_columns])
            for row in places.rows:
                row.in_columns = True
            places.settled_at = self._moves
        table.put(places.of_table, batch, now, frames)

    def put_frames(self, frames: TickFrames, now: float) -> None:
        """Note frames of the same instruments, as `put_batch` would one after the other."""
        if _newest_says_all(frames):
            self.put_batch(frames.batches[-1], now, frames=len(frames.time_ns))
            return
        for batch in frames.batches:
            self.put_batch(batch, now)

    def seed(self, quote: Quote, now: float) -> None:
        """Note a quote: all that is known before the first tick, and a previous close that ticks may lack."""
        row = self.row(quote.instrument)
        if row.in_columns:
            self._take_out(row)
        if quote.previous_close is not None:
            row.previous_close = quote.previous_close
        if row.seen_at is None:
            row.price, row.bid, row.ask, row.volume = quote.price, quote.bid, quote.ask, quote.volume
            row.time_ns, row.source, row.seen_at = quote.time_ns, quote.source, now
            row.problem = ""

    def columns(self) -> "BoardColumns":
        """A copy of everything, in columns: one moment's picture of all instruments."""
        table, rows = self._columns(), list(self._rows.values())
        table.write([row for row in rows if not row.in_columns])
        return table.copy(rows)

    # --- Rows and columns -----------------------------------------------------------------------------

    def _add(self, instrument: Instrument) -> BoardRow:
        place = self._freed.pop() if self._freed else len(self._rows)
        row = self._rows[instrument] = BoardRow(instrument, place)
        return row

    def _take_out(self, row: BoardRow) -> None:
        self._columns().read(row)
        row.in_columns = False
        self._moves += 1

    def _columns(self) -> "BoardTable":
        from mds_engine.streams.board_columns import BoardTable

        if self._table is None:
            self._table = BoardTable()
        self._table.hold(len(self._rows) + len(self._freed))
        return self._table

    def _find_places(self, instruments: tuple[Instrument, ...]) -> "Places":
        from mds_engine.streams.board_columns import Places

        if len(self._rosters) >= _MOST_ROSTERS:
            self._rosters.clear()
        places = self._rosters[id(instruments)] = Places(instruments, self._rows_of(instruments))
        return places

    def _rows_of(self, instruments: Iterable[Instrument]) -> list[BoardRow]:
        known = self._rows
        return [known.get(instrument) or self._add(instrument) for instrument in instruments]


def _newest_says_all(frames: TickFrames) -> bool:
    """Whether nothing is known only from an earlier one."""
    names, values = frames.instruments, frames.values
    known = values == values  # noqa: PLR0124  only NaN differs from itself
    if not known.all() and (known != known[-1]).any():
        return False
    return not (frames.time_ns[-1] == NO_TIME).any() and len(set(names)) == len(names)
