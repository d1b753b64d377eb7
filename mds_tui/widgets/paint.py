"""From cells to strips: the only place where inks become colours."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from unicodedata import category

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mds_tui.format.cells import Cell, Ink, Span, fit
from mds_tui.format.glyphs import UNICODE, Glyphs
from mds_tui.palettes import SURFACES

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
        "×": "x",
        "—": "-",
        "‘": "'",
        "≥": ">",
        "≤": "<",
        "⏎": "^",
    }
)


class Paint(NamedTuple):
    """A theme's styles, and the signs to use."""

    styles: Mapping[tuple[str, Ink], Style]
    """By ground and ink."""
    glyphs: Glyphs = UNICODE
    plain: bool = False
    """Nothing but ASCII where the console itself chooses the character."""
    marked: frozenset[Ink] = frozenset()
    """Inks that are seen on blanks too, as an underlined one: the padding around a word is not theirs."""

    def strip(self, content: Cell, width: int, *, ground: str, faded: bool = False) -> Strip:
        """A line of exactly `width` columns on a surface; `faded` draws it all in one quiet ink."""
        segments: list[Segment] = []
        text, ink, action = "", Ink.TEXT, ""
        fitted = fit(content, width, more=self.glyphs.more)
        for span in _bared(fitted, self.marked) if self.marked else fitted:
            blank = span.text.isspace() and ink not in self.marked
            same = span.action == action and (span.ink is ink or blank)
            if not same:
                if text:
                    segments.append(self._segment(text, ground, ink, action, faded=faded))
                text, ink, action = "", span.ink, span.action
            text += span.text
        if text:
            segments.append(self._segment(text, ground, ink, action, faded=faded))
        return Strip(segments, width)

    def words(self, text: str) -> str:
        """Text as it may stand on the screen; letters of other scripts stay, they are names."""
        if not self.plain or text.isascii():
            return text
        known = text.translate(_PLAIN_CHARACTERS)
        return "".join(sign if sign.isascii() or category(sign)[0] in "LMN" else "?" for sign in known)

    def _segment(self, text: str, ground: str, ink: Ink, action: str, *, faded: bool) -> Segment:
        quiet = Ink.FAINT if ink is Ink.FAINT else Ink.DIM
        style = self.styles[ground, quiet if faded else ink]
        if action:
            style += Style.from_meta({"@click": action})
        return Segment(self.words(text), style)


def _bared(content: Cell, marked: frozenset[Ink]) -> Iterator[Span]:
    """The same spans, those in marked inks without the blanks at their ends."""
    for span in content:
        word = span.text.strip(" ")
        if span.ink not in marked or len(word) == len(span.text) or not word:
            yield span
            continue
        before, after = span.text.split(word, 1)
        yield from (Span(before), span._replace(text=word), Span(after))


NO_PAINT = Paint({(surface, ink): Style.null() for surface in SURFACES for ink in Ink})
"""Before a theme is known."""
