"""Which key does what, and how to change it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from mds_tui.finding.catalogue import Action, actions, all_actions
from mds_tui.finding.key_names import shown_key
from mds_tui.finding.keymap import Keymap, Wish, checked, refusal_of
from mds_tui.finding.keymap_file import KeymapFileError, Loaded, write_keys
from mds_tui.finding.own_keys import take_keymap
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, fit, wrap
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_NAME = 24
_KEYS = 22


class KeymapEditor(ModalScreen[None]):
    """All actions with their keys; each change is checked, kept in the file, and used at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="keymap.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="keymap.up"),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False, id="keymap.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False, id="keymap.page-up"),
        Binding("g,home", "jump(0)", "first", show=False, id="keymap.first"),
        Binding("G,end", "jump(-1)", "last", show=False, id="keymap.last"),
        Binding("enter", "change", "change", id="keymap.change"),
        Binding("a", "add", "add", id="keymap.add"),
        Binding("u,delete,backspace", "usual", "usual", id="keymap.usual"),
        Binding("U", "all_usual", "all usual", id="keymap.all-usual"),
        Binding("slash", "find", "find", id="keymap.find"),
        Binding("escape,q", "leave", "back", id="keymap.leave"),
        Binding("question_mark,f1", "app.explain", "help", id="keymap.help"),
    ]
    DEFAULT_CSS = """
    KeymapEditor { align: center middle; background: $mds-background 60%; }
    KeymapEditor > Lines {
        width: 92%; max-width: 110; height: 1fr; max-height: 88%;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 0 1;
    }
    KeymapEditor.-ascii > Lines { border: ascii $mds-accent; scrollbar-size: 0 0; }
    KeymapEditor > Input, KeymapEditor > Input:focus {
        width: 92%; max-width: 110; height: 1; border: none; padding: 0 2; background: $mds-cursor;
        color: $mds-strong; background-tint: initial;
    }
    """

    AUTO_FOCUS = ""

    def __init__(self, file: Path, loaded: Loaded, paint: Paint) -> None:
        """`loaded` is what the file comes to now."""
        super().__init__()
        self._file = file
        self._loaded = loaded
        self._paint = paint
        self._needle = ""
        self._cursor = 0

    @property
    def console(self) -> "ConsoleApp":
        """The app, by its own type."""
        return cast("ConsoleApp", self.app)

    @property
    def current(self) -> Action | None:
        """The action under the cursor."""
        rows = self._rows()
        return rows[self._cursor] if self._cursor < len(rows) else None

    def compose(self) -> ComposeResult:
        """The list, and a line to type what to look for."""
        yield Lines(id="actions")
        typed = Input(id="needle", compact=True, placeholder="find", select_on_focus=False)
        typed.display = False
        yield typed

    def on_mount(self) -> None:
        """Draw it."""
        self.query_one("#actions", Lines).can_focus = False
        self.set_class(self._paint.plain, "-ascii")
        self.use(self._paint)
        self.call_after_refresh(self._draw)
        self.bindings_updated_signal.subscribe(self, lambda _screen: self._tell_keys())

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self._draw)

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self._paint = paint
        self.query_one("#actions", Lines).use(paint)
        self._draw()

    # Moving and finding.

    def action_move(self, by: int) -> None:
        """The row below or above."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """A page on or back."""
        self._go(self._cursor + by * max(1, self._height() - 1))

    def action_jump(self, to: int) -> None:
        """First or (-1) last row."""
        self._go(to if to >= 0 else len(self._rows()) - 1)

    def action_find(self) -> None:
        """Type what to look for: an action, or a key."""
        typed = self.query_one("#needle", Input)
        typed.display = True
        typed.focus()

    def look_for(self, words: str) -> None:
        """As if it had been typed."""
        typed = self.query_one("#needle", Input)
        typed.display = True
        typed.value = words

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for it at once."""
        self._needle = event.value.strip().casefold()
        self._go(0)

    def on_input_submitted(self) -> None:
        """Back to the rows that were found."""
        self.query_one("#needle", Input).display = bool(self._needle)
        self.set_focus(None)

    def action_leave(self) -> None:
        """First what was looked for, then the list."""
        typed = self.query_one("#needle", Input)
        if not typed.display:
            self.dismiss(None)
            return
        typed.value = ""
        typed.display = False
        self.set_focus(None)

    # Changing.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a way back only for what was changed."""
        own = self._loaded.keymap.keys
        if action == "usual":
            return True if self.current is not None and self.current.id in own else None
        if action == "all_usual":
            return True if own else None
        return super().check_action(action, parameters)

    def action_change(self) -> None:
        """Another key instead of those it has."""
        self._ask(())

    def action_add(self) -> None:
        """One more key."""
        if (action := self.current) is not None:
            self._ask(self._keys(action))

    def action_usual(self) -> None:
        """The action's own keys again."""
        if (action := self.current) is not None and action.id in self._loaded.keymap.keys:
            self._take(action, None)

    def action_all_usual(self) -> None:
        """Ask, then all actions have their own keys again."""
        from mds_tui.screens.dialog import Confirm

        changed = list(self._loaded.keymap.keys)
        says = (f"{', '.join(changed)}: the usual keys.", f"Comments in {self._file.name} stay.")
        dialog = Confirm("usual keys", "all usual", lambda: says, self.console.view, self._paint)
        self.console.push_screen(dialog, lambda yes: self._write(dict.fromkeys(changed)) if yes else None)

    def _ask(self, kept: Sequence[str]) -> None:
        action = self.current
        if action is None:
            return

        def taken(key: str | None) -> None:
            if key is not None:
                self._take(action, (*kept, key))

        def why_not(key: str) -> str:
            return self._why_not(action, (*kept, key))

        self.console.push_screen(KeyTaker(action, why_not, self._paint), taken)

    def _why_not(self, action: Action, keys: Sequence[str]) -> str:
        if refusal := refusal_of(action, keys[-1]):
            return refusal
        wishes = [Wish(name, held) for name, held in self._loaded.keymap.keys.items() if name != action.id]
        keymap: Keymap = checked([*wishes, Wish(action.id, tuple(keys))], all_actions())
        return next((one.why for one in keymap.refused), "")

    def _take(self, action: Action, keys: Sequence[str] | None) -> None:
        usual = keys is not None and tuple(keys) == action.keys
        self._write({action.id: None if usual or keys is None else [_written(key) for key in keys]})

    def _write(self, changes: dict[str, list[str] | None]) -> None:
        async def work() -> None:
            try:
                await asyncio.to_thread(write_keys, self._file, changes)
            except KeymapFileError as error:
                self.notify(str(error), title="keys", severity="error")
                return
            self._loaded = take_keymap(self.console, self._file)
            self._draw()

        # One after the other: each reads what the one before it wrote.
        self.run_worker(work(), name="keymap", group="keymap", exclusive=False, exit_on_error=False)

    # Drawing.

    def _keys(self, action: Action) -> tuple[str, ...]:
        return self._loaded.keymap.keys.get(action.id, action.keys)

    def _rows(self) -> list[Action]:
        return [action for action in actions().values() if self._needle in self._words(action)]

    def _words(self, action: Action) -> str:
        keys = " ".join(shown_key(key) for key in self._keys(action))
        return f"{action.id} {action.about} {keys}".casefold()

    def _height(self) -> int:
        return self.query_one("#actions", Lines).scrollable_content_region.height

    def _go(self, place: int) -> None:
        self._cursor = max(0, min(place, len(self._rows()) - 1))
        self._draw()

    def _tell_keys(self) -> None:
        lines = self.query_one("#actions", Lines)
        width = max(20, lines.size.width - 1)
        lines.border_subtitle = self._paint.words(keys_words(self, width, plain=self._paint.plain))

    def _draw(self) -> None:
        lines = self.query_one("#actions", Lines)
        width = max(20, lines.size.width - 1)
        head = [line for problem in self._loaded.problems for line in self._problem(problem, width)]
        rows = self._rows()
        found = [self._row(action, place, width) for place, action in enumerate(rows)]
        lines.show((*head, *(found or [(Span(f"  nothing here has {self._needle!r}", Ink.DIM),)])))
        own = len(self._loaded.keymap.keys)
        lines.border_title = self._paint.words(f"keys · {own} of your own" if own else "keys · all usual")
        self._tell_keys()
        top, height = int(lines.scroll_offset.y), self._height()
        place = self._cursor + len(head)
        if self._cursor == 0:
            lines.scroll_to(y=0, animate=False, immediate=True)
        elif not top <= place < top + height:
            target = place - height + 1 if place >= top + height else place
            lines.scroll_to(y=max(0, target), animate=False, immediate=True)

    def _problem(self, problem: str, width: int) -> Sequence[Cell]:
        return wrap((Span("! ", Ink.WARN), Span(problem, Ink.WARN)), width, indent=2)

    def _row(self, action: Action, place: int, width: int) -> Cell:
        at = place == self._cursor
        own = action.id in self._loaded.keymap.keys
        glyphs = self._paint.glyphs
        plain = self._paint.plain
        keys = " ".join(shown_key(key, plain=plain) for key in self._keys(action))
        usual = " ".join(shown_key(key, plain=plain) for key in action.keys)
        row: Cell = (
            Span((glyphs.cursor if at else " ").ljust(2), Ink.ACCENT),
            *fit((Span(action.id, Ink.STRONG if at else Ink.TEXT),), _NAME, more=glyphs.more),
            Span(" "),
            *fit((Span(keys, Ink.FORCED if own else Ink.ACCENT),), _KEYS, more=glyphs.more),
            Span(" "),
            Span(action.about, Ink.DIM),
            *((Span(f"   usually {usual}", Ink.FAINT),) if own else EMPTY),
        )
        return fit(row, width, more=glyphs.more)


