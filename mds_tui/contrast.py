"""How well colours can be told apart: by everybody (WCAG contrast), and by colour-blind eyes. Pure.

The simulation of colour blindness is that of Machado, Oliveira and Fernandes (2009) at full severity;
the distance is that of CIE 1976 L*a*b*, where about 2 is just noticeable.
"""

from collections.abc import Mapping, Sequence
from math import dist
from types import MappingProxyType
from typing import NamedTuple

from mds_tui.format.cells import Ink
from mds_tui.palettes import SURFACES, Palette

Triple = tuple[float, float, float]

COLOUR_BLINDNESS: Mapping[str, tuple[Triple, Triple, Triple]] = MappingProxyType(
    {
        "protanopia": (
            (0.152286, 1.052583, -0.204868),
            (0.114503, 0.786281, 0.099216),
            (-0.003882, -0.048116, 1.051998),
        ),
        "deuteranopia": (
            (0.367322, 0.860646, -0.227968),
            (0.280085, 0.672501, 0.047413),
            (-0.011820, 0.042940, 0.968881),
        ),
        "tritanopia": (
            (1.255528, -0.076749, -0.178779),
            (-0.078411, 0.930809, 0.147602),
            (0.004733, 0.691367, 0.303900),
        ),
    }
)
"""What each kind of eye makes of linear red, green and blue."""

_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)


LEAST_CONTRAST: Mapping[Ink, float] = MappingProxyType(
    {**dict.fromkeys(Ink, 4.5), Ink.DIM: 3.0, Ink.FAINT: 1.5}
)
"""What an ink needs on every surface: WCAG's for text; less where it is quiet on purpose. Faint is for
separators and for keys that do nothing now."""


class Weakness(NamedTuple):
    """The pair of a palette that is hardest to read, measured by what it needs."""

    ink: Ink
    surface: str
    ratio: float
    needed: float


def weakest(palette: Palette) -> Weakness:
    """The worst of all inks on all surfaces; readable if its ratio is not below what it needs."""
    pairs = [
        Weakness(ink, surface, contrast(palette.colours[ink.value], palette.colours[surface]), needed)
        for ink, needed in LEAST_CONTRAST.items()
        for surface in SURFACES
    ]
    return min(pairs, key=lambda pair: pair.ratio / pair.needed)


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two colours `#rrggbb`: from 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def distance(one: str, other: str, blindness: str | None = None) -> float:
    """How far two colours `#rrggbb` are apart to the eye, optionally to one of `COLOUR_BLINDNESS`."""
    return dist(_lab(_seen(one, blindness)), _lab(_seen(other, blindness)))


def _linear(colour: str) -> Triple:
    red, green, blue = (_without_gamma(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return red, green, blue


def _without_gamma(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _luminance(colour: str) -> float:
    return _times(_TO_XYZ, _linear(colour))[1]


def _seen(colour: str, blindness: str | None) -> Triple:
    linear = _linear(colour)
    if blindness is None:
        return linear
    red, green, blue = (min(1.0, max(0.0, value)) for value in _times(COLOUR_BLINDNESS[blindness], linear))
    return red, green, blue


def _lab(linear: Triple) -> Triple:
    x, y, z = (
        _cube_root(value / white) for value, white in zip(_times(_TO_XYZ, linear), _WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube_root(value: float) -> float:
    return float(value ** (1 / 3)) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def _times(matrix: Sequence[Triple], vector: Triple) -> Triple:
    first, second, third = (
        sum(factor * value for factor, value in zip(row, vector, strict=True)) for row in matrix
    )
    return first, second, third
