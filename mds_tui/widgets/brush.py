"""Lines of a pane straight to the terminal, where nothing lies over them.

Textual makes a frame from every widget that a change touches, each with all of
its lines: that is right for whatever lies over anything else, and costs most of
a frame where two dozen lines change ten times a second. A line that only its
pane paints goes out as it is here, and only the part of it that is different.
What Textual keeps of such a line is marked as old, so that whatever it paints
later (a dialog closes, a toast goes) is made from the present.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.segment import Segment
from textual._compositor import CompositorUpdate
from textual.content import Content
from textual.filter import LineFilter
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from mds_tui.format.cells import Cell, Ink, Span, width_of
from mds_tui.widgets.drawn import Drawn
from mds_tui.widgets.paint import NO_PAINT, Paint

_MARK = "x"
"""No colour's code has it in it."""


class _Place(NamedTuple):
    """Where a pane stands on the screen, with its border."""

    pane: Region
    content: Region
    covered: frozenset[int]
    """Lines of the screen where something lies over it."""


class _Pens:
    """The terminal's codes before and after a text, by surface and ink."""

    def __init__(self) -> None:
        self._basis: tuple[Paint, tuple[LineFilter, ...], str | None] = (NO_PAINT, (), None)
        self._codes: dict[tuple[str, Ink, bool], tuple[str, str]] = {}

    def prepare(self, paint: Paint, pane: Widget, console: Console) -> None:
        """Forget all where the theme or the terminal's colours are others."""
        basis = (paint, tuple(pane.get_line_filters()), console.color_system)
        if basis != self._basis:
            self._basis = basis
            self._codes.clear()

    def text(self, run: Span, line: Drawn, pane: Widget, console: Console) -> str:
        """A run as the terminal takes it."""
        key = (line.ground, run.ink, line.faded)
        if (codes := self._codes.get(key)) is None:
            paint, filters, _ = self._basis
            strip = Strip([Segment(_MARK, paint.style(run.ink, line.ground, faded=line.faded))], 1)
            for each in filters:
                strip = strip.apply_filter(each, pane.background_colors[1])
            before, _, after = strip.render(console).partition(_MARK)
            codes = self._codes[key] = (before, after)
        return f"{codes[0]}{run.text}{codes[1]}"


class _Written(CompositorUpdate):
    """What Textual is given to write, between its marks for one undivided update."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._text = "".join(parts)

    def render_segments(self, console: Console) -> str:  # noqa: ARG002 - Textual's signature
        """As it is."""
        return self._text


class Brush:
    """Paints for the panes of one screen."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._pens = _Pens()
        self._parts: list[str] = []
        self._gathering = False
        self._layout: Mapping[Widget, tuple[Region, Region]] | None = None
        self._places: dict[Widget, _Place | None] = {}

    def __enter__(self) -> None:
        """All that is painted inside goes to the terminal at once."""
        self._gathering = True

    def __exit__(self, *_: object) -> None:
        """Send it."""
        self._gathering = False
        self._send()

    def paint(
        self, pane: Widget, paint: Paint, before: Mapping[int, Drawn], lines: Mapping[int, Drawn]
    ) -> Sequence[int]:
        """Paint the lines; `before` is what stands there now. Returns those that are Textual's to paint."""
        place = self._place(pane)
        if place is None:
            return list(lines)
        console, content = self._screen.app.console, place.content
        self._pens.prepare(paint, pane, console)
        left = [y for y in lines if content.y + y in place.covered]
        mine = [y for y in lines if y not in left] if left else list(lines)
        for y in mine:
            line = lines[y]
            x, spans = _difference(before.get(y), line)
            self._parts.append(_go_to(content.x + x, content.y + y))
            self._parts += [self._pens.text(run, line, pane, console) for run in paint.runs(spans)]
        above = content.y - place.pane.y
        if mine:
            pane._styles_cache.set_dirty(*[Region(0, above + y, 1, 1) for y in mine])  # noqa: SLF001 - as below
        self._send_unless_gathering()
        return left

    def note(self, pane: Widget, words: Content) -> bool:
        """Write in the lower border of a pane. False where that is Textual's to do."""
        place = self._place(pane)
        if place is None or (last := place.pane.bottom - 1) in place.covered:
            return False
        pane._border_subtitle = words  # noqa: SLF001 - its public name asks for the whole pane to be painted
        line = Region(0, place.pane.height - 1, place.pane.width, 1)
        pane._styles_cache.set_dirty(line)  # noqa: SLF001 - what a refresh does, but for the asking to paint
        (strip,) = pane.render_lines(line)
        self._parts += (_go_to(place.pane.x, last), strip.render(self._screen.app.console))
        self._send_unless_gathering()
        return True

    def _send_unless_gathering(self) -> None:
        if not self._gathering:
            self._send()

    def _send(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            self._screen.app._display(self._screen, _Written(parts))  # type: ignore[arg-type]  # noqa: SLF001

    def _place(self, pane: Widget) -> _Place | None:
        """None while Textual has to do it all: another screen is on top, or the layout is about to change."""
        screen = self._screen
        app = screen.app
        if app.screen is not screen or app.is_inline or app._batch_count or screen._layout_required:  # noqa: SLF001
            return None
        layout = screen._compositor.visible_widgets  # noqa: SLF001 - no public name says what lies over what
        if layout is not self._layout:
            self._layout = layout
            self._places.clear()
        if pane not in self._places:
            self._places[pane] = _place_of(pane, layout)
        place = self._places[pane]
        return place if place is not None and place.content.size == pane.size else None


def _place_of(pane: Widget, layout: Mapping[Widget, tuple[Region, Region]]) -> _Place | None:
    """Where the layout, from front to back, has a pane; None where it is cut off or not in sight."""
    if pane not in layout:
        return None
    whole, clip = layout[pane]
    if not clip.contains_region(whole):
        return None
    covered: set[int] = set()
    for widget, (region, its_clip) in layout.items():
        if widget is pane:
            break
        over = region.intersection(its_clip).intersection(whole)
        covered.update(over.line_range if over.area else ())
    return _Place(whole, whole.shrink(pane.gutter), frozenset(covered))


def _go_to(x: int, y: int) -> str:
    """The terminal's code; it counts from one."""
    return f"\x1b[{y + 1};{x + 1}H"


def _difference(before: Drawn | None, line: Drawn) -> tuple[int, Cell]:
    """From which column on a line is different, and what stands there."""
    content = line.content
    if before is None or (before.ground, before.faded) != (line.ground, line.faded):
        return 0, content
    old, most = before.content, min(len(before.content), len(content))
    first = last = 0
    while first < most and old[first] == content[first]:
        first += 1
    while last < most - first and old[-1 - last] == content[-1 - last]:
        last += 1
    return width_of(content[:first]), content[first : len(content) - last]
