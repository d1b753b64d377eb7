"""Where the panes stand for a size of screen: pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

SMALLEST_WIDTH = 60
SMALLEST_HEIGHT = 16
WIDE_WIDTH = 112
WIDE_HEIGHT = 32
_SOURCES_WIDTH = 82
"""What the columns of sources that matter need."""
PANES = ("sources", "routes", "latency", "cost", "watch", "events")
"""In the order of their numbers."""


class Shape(StrEnum):
    """What a screen of a size can hold."""

    WIDE = "wide"
    NARROW = "narrow"
    """One pane, the events below it."""
    TOO_SMALL = "too small"


class Box(NamedTuple):
    """A place in columns and lines."""

    x: int
    y: int
    width: int
    height: int


def shape_of(width: int, height: int) -> Shape:
    """The shape for a whole screen."""
    if width < SMALLEST_WIDTH or height < SMALLEST_HEIGHT:
        return Shape.TOO_SMALL
    return Shape.WIDE if width >= WIDE_WIDTH and height >= WIDE_HEIGHT else Shape.NARROW


def boxes(
    width: int, height: int, *, shape: Shape, focus: str, zoomed: bool, sources: int, routes: int
) -> Mapping[str, Box]:
    """The places of the visible panes in an area; `sources` and `routes` say how many rows there are."""
    if zoomed:
        return {focus: Box(0, 0, width, height)}
    if shape is not Shape.WIDE:
        return _stacked(width, height, focus)
    return _wide(width, height, sources, routes)


def _stacked(width: int, height: int, focus: str) -> Mapping[str, Box]:
    if focus == "events":
        return {"events": Box(0, 0, width, height)}
    below = max(4, min(8, round(height * 0.32)))
    return {
        focus: Box(0, 0, width, height - below),
        "events": Box(0, height - below, width, below),
    }


def _wide(width: int, height: int, sources: int, routes: int) -> Mapping[str, Box]:
    border, heading, blank = 2, 1, 1
    needed = max(sources + heading + blank + 3, routes + blank + 4) + border
    top = max(9, min(needed, round(height * 0.44)))
    below = max(6, min(12, round(height * 0.24)))
    middle = height - top - below
    left = min(max(round(width * 0.65), _SOURCES_WIDTH), round(width * 0.685), 104)
    watch = round(width * 0.58)
    latency = middle // 2
    return {
        "sources": Box(0, 0, left, top),
        "routes": Box(left, 0, width - left, top),
        "watch": Box(0, top, watch, middle),
        "latency": Box(watch, top, width - watch, latency),
        "cost": Box(watch, top + latency, width - watch, middle - latency),
        "events": Box(0, top + middle, width, below),
    }
