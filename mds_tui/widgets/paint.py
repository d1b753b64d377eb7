"""From cells to strips: the only place where inks become colours."""

from collections.abc import Mapping
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mds_tui.format.cells import Cell, Ink, fit
from mds_tui.format.glyphs import UNICODE, Glyphs

_PLAIN_CHARACTERS = str.maketrans(
    {
        "–": "-",
        "…": "~",
        "·": "-",
        "→": ">",
        "▸": ">",
        "“": '"',
        "”": '"',
        "’": "'",
        "₹": "R",
        "£": "L",
        "€": "E",
        "¥": "Y",
        "Δ": "d",
        "⏎": "^",
    }
)


class Paint(NamedTuple):
    """A theme's inks, its backgrounds, and the signs to use."""

    inks: Mapping[Ink, Style]
    grounds: Mapping[str, Style]
    """Backgrounds by the name of the surface: `background`, `bar`, `panel`, `cursor`, `lit`."""
    glyphs: Glyphs = UNICODE
    plain: bool = False
    """Nothing but ASCII where the console itself chooses the character."""

    def strip(self, content: Cell, width: int, *, ground: str, faded: bool = False) -> Strip:
        """A line of exactly `width` columns on a surface; `faded` draws it all in one quiet ink."""
        below = self.grounds[ground]
        segments = []
        for span in fit(content, width, more=self.glyphs.more):
            style = self.inks[span.ink if not faded else Ink.FAINT if span.ink is Ink.FAINT else Ink.DIM]
            if span.action:
                style += Style.from_meta({"@click": span.action})
            text = span.text.translate(_PLAIN_CHARACTERS) if self.plain else span.text
            segments.append(Segment(text, below + style))
        return Strip(segments, width)


SURFACES = ("background", "bar", "panel", "cursor", "lit")
"""Colours that are grounds: page, header and footer, dialogs, row under the cursor, row that just changed."""

NO_PAINT = Paint({ink: Style.null() for ink in Ink}, dict.fromkeys(SURFACES, Style.null()))
"""Before a theme is known."""
