"""The tool `theme`: take the theme that is named, or choose among them; what is kept is remembered."""

from typing import TYPE_CHECKING

from mds_tui.remembered import keep_theme
from mds_tui.screens.looks import ThemeChooser

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


def choose_theme(console: "ConsoleApp", words: str) -> None:
    """Take and keep the theme `words`; without a name, try the themes on and keep one, or none."""
    palettes = console.themes.palettes
    before = console.theme
    if words:
        if words in palettes:
            console.theme = words
            _keep(console, words)
        else:
            known = ", ".join(palettes)
            console.notify(f"there is no theme {words}; known are {known}", title="theme", severity="error")
        return

    def chosen(name: str | None) -> None:
        _set(name or before)
        if name is not None:
            _keep(console, name)

    def _set(name: str) -> None:
        console.theme = name

    console.push_screen(ThemeChooser(list(palettes.values()), before, console.paint, _set), chosen)


def _keep(console: "ConsoleApp", name: str) -> None:
    settings = console.settings
    if settings.looks_file is not None:
        words, kept = keep_theme(settings.looks_file, name, settings.configured_theme)
        console.notify(words, title="theme", severity="information" if kept else "warning")
