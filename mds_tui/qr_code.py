"""An address as a QR code that a phone reads from the screen: always dark on light, whatever the theme."""

from functools import cache
from typing import NamedTuple

Matrix = tuple[tuple[bool, ...], ...]
"""Rows of modules, with the quiet zone around them; True is dark."""

_QUIET_ZONES = (4, 2)
"""Modules of light around the code: what the standard asks for, and what phones make do with."""


class CodeSize(NamedTuple):
    """Terminal cells."""

    width: int
    height: int


@cache
def matrix_of(text: str, quiet_zone: int) -> Matrix:
    """The modules of a text."""
    # The first frame of the console needs none of it.
    import segno

    code = segno.make_qr(text, error="l")
    return tuple(tuple(bool(module) for module in row) for row in code.matrix_iter(border=quiet_zone))


def size_of(matrix: Matrix, *, plain: bool) -> CodeSize:
    """What it takes to draw it."""
    across, down = len(matrix[0]), len(matrix)
    return CodeSize(2 * across, down) if plain else CodeSize(across, -(-down // 2))


def largest_that_fits(text: str, width: int, height: int, *, plain: bool) -> Matrix | None:
    """The code with as wide a quiet zone as there is room for; None where it does not fit at all."""
    for quiet_zone in _QUIET_ZONES:
        matrix = matrix_of(text, quiet_zone)
        needed = size_of(matrix, plain=plain)
        if needed.width <= width and needed.height <= height:
            return matrix
    return None
