"""The configuration: sections, a form for each, the text for the rest."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from mds_engine.config.edit import UNSET
from mds_engine.errors import ConfigError
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from mds_tui.configuring.draft import Draft, LineProblem
from mds_tui.configuring.drawing import about_lines, problem_lines
from mds_tui.configuring.form import Form
from mds_tui.configuring.outline import Setting, new_table, parse_typed, turned
from mds_tui.configuring.text_screen import TextScreen
from mds_tui.format.cells import Cell, Ink, Span
from mds_tui.widgets.key_bar import keys_words
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_SEEN_EVERY_S = 1.0
_NEEDS_LEAVE = frozenset({"change", "turn", "usual", "new", "remove", "save", "merge"})


class ConfigScreen(TextScreen):
    """Edits a draft; what is done with it is in `mds_tui.configuring.opened`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="config.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="config.up"),
        Binding("pagedown", "move(8)", "page down", show=False, id="config.page-down"),
        Binding("pageup", "move(-8)", "page up", show=False, id="config.page-up"),
        Binding("g,home", "move(-999)", "first", show=False, id="config.first"),
        Binding("G,end", "move(999)", "last", show=False, id="config.last"),
        Binding("tab,right,l", "side(1)", "settings", show=False, id="config.settings"),
        Binding("shift+tab,left,h", "side(0)", "sections", show=False, id="config.sections"),
        Binding("enter", "change", "change", id="config.change"),
        Binding("space", "turn", "next answer", show=False, id="config.turn"),
        Binding("u,delete,backspace", "usual", "usual", id="config.usual"),
        Binding("n", "new", "new", id="config.new"),
        Binding("x", "remove", "remove", show=False, id="config.remove"),
        Binding("ctrl+t,e", "text", "text", id="config.text"),
        Binding("ctrl+s", "save", "save", id="config.save"),
        Binding("v", "versions", "versions", id="config.versions"),
        Binding("m", "merge", "merge", id="config.merge"),
        Binding("r", "reload", "reload", id="config.reload"),
        Binding("w", "write_first", "write a first file", id="config.write-first"),
        Binding("f8", "next_problem", "next problem", id="config.next-problem"),
        Binding("escape,q", "leave", "back", id="config.leave"),
        Binding("question_mark,f1", "app.explain", "help", id="config.help"),
    ]
    AUTO_FOCUS = ""  # the keys are the screen's, until there is something to type on
    DEFAULT_CSS = """
    ConfigScreen { align: center middle; background: $mds-background 60%; }
    ConfigScreen > Vertical {
        width: 100%; max-width: 132; height: 100%; max-height: 48;
        background: $mds-panel; border: round $mds-accent; border-title-color: $mds-accent;
        border-title-align: left; border-subtitle-color: $mds-dim; padding: 0 1;
    }
    ConfigScreen.-ascii > Vertical { border: ascii $mds-accent; }
    ConfigScreen.-ascii Lines { scrollbar-size: 0 0; }
    ConfigScreen Lines { background: $mds-panel; }
    ConfigScreen #notice { height: auto; max-height: 2; }
    ConfigScreen Horizontal { height: 1fr; }
    ConfigScreen #sections { width: 20; }
    ConfigScreen #settings { width: 1fr; }
    ConfigScreen #about { height: 4; margin: 1 0 0 0; }
    ConfigScreen Input, ConfigScreen Input:focus {
        height: 1; border: none; padding: 0 1; background: $mds-cursor; color: $mds-strong;
        background-tint: initial;
    }
    """

    def __init__(
        self,
        draft: Draft,
        paint: Paint,
        *,
        fixed: str = "",
        may_act: Callable[[], bool],
        disk_differs: Callable[[], bool],
        themes: tuple[str, ...] = (),
    ) -> None:
        """`fixed` says why nothing can be changed here; `disk_differs` whether the file says something else
        than when the draft was begun."""
        super().__init__(draft, Form(draft, themes), paint)
        self.fixed = fixed
        self._adding = False
        """Whether what is typed names a new section."""
        self.on_save: Callable[[], None] = _nothing
        self.on_versions: Callable[[], None] = _nothing
        self.on_merge: Callable[[], None] = _nothing
        self.on_reload: Callable[[], None] = _nothing
        self.on_write_first: Callable[[], None] = _nothing
        self._may_act = may_act
        self._disk_differs = disk_differs

    @property
    def console(self) -> "ConsoleApp":
        """The app, by its own type."""
        return cast("ConsoleApp", self.app)

    @property
    def may_write(self) -> bool:
        """Whether anything can be changed here."""
        return not self.fixed and self._may_act()

    # What is there.

    def compose(self) -> ComposeResult:
        """Both lists, what a setting means, a line to type on; the text comes when it is asked for."""
        with Vertical():
            yield Lines(id="notice")
            with Horizontal():
                yield Lines(id="sections")
                yield Lines(id="settings")
            yield Lines(id="about")
            typed = Input(id="typed", compact=True, select_on_focus=False)
            typed.display = False
            yield typed

    def on_mount(self) -> None:
        """Draw."""
        for lines in self.query(Lines):
            lines.can_focus = False
        self.set_class(self.paint.plain, "-ascii")
        self.use(self.paint)
        self.set_interval(_SEEN_EVERY_S, self.settle)
        self.bindings_updated_signal.subscribe(self, lambda _screen: self._tell_keys())

    def use(self, paint: Paint) -> None:
        """Take a theme."""
        self.paint = paint
        for lines in self.query(Lines):
            lines.use(paint)
        if (area := self.area) is not None:
            area.use(paint)
        self.call_after_refresh(self.settle)

    def on_resize(self) -> None:
        """Another width."""
        self.call_after_refresh(self.settle)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What makes no sense now is not shown; what is not allowed is greyed."""
        if action == "write_first":
            return bool(self.fixed)
        if action in ("merge", "reload"):
            if self.fixed or not self._disk_differs() or (action == "merge" and not self.draft.is_changed):
                return False
        elif action == "next_problem":
            return bool(self.draft.problems)
        elif action in ("usual", "change", "turn", "new", "remove") and self.in_text:
            return False
        if action in _NEEDS_LEAVE | {"versions"} and self.fixed:
            return False
        return None if action in _NEEDS_LEAVE and not self._may_act() else True

    # Moving.

    def action_move(self, by: int) -> None:
        """Up or down, in the list that has the keys."""
        self.form.move(by)
        self.settle()

    def action_side(self, side: int) -> None:
        """The sections, or the settings of one."""
        self.form.side = side
        self.settle()

    def go_to(self, dotted: str) -> None:
        """The section of a place, as `sources.yahoo.priority`."""
        self.form.go_to(dotted)
        self.settle()

    # Changing.

    def action_change(self) -> None:
        """Go into a section; the next answer, or a line to type on."""
        if self.form.side == 0:
            self.action_side(1)
            return
        setting = self.form.setting
        if setting is None:
            return
        if setting.kind in ("switch", "choice") and (setting.choices or setting.kind == "switch"):
            self.action_turn()
            return
        self._type(
            f"{setting.name}: nothing typed makes it usual", setting.typed, hidden=setting.kind == "secret"
        )

    def _type(self, what: str, value: str, *, hidden: bool = False) -> None:
        typed = self.query_one("#typed", Input)
        typed.password, typed.placeholder, typed.value = hidden, what, value
        typed.select_all()
        typed.display = True
        typed.focus()

    def action_new(self) -> None:
        """One more source, or the routes of one more exchange."""
        self._adding = True
        self._type(
            "a vendor and a name, as `binance crypto`, for a source; an exchange, as BSE, for routes", ""
        )

    def action_remove(self) -> None:
        """Take the section out of the draft; what was saved stays until the draft is."""
        section = self.form.section
        if self.form.side == 0 and section is not None and section.group != "settings":
            self._try(lambda: self.draft.remove(section.path))

    def _add(self, typed: str) -> bool:
        def work() -> None:
            path, lines = new_table(typed, tuple(self.draft.file.plugins))
            self.draft.add(path, lines)
            self.form.side = 0
            self.form.go_to(".".join(path))

        return self._try(work)

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except ConfigError as error:
            self.notify(str(error), severity="error")
            return False
        self.settle()
        return True

    def action_turn(self) -> None:
        """The next answer of a switch or a choice."""
        setting = self.form.setting
        if self.form.side == 1 and setting is not None and setting.kind in ("switch", "choice"):
            self._set(setting, turned(setting, 1))

    def action_usual(self) -> None:
        """Leave it out of the file."""
        setting = self.form.setting
        if self.form.side == 1 and setting is not None and not setting.required:
            self._set(setting, UNSET)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what was typed."""
        event.stop()
        if self._adding:
            if self._add(event.value):
                self._end_typing()
            return
        setting = self.form.setting
        if setting is None:
            return
        try:
            value = parse_typed(setting, event.value)
        except ConfigError as error:
            self.notify(str(error), severity="error")
            return
        self._end_typing()
        if setting.kind == "secret" and value == "" and not setting.typed:
            return  # nothing was typed over a secret: it stays
        self._set(setting, value)

    def _end_typing(self) -> None:
        self._adding = False
        typed = self.query_one("#typed", Input)
        typed.value, typed.display = "", False
        self.set_focus(self.area if self.in_text else None)

    def _set(self, setting: Setting, value: object) -> None:
        self._try(lambda: self.draft.set(setting.path, value))

    # What others do with it.

    def action_save(self) -> None:
        """Show what it would change, and do it if that is wanted."""
        if self.in_text:
            self.check_text()
        self.on_save()

    def action_versions(self) -> None:
        """What was there before."""
        if self.in_text:
            self.leave_text()
        self.on_versions()

    def action_merge(self) -> None:
        """Both: what somebody else has written, and this draft."""
        self.on_merge()

    def action_reload(self) -> None:
        """What somebody else has written, without this draft."""
        self.on_reload()

    def action_write_first(self) -> None:
        """A file to begin with, where there is none."""
        self.on_write_first()

    def renewed(self) -> None:
        """The draft says something else by another hand."""
        if self.in_text and (area := self.area) is not None:
            area.load_text(self.draft.shown)
        self.settle()

    def action_leave(self) -> None:
        """What is typed, then the text, then the screen; a draft that would be lost is asked about."""
        if self.query_one("#typed", Input).display:
            self._end_typing()
        elif self.in_text:
            self.leave_text()
        elif self.form.side == 1:
            self.action_side(0)
        elif self.draft.is_changed:
            from mds_tui.screens.dialog import Confirm

            says = ("What you changed here is not saved, and is lost.", *_counted(self.draft.diff()))
            dialog = Confirm("leave the configuration", "leave", lambda: says, self.console.view, self.paint)
            self.console.push_screen(dialog, lambda yes: self.dismiss(None) if yes else None)
        else:
            self.dismiss(None)

    # Drawing.

    def settle(self) -> None:
        """Draw what holds now."""
        if not self.is_attached:
            return
        problems = self.draft.problems
        self._draw_frame(problems)
        if self.in_text:
            if (area := self.area) is not None:
                area.mark([problem.line for problem in problems if problem.line])
            about = problem_lines(problems, self._width("#about"))
        else:
            self._draw_form(problems)
            setting = self.form.setting if self.form.side == 1 else None
            section = self.form.section
            about = about_lines(setting, problems, self._width("#about"))
            if setting is None and section is not None and not problems:
                about = ((Span(section.about, Ink.DIM),),)
        self.query_one("#about", Lines).show(about)
        self.refresh_bindings()

    def _tell_keys(self) -> None:
        frame = self.query_one(Vertical)
        frame.border_subtitle = self.paint.words(keys_words(self, frame.size.width, plain=self.paint.plain))

    def _draw_frame(self, problems: Sequence[LineProblem]) -> None:
        frame = self.query_one(Vertical)
        state = "changed" if self.draft.is_changed else ""
        if problems:
            state = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        parts = ("configuration", str(self.draft.file.path), state)
        frame.border_title = self.paint.words(" · ".join(part for part in parts if part))
        self._tell_keys()
        notices: list[Cell] = []
        if self.fixed:
            notices.append((Span(self.fixed, Ink.WARN),))
        elif self._disk_differs():
            words = "The file was changed on disk since it was read. "
            keys = "m merges your changes into it, r drops them" if self.draft.is_changed else "r reads it"
            notices.append((Span(words, Ink.WARN), Span(f"{keys}.", Ink.DIM)))
        self.query_one("#notice", Lines).styles.height = len(notices)
        self.query_one("#notice", Lines).show(tuple(notices))

    def _draw_form(self, problems: Sequence[LineProblem]) -> None:
        glyphs, changed = self.paint.glyphs, self.draft.changed_places()
        rows, at = self.form.section_lines(changed, problems, glyphs)
        _show(self.query_one("#sections", Lines), rows, at, top=self.form.place == 0)
        rows = self.form.setting_lines(changed, problems, self._width("#settings"), glyphs)
        _show(self.query_one("#settings", Lines), rows, self.form.row, top=self.form.row == 0)

    def _width(self, name: str) -> int:
        return max(20, self.query_one(name, Lines).size.width - 1)


def _show(lines: Lines, rows: tuple[Cell, ...], at: int, *, top: bool) -> None:
    """Draw rows with one of them in sight; the first one with what is above it."""
    lines.show(rows)
    height, first = lines.scrollable_content_region.height, int(lines.scroll_offset.y)
    if height < 1:
        return  # not laid out yet
    if top:
        lines.scroll_to(y=0, animate=False, immediate=True)
    elif not first <= at < first + height:
        target = at - height + 1 if at >= first + height else at
        lines.scroll_to(y=max(0, target), animate=False, immediate=True)


def _counted(diff: Sequence[str]) -> tuple[str, ...]:
    lines = sum(line[:1] in "+-" for line in diff)
    return (f"{lines} line{'s' if lines > 1 else ''} of difference.",)


def _nothing() -> None:
    """Nobody does anything with it."""
