"""The part of the configuration screen that is about its text."""

from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal
from textual.screen import ModalScreen

from mds_tui.configuring.draft import Draft
from mds_tui.configuring.form import Form
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from textual.timer import Timer

    from mds_tui.configuring.toml_area import TomlArea

_CHECK_AFTER_S = 0.25
"""The text is checked when nothing was typed for so long."""


class TextScreen(ModalScreen[None]):
    """Shows the text in place of the form, and back. Subclasses draw (`settle`)."""

    def __init__(self, draft: Draft, form: Form, paint: Paint) -> None:
        super().__init__()
        self.draft = draft
        self.form = form
        self.paint = paint
        self._checking: Timer | None = None

    @property
    def may_write(self) -> bool:
        """Whether anything can be changed here."""
        raise NotImplementedError

    def settle(self) -> None:
        """Draw what holds now."""
        raise NotImplementedError

    @property
    def area(self) -> "TomlArea | None":
        """Where the text is; None until it was asked for."""
        found = self.query("#text")
        return cast("TomlArea", found.first()) if found else None

    @property
    def in_text(self) -> bool:
        """Whether the text is shown, and not the form."""
        return self.area is not None and bool(self.area.display)

    async def action_text(self) -> None:
        """The text, and back to the form."""
        if self.in_text:
            self.leave_text()
            return
        area = self.area
        if area is None:
            from mds_tui.configuring.toml_area import TomlArea

            area = TomlArea(self.paint, read_only=not self.may_write, id="text")
            await self.query_one(Horizontal).mount(area)
        area.load_text(self.draft.shown)
        self._show_text(shown=True)
        self._go_to_line(area)
        self.set_focus(area, scroll_visible=False)
        self.settle()

    def _go_to_line(self, area: "TomlArea") -> None:
        """Where the cursor of the form stands."""
        section, setting = self.form.section, self.form.setting if self.form.side == 1 else None
        path = setting.path if setting is not None and setting.is_set else section.path if section else ()
        area.move_cursor((max(0, (self.draft.line_of(path) or 1) - 1), 0), center=True)

    def _show_text(self, *, shown: bool) -> None:
        for name in ("#sections", "#settings"):
            self.query_one(name).display = not shown
        if (area := self.area) is not None:
            area.display = shown

    def leave_text(self) -> None:
        """Take what is written, and show the form again."""
        area = self.area
        if area is not None:
            self.draft.write(area.text)
        self._show_text(shown=False)
        self.set_focus(None)
        self.call_after_refresh(self.settle)

    def on_text_area_changed(self) -> None:
        """Look at it once it rests."""
        if self._checking is None and self.in_text:
            self._checking = self.set_timer(_CHECK_AFTER_S, self.check_text)

    def check_text(self) -> None:
        """Take what is written, and say what is wrong with it."""
        self._checking = None
        area = self.area
        if area is not None and self.in_text:
            self.draft.write(area.text)
            self.settle()

    def action_next_problem(self) -> None:
        """Go to the next line that is wrong, or to its setting."""
        problems = [problem for problem in self.draft.problems if problem.line]
        area = self.area
        if not problems:
            return
        if area is None or not self.in_text:
            self.form.go_to(problems[0].key)
            self.settle()
            return
        here = area.cursor_location[0] + 1
        following = next((problem for problem in problems if problem.line > here), problems[0])
        area.move_cursor((following.line - 1, 0), center=True)
