"""What a live grid remembers of its lines, so that only those that differ are made and painted again."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from textual.geometry import Region

from mds_tui.format.cells import Cell

Item = TypeVar("Item")


class Drawn(NamedTuple):
    """One line as it stands on the screen."""

    content: Cell
    ground: str = "background"
    faded: bool = False


class Laid(NamedTuple, Generic[Item]):
    """A row's columns side by side, and the item that they were made of."""

    item: Item
    spans: Cell


def regions_of(lines: Sequence[int], width: int) -> Sequence[Region]:
    """Neighbouring lines as one region."""
    regions: list[Region] = []
    for y in lines:
        if regions and regions[-1].bottom == y:
            regions[-1] = regions[-1]._replace(height=regions[-1].height + 1)
        else:
            regions.append(Region(0, y, width, 1))
    return regions