class KeyTaker(ModalScreen[str | None]):
    """Waits for a key that can be used; Escape is none."""

    DEFAULT_CSS = """
    KeyTaker { align: center middle; background: $mds-background 60%; }
    KeyTaker > Lines {
        width: 64; max-width: 96%; height: 7; background: $mds-panel; border: round $mds-accent;
        border-title-color: $mds-accent; border-title-align: left; border-subtitle-color: $mds-dim;
        padding: 1 1;
    }
    KeyTaker.-ascii > Lines { border: ascii $mds-accent; }
    """

    def __init__(self, action: Action, why_not: Callable[[str], str], paint: Paint) -> None:
        """`why_not` says why a key cannot be taken; empty if it can."""
        super().__init__()
        self._action = action
        self._why_not = why_not
        self._paint = paint

    def compose(self) -> ComposeResult:
        """What to do, and what was wrong with the last key."""
        lines = Lines(id="taker")
        lines.border_title = self._action.id
        lines.border_subtitle = "esc leave it as it is"
        yield lines

    def on_mount(self) -> None:
        """Draw it."""
        lines = self.query_one("#taker", Lines)
        lines.can_focus = False
        lines.use(self._paint)
        self.set_class(self._paint.plain, "-ascii")
        self.call_after_refresh(self._say, "")

    def on_key(self, event: events.Key) -> None:
        """Take the key before it can mean anything."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
        elif problem := self._why_not(event.key):
            self._say(problem)
        else:
            self.dismiss(event.key)

    def _say(self, problem: str) -> None:
        lines = self.query_one("#taker", Lines)
        width = max(20, lines.size.width)
        asked = wrap((Span("Press the key for: ", Ink.DIM), Span(self._action.about, Ink.STRONG)), width)
        lines.show((*asked, *wrap((Span(problem, Ink.WARN),), width)))


def open_keymap(console: "ConsoleApp", words: str) -> None:
    """The list of keys; `words` is what to look for in it."""
    file = console.settings.keymap_file
    if file is None:
        console.notify("this console keeps no keys", title="keys", severity="warning")
        return
    editor = KeymapEditor(file, take_keymap(console, file), console.paint)
    console.push_screen(editor)
    if words:
        console.call_after_refresh(editor.look_for, words)


def _written(key: str) -> str:
    """As one would type it into the file."""
    *modifiers, base = key.split("+")
    shown = shown_key(key)
    return shown if not modifiers and len(shown) == 1 and shown.isascii() else "+".join([*modifiers, base])
