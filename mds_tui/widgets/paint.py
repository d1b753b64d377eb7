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
        fitted = fit(content, width, more=self.glyphs.more)
        return Strip([self._segment(run, ground, faded=faded) for run in self.runs(fitted)], width)

    def runs(self, content: Cell) -> Iterator[Span]:
        """The same text in as few pieces as it has inks; blanks belong to the piece before them."""
        text, ink, action = "", Ink.TEXT, ""
        for span in _bared(content, self.marked) if self.marked else content:
            blank = span.text.isspace() and ink not in self.marked
            same = span.action == action and (span.ink is ink or blank)
            if not same:
                if text:
                    yield Span(self.words(text), ink, action)
                text, ink, action = "", span.ink, span.action
            text += span.text
        if text:
            yield Span(self.words(text), ink, action)

    def style(self, ink: Ink, ground: str, *, faded: bool) -> Style:
        """How an ink looks on a surface."""
        quiet = Ink.FAINT if ink is Ink.FAINT else Ink.DIM
        return self.styles[ground, quiet if faded else ink]

    def words(self, text: str) -> str:
        """Text as it may stand on the screen; letters of other scripts stay, they are names."""
        if not self.plain or text.isascii():
            return text
        known = text.translate(_PLAIN_CHARACTERS)
        return "".join(sign if sign.isascii() or category(sign)[0] in "LMN" else "?" for sign in known)

    def _segment(self, run: Span, ground: str, *, faded: bool) -> Segment:
        style = self.style(run.ink, ground, faded=faded)
        if run.action:
            style += Style.from_meta({"@click": run.action})
        return Segment(run.text, style)


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
