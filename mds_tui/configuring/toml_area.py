"""The TOML text, to be edited: coloured, numbered, its wrong lines marked."""

import re
from collections.abc import Collection

from rich.style import Style
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from mds_tui.format.cells import Ink
from mds_tui.widgets.paint import Paint

_TOKENS = re.compile(
    r"""(?P<comment>\#.*)
    |(?P<header>^[ \t]*\[\[?[^\]\n]*\]\]?)
    |(?P<key>[A-Za-z0-9_.-]+|"[^"\n]*"(?=[ \t]*=)|'[^'\n]*'(?=[ \t]*=))(?=[ \t]*=)
    |(?P<text>\"{3}[\s\S]*?(?:\"{3}|\Z)|'{3}[\s\S]*?(?:'{3}|\Z)|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?)
    |(?P<number>[+-]?\d[\d_.:eETZ+-]*|true|false|inf|nan)""",
    re.VERBOSE | re.MULTILINE,
)
_INKS = {
    "comment": Ink.DIM,
    "header": Ink.ACCENT,
    "key": Ink.TEXT,
    "text": Ink.GOOD,
    "number": Ink.INFO,
    "wrong": Ink.BAD,
}
Highlight = tuple[int, int | None, str]
"""From one byte of a line to another (None: its end), and what stands there."""


def highlights_of(text: str, wrong: Collection[int]) -> dict[int, list[Highlight]]:
    """What stands where, by line from 0, also in text that is no TOML; `wrong` are lines from 1."""
    found: dict[int, list[Highlight]] = {}
    line, begins = 0, 0
    for match in _TOKENS.finditer(text):
        while (newline := text.find("\n", begins)) >= 0 and newline < match.start():
            line, begins = line + 1, newline + 1
        kind, start = str(match.lastgroup), match.start() - begins
        for offset, part in enumerate(match[0].split("\n")):
            at = start if offset == 0 else 0
            before = text[begins : begins + at] if offset == 0 else ""
            first = len(before.encode())
            found.setdefault(line + offset, []).append((first, first + len(part.encode()), kind))
    for number in wrong:
        found.setdefault(number - 1, []).append((0, None, "wrong"))
    return found


class TomlArea(TextArea):
    """Textual's, with colours of ours and no language server behind it."""

    DEFAULT_CSS = """
    TomlArea, TomlArea:focus {
        border: none; padding: 0; background: $mds-panel; color: $mds-text;
        scrollbar-size: 1 1; scrollbar-background: $mds-panel; scrollbar-color: $mds-frame;
    }
    """

    def __init__(self, paint: Paint, *, read_only: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        self._wrong: frozenset[int] = frozenset()
        super().__init__(
            id=id,
            soft_wrap=False,
            show_line_numbers=True,
            read_only=read_only,
            compact=True,
        )
        self.cursor_blink = False
        self.use(paint)

    def use(self, paint: Paint) -> None:
        """Take a theme."""
        style = {ink: paint.styles["panel", ink] for ink in Ink}
        cursor = paint.styles["cursor", Ink.STRONG]
        self.register_theme(
            TextAreaTheme(
                name="mds",
                base_style=style[Ink.TEXT],
                gutter_style=style[Ink.FAINT],
                cursor_style=Style(reverse=True),
                cursor_line_style=Style(bgcolor=cursor.bgcolor),
                cursor_line_gutter_style=Style(color=cursor.color, bgcolor=cursor.bgcolor),
                bracket_matching_style=Style(bold=True),
                selection_style=Style(reverse=True),
                syntax_styles={
                    kind: Style(color=style[ink].color, underline=kind == "wrong" or None)
                    for kind, ink in _INKS.items()
                },
            )
        )
        self.theme = "mds"
        self.refresh()

    def mark(self, wrong: Collection[int]) -> None:
        """Mark these lines as wrong, and no others."""
        if frozenset(wrong) != self._wrong:
            self._wrong = frozenset(wrong)
            self._build_highlight_map()
            self.refresh()

    def _build_highlight_map(self) -> None:
        self._line_cache.clear()
        highlights = self._highlights
        highlights.clear()
        highlights.update(highlights_of(self.document.text, self._wrong))
