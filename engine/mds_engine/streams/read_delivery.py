"""Reads of many numbered trades, handed on an instrument at a time instead of a tick at a time."""

from collections.abc import Mapping, Sequence

from mds_engine.model import Instrument, Tick
from mds_engine.model.tick_read import TickRead
from mds_engine.streams.board import Board
from mds_engine.streams.lane import Lane
from mds_engine.streams.reader import TickReader


def deliver_read(
    read: TickRead,
    source: str,
    now: float,
    *,
    lanes: Mapping[Instrument, Lane],
    board: Board,
    readers: Mapping[Instrument, tuple[TickReader, ...]],
) -> Sequence[Tick]:
    """Hand on what is just what its lanes expect; returns the rest, to be taken tick by tick.

    Of an instrument all of its trades go on, or none. Readers get them in the
    order in which they came.
    """
    trades = read.trades
    if trades is None:
        return read
    rest: set[Instrument] = set()
    listening: dict[tuple[TickReader, ...], None] = {}
    for instrument, run in trades.items():
        lane = lanes.get(instrument)
        if lane is None or lane.active != source or not lane.take_run(run, now):
            rest.add(instrument)
        elif instrument in readers:
            listening[readers[instrument]] = None
    taken = trades
    if rest:
        taken = {instrument: run for instrument, run in trades.items() if instrument not in rest}
    board.put_trades(taken, now)
    for reader in dict.fromkeys(one for some in listening for one in some):
        wanted = reader.instruments
        whole = taken.keys() <= wanted
        if reader.is_latest:
            reader.put_newest(
                taken
                if whole
                else {instrument: run for instrument, run in taken.items() if instrument in wanted}
            )
        elif whole and not rest:
            reader.put_batch(read)
        else:
            reader.put_batch(
                [tick for tick in read if tick.instrument in wanted and tick.instrument in taken]
            )
    return [tick for tick in read if tick.instrument in rest] if rest else ()
