"""What is done once the first picture of the console is there: keys of one's own, and the first tour."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


def begin(console: "ConsoleApp") -> None:
    """Take the keymap, if there is one; show the tour, if it never was."""
    keys, tour = console.settings.keymap_file, console.settings.tour_file
    keys = keys if keys is not None and keys.exists() else None
    tour = tour if tour is not None and not tour.exists() else None
    if keys is not None or tour is not None:
        console.run_worker(_begin(console, keys, tour), name="begin", group="begin", exit_on_error=False)


async def _begin(console: "ConsoleApp", keys: Path | None, tour: Path | None) -> None:
    from mds_tui.finding.catalogue import all_actions
    from mds_tui.finding.own_keys import take_keymap, tell_problems
    from mds_tui.screens.tour import open_tour

    # It imports every screen that there is: beside the loop, which has keys to answer.
    await asyncio.to_thread(all_actions)
    problems = take_keymap(console, keys).problems if keys is not None else ()
    # An engine that could not begin is looked at first: the tour comes with the next start.
    if tour is not None and console.screen is console.desk and console.feed.failure is None:
        open_tour(console)
    tell_problems(console, problems)
