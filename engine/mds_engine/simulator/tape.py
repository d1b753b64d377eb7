"""The tape: trade n happens at a known time and has a known size, so that any part of it is cheap.

Trades of an instrument are numbered from its listing without a gap. Sizes are
differences of one smooth cumulative volume, so a bar's volume is exactly the
sum of its trades, for bars of any length.
"""

import numpy as np

from mds_engine.simulator.listings import DAY_S, Listing
from mds_engine.simulator.path import Floats, Ints, uniform

_TEMPOS = ((DAY_S, 0.30), (5_413.0, 0.15), (613.0, 0.10), (47.0, 0.05))
"""Periods in seconds and strengths of the volume's rhythm; the strengths sum to less than one."""


_CROWDED_PER_S = 100.0
"""Above this rate several trades may share a millisecond."""


def trade_times(listing: Listing, ids: Ints) -> Floats:
    """Epoch seconds of trades, never falling with the id, in whole milliseconds."""
    times: Floats = np.floor((listing.listed_at + _ages(listing, ids)) * 1000) / 1000
    return times


def first_trade_at_or_after(listing: Listing, times: Floats) -> Ints:
    """The id of the first trade at or after each time (epoch seconds)."""
    guess = np.floor((times - listing.listed_at) * listing.trades_per_s).astype(np.int64) - 1
    # Milliseconds are cut off, and a fast instrument trades several times in one.
    for _ in range(3 + int(listing.trades_per_s // 1000)):
        guess = guess + (trade_times(listing, guess) < times)
    return guess


def cumulative_lots(listing: Listing, ids: Ints) -> Ints:
    """Traded size before trade `id`, since the listing, in units of the smallest size."""
    # Trades that share a millisecond still have sizes of their own.
    crowded = listing.trades_per_s > _CROWDED_PER_S
    at = _ages(listing, ids) if crowded else trade_times(listing, ids) - listing.listed_at
    flow = at.copy()
    for number, (period, strength) in enumerate(_TEMPOS):
        phase = (listing.key >> (number * 8) & 0xFF) / 255 * 2 * np.pi
        turn = at * (2 * np.pi / period) + phase
        flow += strength * period / (2 * np.pi) * (np.sin(turn) - np.sin(phase))
    lots: Ints = np.round(flow * (listing.size_per_s * 10**listing.size_decimals)).astype(np.int64)
    return lots


def buyer_is_maker(listing: Listing, ids: Ints) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    """True where the seller was the aggressor."""
    return uniform(listing.key, 2, ids) < 0.5


def _ages(listing: Listing, ids: Ints) -> Floats:
    """Seconds from the listing to each trade, rising with the id."""
    ages: Floats = (ids + uniform(listing.key, 1, ids) * 0.9) / listing.trades_per_s
    return ages
