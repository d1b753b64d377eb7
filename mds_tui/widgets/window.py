"""Which rows of a grid are in sight, and where the lines below them begin: pure."""

from typing import NamedTuple

from mds_tui.format.glyphs import Glyphs

_LEAST_ROWS = 3
"""So many rows, or all, go before the explanation below them."""


class Window(NamedTuple):
    """What a pane of a height can hold; lines count from the top of the pane."""

    top: int
    """Lines above the rows."""
    first: int
    """Index of the topmost row in sight."""
    visible: int
    """Rows that fit."""
    tail_top: int
    """The line where the explanation begins; the height where there is no room for it."""


NO_WINDOW = Window(0, 0, 1, 0)


def window_of(height: int, *, heading: bool, rows: int, tail: int, cursor: int, first: int) -> Window:
    """Keep `first` where the cursor allows it."""
    # Not Textual's scrolling: a longer list would cost a layout of the whole screen.
    top = 1 if heading else 0
    room = height - top
    explained = tail > 0 and room - tail - 1 >= min(rows, _LEAST_ROWS)
    visible = max(1, room - tail - 1 if explained else room)
    if cursor < first:
        first = cursor
    elif cursor >= first + visible:
        first = cursor - visible + 1
    first = max(0, min(first, rows - visible))
    tail_top = top + min(rows, visible) + 1 if room - visible >= tail else height
    return Window(top, first, visible, tail_top)


def hidden_words(window: Window, rows: int, glyphs: Glyphs) -> str:
    """`▲ 1 ▼ 2 more`: rows out of sight above and below."""
    above, below = window.first, rows - window.first - window.visible
    parts = [f"{glyphs.above} {above}"] if above > 0 else []
    parts += [f"{glyphs.below} {below}"] if below > 0 else []
    return f"{' '.join(parts)} more" if parts else ""
