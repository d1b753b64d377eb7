"""The price path: a tree of bars, day to hour to minute to second, each a pure function of its place.

A parent's bar is drawn before its children's, and the children are fitted into
it: the first opens where it opened, the last closes where it closed, each opens
where its neighbour closed, one touches its high and one its low, and none
leaves it. So a day's bar is known without its 86 400 seconds, and still agrees
with every one of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mds_engine.simulator.listings import DAY_S, Listing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHILDREN = (24, 60, 60)
"""Hours in a day, minutes in an hour, seconds in a minute."""

NODE_S = (DAY_S, 3_600, 60, 1)
"""Length of a node of each level, in seconds."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Bars of one level of the tree, unrounded; all arrays have one shape."""

    index: Ints
    """Number of the node: seconds since the exchange's midnight of 1970-01-01, over the node's length."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats

    def at(self, where: Ints) -> "Nodes":
        """The nodes at these positions."""
        return Nodes(
            self.index[where], self.open[where], self.high[where], self.low[where], self.close[where]
        )


def nodes(listing: Listing, level: int, index: Ints) -> Nodes:
    """The bars with these numbers at one level: 0 days, 1 hours, 2 minutes, 3 seconds."""
    if level == 0:
        return _days(listing, index)
    parent_index = index // CHILDREN[level - 1]
    unique, where = np.unique(parent_index, return_inverse=True)
    parents = nodes(listing, level - 1, unique).at(where)
    return children(listing, level, parents, index - parent_index * CHILDREN[level - 1])


def children(listing: Listing, level: int, parents: Nodes, place: Ints) -> Nodes:
    """The child at `place` of each parent; `level` is the children's own."""
    count = CHILDREN[level - 1]
    index = parents.index * count + place
    fate = _mix(_salted(listing.key, 16 + level), parents.index)
    peak = (fate & _U(0xFFFF)).astype(np.int64) % count
    trough = ((fate >> _U(16)) & _U(0xFFFF)).astype(np.int64) % count
    opens, closes = _bridge(listing, level, parents, np.stack([place, place + 1]), count, peak, trough)
    wick = _mix(_salted(listing.key, 32 + level), index)
    reach = (parents.high - parents.low) * (0.35 / count**0.5)
    high = np.minimum(np.maximum(opens, closes) + reach * (0.15 + _fraction(wick) ** 2), parents.high)
    low = np.maximum(np.minimum(opens, closes) - reach * (0.15 + _fraction(wick << _U(32)) ** 2), parents.low)
    high = np.where(place == peak, parents.high, high)
    low = np.where(place == trough, parents.low, low)
    return Nodes(index, opens, high, low, closes)


def _days(listing: Listing, index: Ints) -> Nodes:
    both = _anchor(listing, np.concatenate([index, index + 1]))
    opens, closes = both[: len(index)], both[len(index) :]
    wick = _mix(_salted(listing.key, 1), index)
    scale = listing.daily_volatility * 0.9
    high = np.maximum(opens, closes) * (1 + scale * (0.08 + _fraction(wick) ** 2))
    low = np.minimum(opens, closes) * (1 - scale * (0.08 + _fraction(wick << _U(32)) ** 2))
    return Nodes(index, opens, high, low, closes)


def _anchor(listing: Listing, day: Ints) -> Floats:
    """The price at the start of a day: noise of nine wavelengths, the longest of 256 days.

    It wanders as a market does and never strays from its base by more than a
    factor of two or so, over any number of years.
    """
    spans = 1 << np.arange(_OCTAVES, dtype=np.int64)
    salts = np.array([_salted(listing.key, 64 + octave) for octave in range(_OCTAVES)])
    knot = day[:, np.newaxis] // spans
    phase = (day[:, np.newaxis] - knot * spans) / spans
    left, right = _signed(_mix(salts, knot)), _signed(_mix(salts, knot + 1))
    drift = ((left + (right - left) * phase) * (0.55 * np.sqrt(spans))).sum(axis=1)
    prices: Floats = listing.base_price * np.exp(np.clip(drift * listing.daily_volatility, -0.75, 0.75))
    return prices


def _bridge(
    listing: Listing, level: int, parents: Nodes, place: Ints, count: int, peak: Ints, trough: Ints
) -> Floats:
    """The path at the start of child `place` (0 … count) of each parent."""
    share = place / count
    window = 4 * share * (1 - share)
    start = parents.index * count
    fine = _signed(_mix(_salted(listing.key, 128 + level), start + place))
    knots = 6
    width = count // knots
    knot = place // width
    phase = (place % width) / width
    salt = _salted(listing.key, 192 + level)
    base = parents.index * (knots + 1)
    left, right = _signed(_mix(salt, base + knot)), _signed(_mix(salt, base + knot + 1))
    coarse = left + (right - left) * phase
    height = parents.high - parents.low
    line = parents.open + (parents.close - parents.open) * share
    value = line + height * window * (0.30 * coarse + 0.10 * fine)
    # The child that must touch the parent's extreme is drawn towards it, so that its wick stays short.
    near = (np.maximum(0.0, 1 - np.abs(place - peak - 0.5) / 4)) * window
    value = value + near * 0.9 * (parents.high - value)
    near = (np.maximum(0.0, 1 - np.abs(place - trough - 0.5) / 4)) * window
    value = value + near * 0.9 * (parents.low - value)
    fitted: Floats = np.clip(value, parents.low, parents.high)
    return fitted


_OCTAVES = 9
_U = np.uint64
_MASK = (1 << 64) - 1


def _salted(key: int, salt: int) -> np.uint64:
    return _U((key ^ (salt * 0x9E3779B97F4A7C15)) & _MASK)


def _mix(salt: np.uint64 | NDArray[np.uint64], index: Ints) -> NDArray[np.uint64]:
    """Splitmix64: 64 well-mixed bits for each number."""
    bits = index.astype(_U) * _U(0x9E3779B97F4A7C15) + salt
    bits = (bits ^ (bits >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> _U(27))) * _U(0x94D049BB133111EB)
    result: NDArray[np.uint64] = bits ^ (bits >> _U(31))
    return result


def _fraction(bits: NDArray[np.uint64]) -> Floats:
    """The upper 32 bits as a number in [0, 1)."""
    return (bits >> _U(32)).astype(np.float64) / 2.0**32


def _signed(bits: NDArray[np.uint64]) -> Floats:
    """The upper 32 bits as a number in [-1, 1)."""
    return _fraction(bits) * 2 - 1


def uniform(key: int, salt: int, index: Ints) -> Floats:
    """Numbers in [0, 1), one for each index: the same for the same key, salt and index."""
    return _fraction(_mix(_salted(key, 1024 + salt), index))
