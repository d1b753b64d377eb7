"""What stands above the `:` line: how the command goes, what may come next, and what is wrong."""

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from mds_tui.finding.completion import Assistance
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, fit, width_of
from mds_tui.format.glyphs import Glyphs
from mds_tui.widgets.paint import NO_PAINT, Paint

_INDENT = 2
_WIDEST = 28
"""Columns of what may come next, before what it means."""


def hint_lines(
    found: Assistance, chosen: int | None, most: int, width: int, glyphs: Glyphs
) -> tuple[Cell, ...]:
    """At most `most` candidates, the chosen one in sight, between the command and what is wrong."""
    lines: list[Cell] = []
    if found.usage:
        room = width - width_of(found.usage) - _INDENT - 3
        about = (Span("   "), Span(found.about, Ink.DIM)) if room >= len(found.about) else EMPTY
        lines.append((Span(" "), *found.usage, *about))
    candidates = found.candidates
    first = max(0, min((chosen or 0) - most // 2, len(candidates) - most))
    shown = candidates[first : first + most]
    column = min(_WIDEST, max((len(one.text) for one in shown), default=0))
    for place, one in enumerate(shown, first):
        picked = place == chosen
        mark = Span(glyphs.cursor.ljust(_INDENT) if picked else " " * _INDENT, Ink.ACCENT)
        text = Span(one.text, Ink.STRONG if picked else Ink.TEXT)
        name: Cell = (text,) if len(one.text) > column else fit((text,), column, more=glyphs.more)
        lines.append((mark, *name, Span("  "), Span(one.about, Ink.DIM)))
    if (hidden := len(candidates) - len(shown)) > 0:
        lines.append((Span(" " * _INDENT), Span(f"{glyphs.more} {hidden} more", Ink.FAINT)))
    if found.problem:
        lines.append((Span(" " * _INDENT), Span(found.problem, Ink.WARN)))
    return tuple(lines)


class Hints(Widget):
    """Lies over the lowest lines of the desk while a command is typed; takes no key."""

    DEFAULT_CSS = """
    Hints { layer: hints; dock: bottom; height: auto; width: 1fr; margin: 0 0 1 0; background: $mds-panel; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.paint = NO_PAINT
        self._lines: Sequence[Cell] = ()

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self.paint = paint
        self.refresh()

    def show(self, found: Assistance | None, chosen: int | None, *, width: int, height: int) -> None:
        """Draw it, for a screen of that size; hide where there is nothing to say."""
        most = max(3, min(8, height // 4))
        self._lines = hint_lines(found, chosen, most, width, self.paint.glyphs) if found is not None else ()
        self.display = bool(self._lines)
        self.styles.height = max(1, len(self._lines))
        self.refresh()

    @property
    def lines(self) -> Sequence[Cell]:
        """What stands there."""
        return self._lines

    def render_line(self, y: int) -> Strip:
        """One line."""
        content = self._lines[y] if y < len(self._lines) else EMPTY
        return self.paint.strip(content, self.size.width, ground="panel")
