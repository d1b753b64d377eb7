"""Five short screens on what the console shows and does, for who sees it the first time."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from mds_engine.control.snapshot import SourceState
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from mds_tui.finding.key_names import shown_key
from mds_tui.format.cells import Cell, Ink, Span, wrap
from mds_tui.format.glyphs import Glyphs, state_glyph, state_ink
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_INDENT = 3
_STATES = "{states}"


class Stop(NamedTuple):
    """One screen of the tour."""

    title: str
    sentences: Sequence[str]
    """`{desk.zoom}` stands for the key of that action."""


STOPS = (
    Stop(
        "what you see",
        (
            "Sources are your vendors. Routes say who answers for an exchange, and who is next.",
            _STATES,
            "{desk.pane-1} to {desk.pane-6}, {desk.next-pane}: to a pane. {pane.down} {pane.up}: to a row.",
            "{desk.zoom} gives a pane the whole screen, and takes it back.",
        ),
    ),
    Stop(
        "is my data good?",
        (
            "The header counts what is well. A route that is down, forced or served by a backup says so.",
            "Every number has an age. What is dim is old; a closed market is not.",
            "{pane.open} says why: on a route, who was asked and who was passed over;",
            "on an instrument, what every source says of its price.",
        ),
    ),
    Stop(
        "act safely, and undo",
        (
            "Capitals act: {act.fail-over} moves a route, {act.reset-breaker} resets a breaker.",
            "Each says first what will happen, with cancel in focus, and is logged with your reason.",
            "What you force ends by itself. {desk.undo} takes back the last thing that was done.",
        ),
    ),
    Stop(
        "find anything",
        (
            "{desk.filter} filters a pane. {tool.jump} puts a letter on all in sight. ctrl+p finds all.",
            "{desk.command} takes commands and says what may come next; {line.complete} completes it.",
            "{desk.help} tells the keys that hold where you are. :keymap changes them.",
        ),
    ),
    Stop(
        "when things break",
        (
            "{desk.pane-6} tells what happened and why. {events.go} goes from an event to what it is about.",
            "If the engine itself falls silent, the header says so; {desk.restart-engine} offers a restart.",
            "Rehearse it before: {tool.drill} breaks a source on our side of the line, and keeps score.",
            ":tour shows all this again.",
        ),
    ),
)


class Tour(ModalScreen[None]):
    """Lies over the lower part of the desk, which goes on above it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l,space,down,j", "turn(1)", "next", id="tour.next"),
        Binding("left,h,backspace,up,k", "turn(-1)", "back", id="tour.back"),
        Binding("escape,q", "leave", "leave the tour", id="tour.leave"),
    ]
    DEFAULT_CSS = """
    Tour { align: center bottom; background: $mds-background 0%; }
    Tour > Lines {
        width: 96%; max-width: 92; height: 9; margin: 0 0 1 0; scrollbar-size: 0 0;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 0 1;
    }
    Tour.-ascii > Lines { border: ascii $mds-accent; }
    """

    def __init__(self, keys: Mapping[str, str], paint: Paint) -> None:
        """`keys` are those of the actions, as they are shown."""
        super().__init__()
        self._keys = keys
        self._paint = paint
        self._place = 0

    def compose(self) -> ComposeResult:
        """One list of lines."""
        yield Lines(id="tour")

    def on_mount(self) -> None:
        """The first of them."""
        lines = self.query_one("#tour", Lines)
        lines.can_focus = False
        self.set_class(self._paint.plain, "-ascii")
        self.use(self._paint)
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self._draw)

    def use(self, paint: Paint) -> None:
        """Take another theme."""
        self._paint = paint
        self.query_one("#tour", Lines).use(paint)
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Back there is only from the second on."""
        if action == "turn" and parameters == (-1,):
            return self._place > 0
        return True

    def action_turn(self, by: int) -> None:
        """The next, or the one before; after the last one the desk."""
        if self._place + by >= len(STOPS):
            self.dismiss(None)
            return
        self._place = max(0, self._place + by)
        self.refresh_bindings()
        self._draw()

    def action_leave(self) -> None:
        """To the desk."""
        self.dismiss(None)

    def _draw(self) -> None:
        lines = self.query_one("#tour", Lines)
        stop = STOPS[self._place]
        content = stop_lines(stop, self._keys, max(20, lines.size.width), self._paint.glyphs)
        lines.styles.height = len(content) + lines.styles.gutter.height
        lines.show(content)
        lines.border_title = self._paint.words(f"{stop.title}  {self._place + 1} of {len(STOPS)}")
        lines.border_subtitle = self._paint.words(keys_words(self, lines.size.width, plain=self._paint.plain))


def stop_lines(stop: Stop, keys: Mapping[str, str], width: int, glyphs: Glyphs) -> tuple[Cell, ...]:
    """The sentences with the keys in their places."""
    lines: list[Cell] = []
    for sentence in stop.sentences:
        spans = _states(glyphs) if sentence == _STATES else _spans(sentence, keys)
        lines += wrap((Span(f"{glyphs.arrow}  ", Ink.ACCENT), *spans), width, indent=_INDENT)
    return tuple(lines)


def _spans(sentence: str, keys: Mapping[str, str]) -> Cell:
    spans: list[Span] = []
    for part in sentence.replace("}", "{").split("{"):
        action = part in keys or ("." in part and " " not in part)
        spans.append(Span(keys.get(part, ""), Ink.ACCENT) if action else Span(part))
    return tuple(spans)


def _states(glyphs: Glyphs) -> Cell:
    """Every state with its sign."""
    spans: list[Span] = [Span("A state is a sign and a word:")]
    for state in (one for one in SourceState if one is not SourceState.FORCED):
        spans += [Span("  "), Span(f"{state_glyph(state, glyphs)} {state.value}", state_ink(state))]
    return tuple(spans)


def open_tour(console: "ConsoleApp", words: str = "") -> None:  # noqa: ARG001 - a tool takes words
    """Show it, and remember that it was shown."""
    from mds_tui.finding.catalogue import actions
    from mds_tui.finding.own_keys import own_keys

    # The first of the keys that hold, the operator's own before the usual.
    own = own_keys(console)
    keys = {
        name: shown_key(own.get(name, action.keys)[0], plain=console.paint.plain)
        for name, action in actions().items()
        if own.get(name, action.keys)
    }
    console.push_screen(Tour(keys, console.paint))
    if (file := console.settings.tour_file) is not None:
        console.run_worker(asyncio.to_thread(_remember, file), name="tour", group="tour", exit_on_error=False)


def _remember(file: Path) -> None:
    # Where it cannot be written, the tour comes again: nothing worse.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
