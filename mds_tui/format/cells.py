"""Text with ink: what every line of the screen is made of. No widget, no colour: inks are named roles."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size


class Ink(StrEnum):
    """What a piece of text means; a theme says which colour that is."""

    TEXT = "text"
    STRONG = "strong"
    """The one value of a line that matters most."""
    DIM = "dim"
    FAINT = "faint"
    """Hardly there: separators, empty bars, zeroes."""
    ACCENT = "accent"
    GOOD = "good"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"
    FORCED = "forced"
    """An operator's hand is on it."""


class Span(NamedTuple):
    """A run of text in one ink. `action` is run on a click."""

    text: str
    ink: Ink = Ink.TEXT
    action: str = ""


Cell = tuple[Span, ...]


def cell(text: str, ink: Ink = Ink.TEXT) -> Cell:
    """One span as a cell."""
    return (Span(text, ink),)


EMPTY: Cell = ()


def width_of(content: Cell) -> int:
    """Terminal columns that a cell takes."""
    return sum([columns_of(span.text) for span in content])


def columns_of(text: str) -> int:
    """Terminal columns of a text."""
    # Nearly all that is shown is of this sort, and looked at for every cell of every frame.
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def text_of(content: Cell) -> str:
    """A cell without its inks."""
    return "".join(span.text for span in content)


def fit(content: Cell, width: int, *, right: bool = False, more: str = "…") -> Cell:
    """Cut or pad a cell to exactly `width` columns; what is cut ends in `more`."""
    if width <= 0:
        return EMPTY
    length = width_of(content)
    if length > width:
        return _cut(content, width, more)
    if length == width:
        return content
    padding = Span(" " * (width - length))
    return (padding, *content) if right else (*content, padding)


def join(parts: Iterable[Cell], between: Cell) -> Cell:
    """Cells side by side with `between` in the gaps; empty ones are left out."""
    joined: list[Span] = []
    for part in parts:
        if not part:
            continue
        if joined:
            joined.extend(between)
        joined.extend(part)
    return tuple(joined)


def wrap(content: Cell, width: int, *, indent: int = 0) -> tuple[Cell, ...]:
    """Break a cell into lines at spaces; lines after the first are indented."""
    words = [Span(word, span.ink) for span in content for word in _words(span.text)]
    lines: list[list[Span]] = [[]]
    used = 0
    for word in words:
        length = cell_len(word.text)
        blank = word.text == " "
        begun = used > (indent if len(lines) > 1 else 0)
        if used + length > width and begun:
            lines.append([Span(" " * indent)] if indent else [])
            used, begun = indent, False
        if blank and not begun and len(lines) > 1:
            continue
        lines[-1].append(word)
        used += length
    return tuple(tuple(line) for line in lines)


def _words(text: str) -> Iterable[str]:
    for index, word in enumerate(text.split(" ")):
        if index:
            yield " "
        if word:
            yield word


def _cut(content: Cell, width: int, more: str) -> Cell:
    room = width - cell_len(more)
    if room < 0:
        return (Span(set_cell_size(more, width)),)
    kept: list[Span] = []
    ink = content[0].ink
    for span in content:
        length = cell_len(span.text)
        ink = span.ink
        if length >= room:
            kept.append(span._replace(text=set_cell_size(span.text, room)))
            break
        kept.append(span)
        room -= length
    return (*kept, Span(more, ink))
