"""When an exchange trades, for markets that are told to keep hours."""

import numpy as np

from mds_engine.simulator.listings import DAY_S, Listing
from mds_engine.simulator.path import Floats

_HOURS_S = {
    "NSE": (33_300, 55_800),
    "BSE": (33_300, 55_800),
    "NASDAQ": (34_200, 57_600),
    "NYSE": (34_200, 57_600),
    "INDEX": (34_200, 57_600),
}
"""Opening and closing, in seconds after local midnight, Monday to Friday. Others never close."""


class Sessions:
    """The hours of all exchanges; with `always_open` none of them ever closes."""

    def __init__(self, *, always_open: bool) -> None:
        self.always_open = always_open

    def hours(self, listing: Listing) -> tuple[int, int]:
        """Opening and closing in seconds after local midnight."""
        return (0, DAY_S) if self.always_open else _HOURS_S.get(listing.exchange, (0, DAY_S))

    def is_open(self, listing: Listing, times: Floats) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
        """True where the exchange trades at that time (epoch seconds)."""
        opening, closing = self.hours(listing)
        if (opening, closing) == (0, DAY_S):
            return np.ones(times.shape, dtype=np.bool_)
        local = times + listing.day_offset_s
        day = np.floor(local / DAY_S)
        second = local - day * DAY_S
        # 1970-01-01 was a Thursday: day 2 is the first Saturday.
        weekday = (day + 3) % 7 < 5
        return np.asarray(weekday & (second >= opening) & (second < closing), dtype=np.bool_)

    def last_open(self, listing: Listing, at: float) -> float:
        """`at` if the exchange trades then, else the end of its last session before."""
        opening, closing = self.hours(listing)
        if (opening, closing) == (0, DAY_S):
            return at
        local = at + listing.day_offset_s
        day = int(local // DAY_S)
        second = local - day * DAY_S
        if (day + 3) % 7 < 5 and second >= opening:
            return at if second < closing else day * DAY_S + closing - 0.001 - listing.day_offset_s
        day -= 1
        while (day + 3) % 7 >= 5:
            day -= 1
        return day * DAY_S + closing - 0.001 - listing.day_offset_s
