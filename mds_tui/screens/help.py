"""The help page, made from the bindings that hold where the operator stands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from mds_engine.control.registry import REGISTRY
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from mds_tui.details.lines import heading
from mds_tui.finding.key_names import shown_key
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, fit, text_of, wrap
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.keys import entries_by_key
from mds_tui.screens.page import Page
from mds_tui.tools import TOOLS, tool_named
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.live_grid import LiveGrid
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_KEY = 20
_COMMAND = 42
_TEXTUALS_OWN = {"screen.copy_text", "app.help_quit"}
_EVERYWHERE = {"app.quit", "quit", "app.command_palette", "command_palette"}


class Section(NamedTuple):
    """A heading and what stands under it; each entry is one line or several."""

    title: str
    entries: tuple[tuple[Cell, ...], ...]


class HelpPage(Page):
    """Keys and commands; `/` finds among them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "find", id="help.find"),
        Binding("question_mark,f1", "close", "back", show=False, id="help.close"),
    ]
    DEFAULT_CSS = """
    HelpPage > Input, HelpPage > Input:focus {
        width: 92%; max-width: 132; height: 1; border: none; padding: 0 2; background: $mds-cursor;
        color: $mds-strong; background-tint: initial;
    }
    """

    def __init__(
        self, bindings: Mapping[str, ActiveBinding], here: str, paint: Paint, *, on_desk: bool
    ) -> None:
        """`bindings` are those of the screen below, `here` says which that is."""
        super().__init__("help", self._lines, paint)
        self._bindings_there = bindings
        self._here = here
        self._on_desk = on_desk
        self._needle = ""

    def compose(self) -> ComposeResult:
        """The lines, and one to type on."""
        yield from super().compose()
        typed = Input(id="needle", compact=True, placeholder="find", select_on_focus=False)
        typed.display = False
        yield typed

    def action_find(self) -> None:
        """Type what to look for."""
        typed = self.query_one("#needle", Input)
        typed.display = True
        typed.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for it at once."""
        self._needle = event.value.strip()
        self.query_one("#page", Lines).scroll_home(animate=False)
        self.settle()

    def on_input_submitted(self) -> None:
        """Back to the lines that were found."""
        self.query_one("#page", Lines).focus()
        self.query_one("#needle", Input).display = bool(self._needle)

    def action_close(self) -> None:
        """First what was looked for, then the page."""
        typed = self.query_one("#needle", Input)
        if not typed.display:
            self.dismiss(None)
            return
        typed.value = ""
        typed.display = False
        self.query_one("#page", Lines).focus()

    def _lines(self, width: int) -> Sequence[Cell]:
        sections = help_sections(self._bindings_there, self._here, width, on_desk=self._on_desk)
        found = found_lines(sections, self._needle)
        return found or ((Span(f"nothing here has {self._needle!r}", Ink.DIM),),)


def open_help(console: "ConsoleApp") -> None:
    """Help for the screen that is open, with the field that has the focus."""
    screen = console.screen
    on_desk = screen is console.desk
    console.push_screen(HelpPage(screen.active_bindings, _here(screen), console.paint, on_desk=on_desk))


def _here(screen: Screen[object]) -> str:
    focused = screen.focused
    if isinstance(focused, LiveGrid):
        return f"in {focused.id}"
    if isinstance(screen, Dialog):
        return "in this dialog"
    return "on this page" if isinstance(screen, Page) else "here"


def found_lines(sections: Iterable[Section], needle: str) -> tuple[Cell, ...]:
    """Headings and entries one below the other; with a needle, only those that have it."""
    lines: list[Cell] = []
    for title, entries in sections:
        kept = [entry for entry in entries if needle.casefold() in _words(title, entry)]
        if kept:
            lines += heading(title)
            lines += [line for entry in kept for line in entry]
    return tuple(lines[1:] if lines and lines[0] == EMPTY else lines)


def _words(title: str, entry: Iterable[Cell]) -> str:
    return " ".join([title, *(text_of(line).strip() for line in entry)]).casefold()


def help_sections(
    bindings: Mapping[str, ActiveBinding], here: str, width: int, *, on_desk: bool
) -> tuple[Section, ...]:
    """Keys of what has the focus, then of its screen, then everywhere; on the desk, every command too."""
    grouped = _grouped(bindings, width, on_desk=on_desk)
    sections = [Section(here, tuple(grouped["here"]))]
    if on_desk:
        sections.append(Section("to act, after a confirmation", tuple(grouped["acting"])))
    sections.append(Section("on the desk" if on_desk else "in the field in focus", tuple(grouped["around"])))
    sections.append(Section("everywhere", tuple(grouped["everywhere"])))
    if on_desk:
        sections += [_commands(width), _filters()]
    return tuple(section for section in sections if section.entries)


def _commands(width: int) -> Section:
    commands = {entry.name: (" ".join(entry.positional), entry.about) for entry in REGISTRY}
    tools = {tool.name: (tool.arguments, tool.about) for tool in TOOLS}
    entries = []
    for name, (arguments, words) in {**commands, **tools}.items():
        named = fit((Span(f"{name} ", Ink.TEXT), Span(arguments, Ink.FAINT)), _COMMAND)
        about, *rest = wrap((Span(words, Ink.DIM),), max(10, width - _COMMAND - 2))
        entries.append(
            ((*named, Span("  "), *about), *((Span(" " * (_COMMAND + 2)), *line) for line in rest))
        )
    return Section("on the : line, and in the palette (ctrl+p)", tuple(entries))


def _filters() -> Section:
    line: Cell = (
        Span("/kite|yahoo", Ink.TEXT),
        Span("  either   ", Ink.DIM),
        Span("/!closed", Ink.TEXT),
        Span("  all but   ", Ink.DIM),
        Span("esc", Ink.TEXT),
        Span("  none", Ink.DIM),
    )
    return Section("filter", ((line,),))


def _either(sentences: Sequence[str]) -> str:
    """Sentences as one: `Move a route; or force it.`"""
    first, *others = (sentence.rstrip(".") for sentence in sentences)
    return "; or ".join([first, *(other[:1].lower() + other[1:] for other in others)]) + "."


def _grouped(
    bindings: Mapping[str, ActiveBinding], width: int, *, on_desk: bool
) -> Mapping[str, Sequence[tuple[Cell, ...]]]:
    """Bindings with the same action in one entry, by where they belong."""
    keys: dict[tuple[str, str], tuple[list[str], ActiveBinding]] = {}
    for key, active in bindings.items():
        if not active.binding.description or active.binding.system or active.binding.action in _TEXTUALS_OWN:
            continue
        action = "pane" if active.binding.action.startswith("pane(") else active.binding.action
        slot = keys.setdefault((_group(active, on_desk=on_desk), action), ([], active))
        slot[0].append(shown_key(key))
    groups: dict[str, list[tuple[Cell, ...]]] = {"here": [], "around": [], "acting": [], "everywhere": []}
    for (group, action), (names, active) in keys.items():
        groups[group].append(_entry(names, _about(action, active), width, enabled=active.enabled))
    return groups


def _group(active: ActiveBinding, *, on_desk: bool) -> str:
    """On the desk a pane's keys come first; elsewhere those of the screen."""
    action = active.binding.action
    if action.startswith("act("):
        return "acting"
    if action in _EVERYWHERE and active.binding.priority:
        return "everywhere"
    of_screen = isinstance(active.node, Screen) or active.node.parent is None
    return "here" if of_screen is not on_desk else "around"


def _about(action: str, active: ActiveBinding) -> str:
    about = active.binding.description
    if action == "pane":
        return "the pane of that number"
    if action.startswith("act("):
        explained = {
            entries[0].name: _either([entry.about for entry in entries])
            for entries in entries_by_key().values()
        }
        about = f"{about}: {explained.get(action[5:-2], '')}"
    elif action.startswith("tool(") and (tool := tool_named(action[6:-2])) is not None:
        about = f"{about}: {tool.about}"
    return about[:1].lower() + about[1:]


def _entry(names: Sequence[str], about: str, width: int, *, enabled: bool) -> tuple[Cell, ...]:
    words = about if enabled else f"{about}  (not now)"
    label: Cell = (Span("  " + " ".join(names), Ink.ACCENT if enabled else Ink.FAINT),)
    first, *rest = wrap((Span(words, Ink.TEXT if enabled else Ink.FAINT),), max(20, width - _KEY))
    return ((*fit(label, _KEY), *first), *((Span(" " * _KEY), *line) for line in rest))
