"""What every dialog has: a title, a body, what will happen in sentences, a reason, and Cancel in focus."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

from mds_engine.control.consequences.words import Against
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input

from mds_tui.format.cells import Cell, Ink, Span, wrap
from mds_tui.format.sight import Sight
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint

Answer = TypeVar("Answer")

_MOST_SENTENCES = 14
_REFRESH_S = 1.0


class Dialog(ModalScreen[Answer | None]):
    """Subclasses say what to ask (`body`), what will happen (`sentences`), and what the answer is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="dialog.cancel"),
        Binding("down", "app.focus_next", "next field", show=False, id="dialog.next-field"),
        Binding("up", "app.focus_previous", "previous field", show=False, id="dialog.previous-field"),
        Binding("pagedown", "read(1)", "read on", show=False, id="dialog.read-on"),
        Binding("pageup", "read(-1)", "read back", show=False, id="dialog.read-back"),
        Binding("question_mark,f1", "app.explain", "help", id="dialog.help"),
    ]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $mds-background 60%; }
    Dialog > Vertical {
        width: 72; max-width: 96%; height: auto; max-height: 96%;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 0 1;
    }
    Dialog.-ascii > Vertical { border: ascii $mds-accent; }
    Dialog Lines { height: auto; max-height: 16; background: $mds-panel; margin: 1 0 0 0; }
    Dialog Input, Dialog Input:focus {
        height: 1; border: none; padding: 0 1; margin: 1 0 0 0; background: $mds-bar; color: $mds-text;
        background-tint: initial;
    }
    Dialog Input:focus { background: $mds-cursor; }
    Dialog Horizontal { height: 1; margin: 1 0 0 0; align-horizontal: right; }
    Dialog Button { margin: 0 0 0 2; min-width: 12; background: $mds-bar; color: $mds-text; border: none; }
    Dialog Button:focus {
        background: $mds-accent !important; color: $mds-background !important; text-style: bold !important;
        background-tint: initial;
    }
    Dialog #do:focus { background: $mds-warn !important; }
    """

    verb = "do it"
    asks_reason = True

    def __init__(self, title: str, view: Callable[[], Sight], paint: Paint) -> None:
        super().__init__()
        self._heading = title
        self.view = view
        self.paint = paint
        self._more = False
        """Whether some of what will happen is out of sight."""

    def body(self) -> Iterable[Widget]:
        """What is asked."""
        return ()

    def sentences(self) -> Sequence[str]:
        """What will happen."""
        return ()

    def answer(self) -> Answer | None:
        """The result when it is confirmed; None where there is nothing to do."""
        raise NotImplementedError

    @property
    def reason(self) -> str:
        """What was typed as the reason."""
        return self.query_one("#reason", Input).value.strip() if self.asks_reason else ""

    def compose(self) -> ComposeResult:
        """Questions, consequences, reason, buttons."""
        with Vertical() as frame:
            frame.border_title = self._heading
            yield from self.body()
            yield Lines(id="preview")
            if self.asks_reason:
                yield Input(placeholder="reason, for the log", id="reason", compact=True)
            with Horizontal():
                yield Button("cancel", id="cancel", compact=True)
                yield Button(self.verb, id="do", compact=True)

    def on_mount(self) -> None:
        """Cancel has the focus, whatever else there is."""
        self.set_class(self.paint.plain, "-ascii")
        lines = self.query_one("#preview", Lines)
        lines.can_focus = False
        lines.use(self.paint)
        for button in self.query(Button):
            button.active_effect_duration = 0.0  # while it lasts, Textual takes no second press
        self.query_one("#cancel", Button).focus()
        self.set_interval(_REFRESH_S, self.settle)
        self.call_after_refresh(self.settle)
        self.bindings_updated_signal.subscribe(self, lambda _screen: self._tell_keys())

    def _tell_keys(self) -> None:
        if self.is_active:
            frame = self.query_one(Vertical)
            on = "pgdn reads on  " if self._more else ""
            keys = keys_words(self, frame.size.width - len(on), plain=self.paint.plain)
            frame.border_subtitle = self.paint.words(f"{on}{keys}")

    def on_resize(self) -> None:
        """The sentences wrap differently."""
        self.call_after_refresh(self.settle)

    def settle(self) -> None:
        """Say again what will happen: the engine has moved on, or the answers have changed."""
        lines = self.query_one("#preview", Lines)
        width, most = max(20, self.query_one(Vertical).content_size.width), self._room_for_sentences(lines)
        arrow, said = self.paint.glyphs.arrow, self.sentences()
        content = consequence_lines(said, arrow, width)
        if len(content) > most:
            # The scrollbar takes a column.
            content = consequence_lines(said, arrow, width - 1)
        lines.styles.height = min(len(content), most)
        lines.show(content)
        self._more = len(content) > most
        self._tell_keys()

    def _room_for_sentences(self, lines: Lines) -> int:
        # What is left by the rest: the buttons stay in sight on the smallest screen.
        frame = self.query_one(Vertical)
        rest = sum(
            child.outer_size.height + child.styles.margin.height
            for child in frame.children
            if child is not lines
        )
        room = int(self.size.height * 0.96) - frame.styles.gutter.height - lines.styles.margin.height - rest
        return max(1, min(_MOST_SENTENCES, room))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or do it."""
        event.stop()
        if event.button.id == "do":
            self.do()
        else:
            self.dismiss(None)

    def do(self) -> None:
        """The other button was pressed."""
        self.dismiss(self.answer())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter after the reason goes on to the button; it does not press it."""
        event.stop()
        self.query_one("#do", Button).focus()

    def action_read(self, by: int) -> None:
        """The sentences that are out of sight."""
        lines = self.query_one("#preview", Lines)
        lines.scroll_relative(y=by * max(1, lines.size.height - 1), animate=False)

    def action_cancel(self) -> None:
        """Leave without doing anything."""
        self.dismiss(None)


def consequence_lines(sentences: Sequence[str], arrow: str, width: int) -> tuple[Cell, ...]:
    """Sentences as an indented list."""
    return tuple(
        line
        for sentence in sentences
        for line in wrap((Span(f"{arrow} ", Ink.ACCENT), Span(sentence, _ink(sentence))), width, indent=2)
    )


def _ink(sentence: str) -> Ink:
    return Ink.WARN if isinstance(sentence, Against) else Ink.TEXT


class Confirm(Dialog[bool]):
    """Yes or no about something already decided."""

    asks_reason = False

    def __init__(
        self,
        title: str,
        verb: str,
        says: Callable[[], Sequence[str]],
        view: Callable[[], Sight],
        paint: Paint,
    ) -> None:
        super().__init__(title, view, paint)
        self.verb = verb
        self._says = says

    def sentences(self) -> Sequence[str]:
        """As given."""
        return self._says()

    def answer(self) -> bool:
        """Yes."""
        return True
