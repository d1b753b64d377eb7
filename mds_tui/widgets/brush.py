"""Lines of a pane straight to the terminal, where nothing lies over them.

Textual makes a frame from every widget that a change touches, each with all of
its lines: that is right for whatever lies over anything else, and costs most of
a frame where two dozen lines change ten times a second. A line that only its
pane paints goes out as it is here, and only the part of it that is different.
What Textual keeps of such a line is marked as old, so that whatever it paints
later (a dialog closes, a toast goes) is made from the present.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.segment import Segment
from textual._compositor import CompositorUpdate
from textual.filter import LineFilter
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from mds_tui.format.cells import Cell, Ink, Span, fit, width_of
from mds_tui.widgets.drawn import Drawn, regions_of
from mds_tui.widgets.paint import NO_PAINT, Paint

_MARK = "x"
"""No colour's code has it in it."""


class _Place(NamedTuple):
    """Where a pane's content stands on the screen."""

    x: int
    y: int
    width: int
    height: int
    covered: frozenset[int]
    """Lines of the content that something lies over."""


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

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is painted inside goes to the terminal at once."""
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            self._send()

    def paint(
        self, pane: Widget, paint: Paint, before: Mapping[int, Drawn], lines: Mapping[int, Drawn]
    ) -> Sequence[int]:
        """Paint the lines; `before` is what stands there now. Returns those that are Textual's to paint."""
        place = self._place(pane)
        if place is None:
            return list(lines)
        console = self._screen.app.console
        self._pens.prepare(paint, pane, console)
        left = [y for y in lines if y in place.covered or y >= place.height]
        mine = [y for y in lines if y not in left]
        for y in mine:
            line = lines[y]
            x, content = _difference(before.get(y), line, place.width, paint.glyphs.more)
            self._parts.append(f"\x1b[{place.y + y + 1};{place.x + x + 1}H")
            self._parts += [self._pens.text(run, line, pane, console) for run in paint.runs(content)]
        offset = pane.content_offset
        old = [region.translate(offset) for region in regions_of(mine, place.width)]
        pane._styles_cache.set_dirty(*old)  # noqa: SLF001 - what a refresh does, but for the asking to paint
        if not self._gathering:
            self._send()
        return left

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
        return place if place is not None and (place.width, place.height) == pane.size else None


def _place_of(pane: Widget, layout: Mapping[Widget, tuple[Region, Region]]) -> _Place | None:
    """Where the layout, from front to back, has a pane; None where it is cut off or not in sight."""
    if pane not in layout:
        return None
    whole, clip = layout[pane]
    if not clip.contains_region(whole):
        return None
    content = whole.shrink(pane.gutter)
    covered: set[int] = set()
    for widget, (region, its_clip) in layout.items():
        if widget is pane:
            break
        over = region.intersection(its_clip).intersection(content)
        covered.update(range(over.y - content.y, over.bottom - content.y) if over.area else ())
    return _Place(content.x, content.y, content.width, content.height, frozenset(covered))


def _difference(before: Drawn | None, line: Drawn, width: int, more: str) -> tuple[int, Cell]:
    """From which column on a line is different, and what stands there."""
    content = fit(line.content, width, more=more)
    if before is None or (before.ground, before.faded) != (line.ground, line.faded):
        return 0, content
    old = fit(before.content, width, more=more)
    first, most = 0, min(len(old), len(content))
    while first < most and old[first] == content[first]:
        first += 1
    last = 0
    while last < most - first and old[-1 - last] == content[-1 - last]:
        last += 1
    return width_of(content[:first]), content[first : len(content) - last]
