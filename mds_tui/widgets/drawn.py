"""What a live grid remembers of its lines, so that only those that differ are painted again."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.geometry import Region

from mds_tui.format.cells import Cell


class Drawn(NamedTuple):
    """One line as it stands on the screen."""

    content: Cell
    """As wide as the pane."""
    ground: str = "background"
    faded: bool = False


def regions_of(lines: Sequence[int], width: int) -> Sequence[Region]:
    """Neighbouring lines as one region."""
    regions: list[Region] = []
    for y in lines:
        if regions and regions[-1].bottom == y:
            regions[-1] = regions[-1]._replace(height=regions[-1].height + 1)
        else:
            regions.append(Region(0, y, width, 1))
    return regions
