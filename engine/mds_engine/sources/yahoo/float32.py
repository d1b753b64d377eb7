"""What Yahoo meant by a float32.

Yahoo keeps prices as float32 and prints them as float64: 244.47 arrives as
244.47000122070312. The shortest decimal that rounds to the same float32 is
the price that went in: every decimal of up to six significant digits survives
float32 and comes back this way, and for longer ones the answer is within half
a float32 step, as exact as anything that the wire still holds. Rounding to
Yahoo's `priceHint` would instead cut digits that are there (7174.9443).
"""

from struct import Struct

import numpy as np
from numpy.typing import NDArray

_LARGEST = float(np.finfo(np.float32).max)

_PLAIN = 2.0**24
"""Below it every whole number is a float32 of its own."""

_SCALES = tuple(10.0**decimals for decimals in range(6))


_SINGLE = Struct("<f")
_HUNDREDTHS = (1e2, 1e3, 1e4, 1e5, 1e6)
HUNDREDTHS_BELOW = 2.0**17
"""Below it float32 lie less than 0.01 apart: no more than one decimal of two places is any one of them, so
that there is no shorter one to be tried before. Most prices end here."""


def meant(value: float) -> float:
    """The shortest decimal of the same float32; a value that is no float32 comes back as it is."""
    if 1.0 <= value < HUNDREDTHS_BELOW:
        pack, unpack = _SINGLE.pack, _SINGLE.unpack
        for scale in _HUNDREDTHS:
            decimal = round(value * scale) / scale
            if unpack(pack(decimal))[0] == value:
                return decimal
    return _printed(value)


def _printed(value: float) -> float:
    """`meant` by way of numpy's text, which holds for any value."""
    if not abs(value) < _LARGEST:
        return value
    single = np.float32(value)
    return float(str(single)) if float(single) == value else value


def meant_column(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`meant` of every element. NaN stays NaN.

    For nearly all prices the answer is found by trying one, two, … decimals, 30
    times faster than by printing: k / 10**d of whole k below 2**53 is the very
    float64 that the decimal's text would be read as, so that the first d whose
    decimal rounds to the same float32 is the answer. The rest is printed:
    powers of two, for their neighbours are not equally near, large and tiny values.
    """
    held = np.where(np.abs(values) < _LARGEST, values, np.nan)
    singles = held.astype(np.float32)
    answer = values.copy()
    open_ = singles.astype(np.float64) == held
    fraction, _ = np.frexp(held)
    plain = open_ & (np.abs(held) < _PLAIN) & (np.abs(held) >= 1.0) & (np.abs(fraction) != 0.5)
    for scale in _SCALES:
        decimals = np.rint(held * scale) / scale
        fits = plain & (decimals.astype(np.float32) == singles)
        answer[fits] = decimals[fits]
        plain &= ~fits
        open_ &= ~fits
    answer[open_] = singles[open_].astype("U32").astype(np.float64)
    return answer
