"""What Yahoo meant by a float32.

Yahoo keeps prices as float32 and prints them as float64: 244.47 arrives as
244.47000122070312. The shortest decimal that rounds to the same float32 is
the price that went in: every decimal of up to six significant digits survives
float32 and comes back this way, and for longer ones the answer is within half
a float32 step, as exact as anything that the wire still holds. Rounding to
Yahoo's `priceHint` would instead cut digits that are there (7174.9443).
"""

import numpy as np
from numpy.typing import NDArray


def meant(value: float) -> float:
    """The shortest decimal of the same float32; a value that is no float32 comes back as it is."""
    single = np.float32(value)
    return float(str(single)) if float(single) == value else value


def meant_column(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`meant` of every element. NaN stays NaN. numpy prints float32 as its shortest decimal."""
    singles = values.astype(np.float32)
    shortest = singles.astype("U32").astype(np.float64)
    return np.where(singles.astype(np.float64) == values, shortest, values)
