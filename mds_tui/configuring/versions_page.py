"""The last versions of the configuration: what each changed, and the way back."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from mds_engine.config.versions import Version
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from mds_tui.configuring.drawing import diff_lines
from mds_tui.format.cells import EMPTY, Cell, Ink, Span
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint


class VersionsPage(ModalScreen[Version | None]):
    """Answers with the version that is wanted back, None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "older", show=False, id="versions.down"),
        Binding("up,k", "move(-1)", "newer", show=False, id="versions.up"),
        Binding("enter", "take", "take into the draft", id="versions.take"),
        Binding("escape,q", "leave", "back", id="versions.leave"),
        Binding("question_mark,f1", "app.explain", "help", id="versions.help"),
    ]
    DEFAULT_CSS = """
    VersionsPage { align: center middle; background: $mds-background 60%; }
    VersionsPage > Lines {
        width: 92%; max-width: 120; height: 88%;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 0 1;
    }
    VersionsPage.-ascii > Lines { border: ascii $mds-accent; scrollbar-size: 0 0; }
    """

    def __init__(
        self,
        versions: Sequence[Version],
        diff_to: Callable[[Version], Sequence[str]],
        present: str,
        zone: tzinfo | None,
        paint: Paint,
    ) -> None:
        """`diff_to` says what taking a version would change in the draft, without secrets; `present` is the
        digest of what the file says."""
        super().__init__()
        self._versions = versions
        self._diff_to = diff_to
        self._present = present
        self._zone = zone
        self._paint = paint
        self._cursor = 0

    def compose(self) -> ComposeResult:
        """A list, and below it what the one under the cursor would change."""
        yield Lines(id="versions")

    def on_mount(self) -> None:
        """Draw."""
        self.set_class(self._paint.plain, "-ascii")
        lines = self.query_one("#versions", Lines)
        lines.border_title = "versions of the configuration"
        lines.can_focus = False
        self.use(self._paint)

    def use(self, paint: Paint) -> None:
        """Take a theme."""
        self._paint = paint
        self.query_one("#versions", Lines).use(paint)
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self._draw)

    def action_move(self, by: int) -> None:
        """An older or a newer one."""
        self._cursor = max(0, min(len(self._versions) - 1, self._cursor + by))
        self._draw()

    def action_take(self) -> None:
        """This one."""
        self.dismiss(self._versions[self._cursor])

    def action_leave(self) -> None:
        """None of them."""
        self.dismiss(None)

    def _draw(self) -> None:
        lines = self.query_one("#versions", Lines)
        rows = [
            self._row(version, here=place == self._cursor) for place, version in enumerate(self._versions)
        ]
        diff = self._diff_to(self._versions[self._cursor])
        below = diff_lines(diff) if diff else ((Span("It says what the draft says.", Ink.DIM),),)
        lines.show((*rows, EMPTY, *below))
        lines.border_subtitle = self._paint.words(keys_words(self, lines.size.width, plain=self._paint.plain))

    def _row(self, version: Version, *, here: bool) -> Cell:
        who = version.by or "found on disk"
        ink = Ink.STRONG if here else Ink.TEXT
        now = "  in the file" if version.digest == self._present else ""
        return (
            Span((self._paint.glyphs.cursor if here else " ").ljust(2), Ink.ACCENT),
            Span(f"{datetime.fromtimestamp(version.at, UTC).astimezone(self._zone):%d %b %H:%M}", ink),
            Span(f"  {who}", Ink.TEXT),
            Span(now, Ink.DIM),
        )
