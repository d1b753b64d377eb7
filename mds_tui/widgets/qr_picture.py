"""A QR code drawn: two modules a cell by half blocks, or two blanks a module where only ASCII may be used."""

from collections.abc import Iterable
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from mds_tui.qr_code import Matrix, size_of

_DARK, _LIGHT = "#000000", "#ffffff"
_UPPER_HALF = "▀"


class QrPicture(Widget, can_focus=False):
    """Shows nothing until it is given a code."""

    DEFAULT_CSS = """
    QrPicture { width: 0; height: 0; display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._matrix: Matrix = ()
        self._plain = False

    def show(self, matrix: Matrix | None, *, plain: bool) -> None:
        """Draw it; None hides it."""
        self._matrix, self._plain = matrix or (), plain
        self.display = bool(matrix)
        if matrix:
            self.styles.width, self.styles.height = size_of(matrix, plain=plain)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of cells."""
        if self._plain:
            return _strip(("  ", module, module) for module in _row(self._matrix, y))
        above, below = _row(self._matrix, 2 * y), _row(self._matrix, 2 * y + 1)
        pairs = zip(above, below or (False,) * len(above), strict=True)
        return _strip((" " if upper == lower else _UPPER_HALF, upper, lower) for upper, lower in pairs)


def _row(matrix: Matrix, number: int) -> tuple[bool, ...]:
    return matrix[number] if number < len(matrix) else ()


def _strip(cells: Iterable[tuple[str, bool, bool]]) -> Strip:
    runs = groupby(cells, key=lambda drawn: drawn[1:])
    return Strip(
        [Segment("".join(text for text, *_ in run), _style(upper, lower)) for (upper, lower), run in runs]
    )


def _style(upper: bool, lower: bool) -> Style:
    return Style(color=_DARK if upper else _LIGHT, bgcolor=_DARK if lower else _LIGHT)
