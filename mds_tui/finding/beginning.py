"""What is done once the first picture of the console is there: keys of one's own, and the first tour."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


def begin(console: "ConsoleApp") -> None:
    """Take the keymap, if there is one; show the tour, if it never was."""
    settings = console.settings
    if settings.keymap_file is not None and settings.keymap_file.exists():
        from mds_tui.finding.own_keys import take_keymap, tell_problems

        tell_problems(console, take_keymap(console, settings.keymap_file).problems)
    if settings.tour_file is not None and not settings.tour_file.exists():
        from mds_tui.screens.tour import open_tour

        open_tour(console)
