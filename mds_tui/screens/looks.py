"""Choosing a theme: each is tried on as the cursor passes it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from mds_tui.contrast import weakest
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, join
from mds_tui.format.glyphs import state_glyph, state_ink
from mds_tui.palettes import Palette
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint

_NAME = 15


class ThemeChooser(ModalScreen[str | None]):
    """Ends with the name of a theme, or with None where it shall be as it was.

    It stands at the side and dims nothing, so that the desk is seen in the theme
    under the cursor; `try_on` is called with its name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j,tab,t", "move(1)", "next", show=False, id="themes.next"),
        Binding("up,k,shift+tab", "move(-1)", "previous", show=False, id="themes.previous"),
        Binding("g,home", "jump(0)", "first", show=False, id="themes.first"),
        Binding("G,end", "jump(-1)", "last", show=False, id="themes.last"),
        Binding("enter", "keep", "keep it", id="themes.keep"),
        Binding("escape,q", "leave", "as it was", id="themes.leave"),
        Binding("question_mark,f1", "app.explain", "help", id="themes.help"),
    ]
    DEFAULT_CSS = """
    ThemeChooser { align: right middle; background: $mds-background 0%; }
    ThemeChooser > Lines {
        width: 46; max-width: 90%; height: auto; max-height: 90%; margin: 0 1 0 0;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 0 1; scrollbar-size: 0 0;
    }
    ThemeChooser.-ascii > Lines { border: ascii $mds-accent; }
    """

    def __init__(
        self, palettes: Sequence[Palette], chosen: str, paint: Paint, try_on: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._palettes = palettes
        self._place = next((place for place, one in enumerate(palettes) if one.name == chosen), 0)
        self._paint = paint
        self._try_on = try_on

    def compose(self) -> ComposeResult:
        """One list of lines."""
        lines = Lines(id="themes")
        lines.border_title = "theme"
        yield lines

    def on_mount(self) -> None:
        """Draw it in the theme that is there."""
        lines = self.query_one("#themes", Lines)
        lines.can_focus = False
        self.set_class(self._paint.plain, "-ascii")
        self.use(self._paint)

    def use(self, paint: Paint) -> None:
        """Take the theme that is tried on."""
        self._paint = paint
        lines = self.query_one("#themes", Lines)
        content = self._lines()
        lines.styles.height = len(content) + lines.styles.gutter.height
        lines.use(paint)
        lines.show(content)
        lines.border_subtitle = paint.words(keys_words(self, lines.size.width, plain=paint.plain))
        self.call_after_refresh(self._show_cursor)

    def action_move(self, by: int) -> None:
        """The theme below or above; round at the ends."""
        self.action_jump((self._place + by) % len(self._palettes))

    def action_jump(self, place: int) -> None:
        """The theme at a place."""
        self._place = place % len(self._palettes)
        self.query_one("#themes", Lines).show(self._lines())
        self._show_cursor()
        self._try_on(self._palettes[self._place].name)

    def action_keep(self) -> None:
        """This one."""
        self.dismiss(self._palettes[self._place].name)

    def action_leave(self) -> None:
        """None of them."""
        self.dismiss(None)

    def _show_cursor(self) -> None:
        lines = self.query_one("#themes", Lines)
        top, height = int(lines.scroll_offset.y), lines.scrollable_content_region.height
        if not top <= self._place < top + height:
            lines.scroll_to(y=max(0, self._place - height + 1), animate=False, immediate=True)

    def _lines(self) -> tuple[Cell, ...]:
        glyphs = self._paint.glyphs
        rows: list[Cell] = [
            (
                Span((glyphs.cursor if place == self._place else " ").ljust(2), Ink.ACCENT),
                Span(
                    palette.name.ljust(_NAME),
                    Ink.STRONG if place == self._place else Ink.TEXT,
                    f"screen.jump({place})",
                ),
                Span(f" {palette.title}", Ink.DIM, f"screen.jump({place})"),
            )
            for place, palette in enumerate(self._palettes)
        ]
        return (*rows, EMPTY, self._states(), _readable(self._palettes[self._place]))

    def _states(self) -> Cell:
        """The colours that mean something, in a line."""
        from mds_engine.control.snapshot import SourceState

        shown = (SourceState.ACTIVE, SourceState.READY, SourceState.TRYING, SourceState.OUT)
        states: list[Cell] = [
            (Span(f"{state_glyph(state, self._paint.glyphs)} {state.value}", state_ink(state)),)
            for state in shown
        ]
        return join((*states, (Span(f"{self._paint.glyphs.forced} forced", Ink.FORCED),)), (Span(" "),))


def _readable(palette: Palette) -> Cell:
    """How well it can be read at its worst."""
    weak = weakest(palette)
    if weak.ratio >= weak.needed:
        return (Span("every ink is readable", Ink.DIM),)
    return (Span(f"hard to read: {weak.ink.value} on {weak.surface} {weak.ratio:.1f}:1", Ink.WARN),)
