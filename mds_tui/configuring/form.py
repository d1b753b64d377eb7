"""Where the form stands: which section and which setting of it are under the cursor. No widget in sight."""

from collections.abc import Sequence

from mds_tui.configuring.draft import Draft, LineProblem
from mds_tui.configuring.drawing import section_lines, setting_lines
from mds_tui.configuring.outline import Section, Setting, sections, settings_of
from mds_tui.format.cells import Cell
from mds_tui.format.glyphs import Glyphs


class Form:
    """Two lists side by side, over a draft that others change as well."""

    def __init__(self, draft: Draft, themes: tuple[str, ...]) -> None:
        self.side = 0
        """Where the keys go: 0 the sections, 1 the settings of one."""
        self.place = 0
        """The section under the cursor."""
        self.row = 0
        """Its setting under the cursor."""
        self._draft = draft
        self._themes = themes

    @property
    def sections(self) -> tuple[Section, ...]:
        """All that have a form."""
        return sections(self._draft)

    @property
    def section(self) -> Section | None:
        """The one under the cursor."""
        found = self.sections
        self.place = max(0, min(self.place, len(found) - 1))
        return found[self.place] if found else None

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Those of the section under the cursor."""
        section = self.section
        return () if section is None else settings_of(section, self._draft, self._themes)

    @property
    def setting(self) -> Setting | None:
        """The one under the cursor."""
        found = self.settings
        self.row = max(0, min(self.row, len(found) - 1))
        return found[self.row] if found else None

    def move(self, by: int) -> None:
        """Up or down, in the list that has the keys."""
        if self.side == 0:
            self.place, self.row = max(0, min(len(self.sections) - 1, self.place + by)), 0
        else:
            self.row = max(0, min(len(self.settings) - 1, self.row + by))

    def go_to(self, dotted: str) -> None:
        """To a place, as `sources.yahoo` or `sources.yahoo.priority`."""
        found = self.sections
        names = [".".join(section.path) for section in found]
        owner = _owner(dotted, names)
        if not owner:
            return
        self.place, self.row = names.index(owner), 0
        paths = [".".join(setting.path) for setting in self.settings]
        if dotted in paths:
            self.side, self.row = 1, paths.index(dotted)

    def section_lines(
        self, changed: frozenset[str], problems: Sequence[LineProblem], glyphs: Glyphs
    ) -> tuple[tuple[Cell, ...], int]:
        """The sections, and the line of the one under the cursor."""
        found = self.sections
        names = [".".join(section.path) for section in found]
        touched = frozenset(_owner(place, names) for place in changed)
        wrong = frozenset(_owner(problem.key, names) for problem in problems)
        return section_lines(found, self.place, touched, wrong, glyphs)

    def setting_lines(
        self, changed: frozenset[str], problems: Sequence[LineProblem], width: int, glyphs: Glyphs
    ) -> tuple[Cell, ...]:
        """The settings of the section under the cursor."""
        cursor = self.row if self.side == 1 else None
        return setting_lines(self.settings, cursor, changed, problems, width, glyphs)


def _owner(place: str, names: Sequence[str]) -> str:
    """The innermost section that a place is in; empty if it is in none."""
    inside = [name for name in names if place == name or place.startswith(f"{name}.")]
    return max(inside, key=len, default="")
