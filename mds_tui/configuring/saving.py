"""The dialog before a configuration is saved: what changes in the file, and on the engine."""

from collections.abc import Callable, Iterable, Sequence

from textual.widget import Widget

from mds_tui.configuring.drawing import diff_lines
from mds_tui.format.sight import Sight
from mds_tui.screens.dialog import Dialog
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint


class SaveDialog(Dialog[str]):
    """Answers with the reason that was given, which may be empty; None leaves all as it is."""

    DEFAULT_CSS = """
    SaveDialog > Vertical { width: 110; }
    SaveDialog Lines#diff { height: auto; max-height: 60vh; margin: 0; }
    """

    def __init__(
        self,
        title: str,
        verb: str,
        diff: Sequence[str],
        says: Sequence[str],
        view: Callable[[], Sight],
        paint: Paint,
    ) -> None:
        """`diff` has no secrets in it; `says` is what the engine will do."""
        super().__init__(title, view, paint)
        self.verb = verb
        self._diff = diff
        self._says = says

    def body(self) -> Iterable[Widget]:
        """The diff, which scrolls."""
        yield Lines(id="diff")

    def on_mount(self) -> None:
        """Draw the diff; the rest as in every dialog, which Textual calls as well."""
        lines = self.query_one("#diff", Lines)
        lines.use(self.paint)
        shown = diff_lines(self._diff)
        lines.styles.height = min(len(shown), max(3, self.app.size.height - 16))
        lines.show(shown)

    def sentences(self) -> Sequence[str]:
        """What it comes to."""
        return self._says

    def answer(self) -> str:
        """The reason."""
        return self.reason
