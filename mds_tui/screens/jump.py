"""Jumping: a label on every pane and every row in sight; pressing one is being there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.geometry import NULL_SPACING, Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from mds_tui.desk_layout import PANES
from mds_tui.finding.labels import labels
from mds_tui.format.cells import Cell, Ink, Span
from mds_tui.screens.main import MainScreen
from mds_tui.widgets.bar import Bar
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


class Target(NamedTuple):
    """Where a label leads."""

    pane: str
    key: str
    """Of the row; empty for the pane itself."""
    place: Offset
    """On the screen."""


def targets(desk: MainScreen) -> Mapping[str, Target]:
    """By label: panes by their numbers, then rows, those of the focused pane with the shortest labels."""
    shown = [pane for pane in desk.panes if pane.display and pane.size.height]
    shown.sort(key=lambda pane: pane is not desk.focused_pane)
    found = {str(pane.number): Target(pane.id or "", "", pane.region.offset + Offset(3, 0)) for pane in shown}
    rows = [
        Target(pane.id or "", key, pane.content_region.offset + Offset(0, line))
        for pane in shown
        for key, line in pane.places_in_sight()
    ]
    return found | dict(zip(labels(len(rows)), rows, strict=False))


class _LabelLayout(Layout):
    """Labels where they lead; what can be pressed on the last line."""

    name = "labels"

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: ARG002 - Textual's signature
    ) -> ArrangeResult:
        """A placement for each child."""
        assert isinstance(parent, JumpScreen)
        places = parent.regions(size)
        return [
            WidgetPlacement(places[child.id], Offset(0, 0), NULL_SPACING, child, order)
            for order, child in enumerate(children)
            if child.id in places
        ]


class JumpScreen(ModalScreen[Target | None]):
    """Ends with where to go; the desk below holds still meanwhile."""

    DEFAULT_CSS = """
    JumpScreen { background: $mds-background 0%; }
    JumpScreen > .label { background: $mds-accent; color: $mds-background; text-style: bold; }
    """

    def __init__(self, leads: Mapping[str, Target], paint: Paint) -> None:
        super().__init__()
        self._leads = leads
        self._paint = paint
        self._typed = ""
        self._first_size: Size | None = None
        self._label_layout = _LabelLayout()

    @property
    def layout(self) -> Layout:
        """Our own: a style takes only layouts that Textual knows by name."""
        return self._label_layout

    def regions(self, size: Size) -> Mapping[str | None, Region]:
        """Where each child stands, by its id."""
        found: dict[str | None, Region] = {
            f"label-{label}": Region(*target.place, len(label), 1)
            for label, target in self._leads.items()
            if label.startswith(self._typed)
        }
        found["jump-keys"] = Region(0, size.height - 1, size.width, 1)
        return found

    def compose(self) -> ComposeResult:
        """A label at each place, and what can be pressed."""
        for label in self._leads:
            yield Static(label, classes="label", id=f"label-{label}", markup=False)
        yield Bar(id="jump-keys")

    def on_mount(self) -> None:
        """Say what can be pressed."""
        self.use(self._paint)

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self._paint = paint
        bar = self.query_one("#jump-keys", Bar)
        bar.use(paint)
        bar.show(_hint(self._typed))

    def on_resize(self, event: events.Resize) -> None:
        """On a screen of another size the labels would stand elsewhere."""
        if self._first_size not in (None, event.size):
            self.dismiss(None)
        self._first_size = event.size

    def on_key(self, event: events.Key) -> None:
        """A letter of a label; anything else means nothing here but the way out."""
        event.stop()
        event.prevent_default()
        match event.key:
            case "escape":
                self.dismiss(None)
            case "backspace":
                self._narrow("")
            case _:
                self._narrow(self._typed + (event.character or ""))

    def on_click(self) -> None:
        """The mouse needs no labels."""
        self.dismiss(None)

    def _narrow(self, typed: str) -> None:
        """Go where the letters lead; while they could lead to several places, leave those."""
        if typed in self._leads:
            self.dismiss(self._leads[typed])
            return
        if typed and not any(label.startswith(typed) for label in self._leads):
            return
        self._typed = typed
        for label in self._leads:
            self.query_one(f"#label-{label}", Static).display = label.startswith(typed)
        self.query_one("#jump-keys", Bar).show(_hint(typed))


def _hint(typed: str) -> Cell:
    asked: Sequence[Span] = (
        (
            Span(f" {typed}", Ink.ACCENT),
            Span(" and the second letter", Ink.DIM),
            Span("  backspace", Ink.ACCENT),
        )
        if typed
        else (Span(" press a label to go there", Ink.DIM),)
    )
    return (
        *asked,
        *((Span(" all again", Ink.DIM),) if typed else ()),
        Span("  esc", Ink.ACCENT),
        Span(" stay", Ink.DIM),
    )


def open_jump(console: "ConsoleApp", words: str) -> None:  # noqa: ARG001 - a tool takes words
    """Put the labels on the desk."""
    desk = console.desk
    leads = targets(desk)
    desk.held = True

    def chosen(target: Target | None) -> None:
        desk.held = False
        if target is not None:
            go_to(console, target.pane, target.key)

    console.push_screen(JumpScreen(leads, console.paint), chosen)


def go_to(console: "ConsoleApp", pane: str, key: str) -> None:
    """Focus a pane and, where there is a key, put its cursor on that row."""
    console.desk.action_pane(PANES.index(pane) + 1)
    if key:
        # A pane that was out of sight has its rows only after the layout.
        console.desk.call_after_refresh(console.desk.pane_named(pane).go_to, key)
