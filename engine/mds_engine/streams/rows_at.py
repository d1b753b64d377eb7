"""Where the rows of a frame stand in an array that holds many more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RowsAt = NDArray[np.intp] | slice
"""A slice where they stand in a row, which numpy reads and writes in half the time; else their places."""


def rows_at(places: Sequence[int]) -> RowsAt:
    """As a slice if these places follow one another."""
    if places and list(places) == list(range(places[0], places[0] + len(places))):
        return slice(places[0], places[0] + len(places))
    return np.array(places, np.intp)
