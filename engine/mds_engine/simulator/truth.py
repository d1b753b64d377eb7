"""The undistorted path of every instrument, with what was computed lately at hand."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mds_engine.simulator.listings import Listing
from mds_engine.simulator.path import CHILDREN, NODE_S, Floats, Ints, Nodes, children, nodes

if TYPE_CHECKING:
    from mds_engine.simulator.market import Market


class ExpectedTrade(NamedTuple):
    """One trade of the market, as a stream of trades has it."""

    id: int
    """The trade's number, and its aggregate's: in this market each trade is an aggregate of its own."""
    time_ns: int
    """UTC nanoseconds, whole milliseconds."""
    price: float
    size: float


def expected_trades(
    market: "Market", instrument: str, from_wall: float, to_wall: float
) -> list[ExpectedTrade]:
    """The trades that happened in [from_wall, to_wall), epoch seconds, oldest first.

    Of `Simulator.market` that is the truth, which no fault touches. Raises UnknownInstrumentError.
    """
    trades = market.trades(instrument, market.trade_ids(instrument, from_wall, to_wall))
    return [
        ExpectedTrade(number, round(at * 1_000) * 1_000_000, price, size)
        for number, at, price, size in zip(
            trades.id.tolist(), trades.time.tolist(), trades.price.tolist(), trades.size.tolist(), strict=True
        )
    ]


class Truth:
    """Values and ranges of the path, unrounded. Times are epoch seconds.

    The vector methods serve history; the scalar ones serve the present, and
    keep the nodes around it, so that a quote costs microseconds.
    """

    def __init__(self) -> None:
        self._hours_of = lru_cache(maxsize=4_096)(_hours_of)
        self._minutes_of = lru_cache(maxsize=4_096)(self._build_minutes)
        self._steps_of = lru_cache(maxsize=16_384)(self._build_steps)

    def values(self, listing: Listing, times: Floats) -> Floats:
        """The path at many times."""
        local = times + listing.day_offset_s
        second = np.floor(local).astype(np.int64)
        node = nodes(listing, 3, second)
        values: Floats = node.open + (node.close - node.open) * (local - second)
        return values

    def value(self, listing: Listing, at: float) -> float:
        """The path at one time."""
        local = at + listing.day_offset_s
        second = math.floor(local)
        minute, place = divmod(second, 60)
        steps = self._steps_of(listing, minute)
        return float(steps[place] + (steps[place + 1] - steps[place]) * (local - second))

    def ranges(self, listing: Listing, edges: Ints) -> tuple[Floats, Floats]:
        """Lows and highs of whole bars between ascending edges, in whole seconds."""
        local = edges + listing.day_offset_s
        level = next(level for level in range(4) if not np.any(local % NODE_S[level]))
        places = local // NODE_S[level]
        node = nodes(listing, level, np.arange(places[0], places[-1], dtype=np.int64))
        cuts = places[:-1] - places[0]
        return np.minimum.reduceat(node.low, cuts), np.maximum.reduceat(node.high, cuts)

    def extremes(self, listing: Listing, start: float, end: float) -> tuple[float, float]:
        """Lowest and highest value in [start, end], which may end in the middle of anything."""
        first = math.floor(start + listing.day_offset_s)
        last = math.floor(end + listing.day_offset_s)
        low = high = self.value(listing, max(end, start))
        for place, stop, level in _cover(first, last):
            piece_low, piece_high = self._piece(listing, place, stop, level)
            low, high = min(low, piece_low), max(high, piece_high)
        return low, high

    def _piece(self, listing: Listing, place: int, stop: int, level: int) -> tuple[float, float]:
        parent, offset = divmod(place, NODE_S[level - 1])
        unit = NODE_S[level]
        part = slice(offset // unit, (stop - parent * NODE_S[level - 1]) // unit)
        if level == 3:
            steps = self._steps_of(listing, parent)[part.start : part.stop + 1]
            return min(steps), max(steps)
        block = self._hours_of(listing, parent) if level == 1 else self._minutes_of(listing, parent)
        return float(block.low[part].min()), float(block.high[part].max())

    def _build_minutes(self, listing: Listing, hour: int) -> Nodes:
        day, place = divmod(hour, CHILDREN[0])
        parent = self._hours_of(listing, day).at(np.full(CHILDREN[1], place))
        return children(listing, 2, parent, np.arange(CHILDREN[1], dtype=np.int64))

    def _build_steps(self, listing: Listing, minute: int) -> list[float]:
        hour, place = divmod(minute, CHILDREN[1])
        parent = self._minutes_of(listing, hour).at(np.full(CHILDREN[2], place))
        seconds = children(listing, 3, parent, np.arange(CHILDREN[2], dtype=np.int64))
        steps: list[float] = seconds.open.tolist()
        return [*steps, float(seconds.close[-1])]


def _hours_of(listing: Listing, day: int) -> Nodes:
    return nodes(listing, 1, day * CHILDREN[0] + np.arange(CHILDREN[0], dtype=np.int64))


def _cover(first: int, last: int) -> list[tuple[int, int, int]]:
    """[first, last) in whole hours, minutes and seconds as (start, stop, level), each within one parent."""
    pieces = []
    place = first
    while place < last:
        level = next(level for level in (1, 2, 3) if _fits(place, last, NODE_S[level]))
        unit, parent_s = NODE_S[level], NODE_S[level - 1]
        limit = min(last, (place // parent_s + 1) * parent_s)
        stop = place + (limit - place) // unit * unit
        pieces.append((place, stop, level))
        place = stop
    return pieces


def _fits(place: int, last: int, unit: int) -> bool:
    return place % unit == 0 and place + unit <= last
