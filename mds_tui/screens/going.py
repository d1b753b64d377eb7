"""The tool `go`: to a pane, or to the row of a source, route or instrument, by its name."""

from typing import TYPE_CHECKING

from mds_tui.finding.places import place_named, places
from mds_tui.finding.typed import words_of
from mds_tui.screens.jump import go_to

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


def go(console: "ConsoleApp", words: str) -> None:
    """Be there, whatever has to be opened for it."""
    name = " ".join(word.text for word in words_of(words)).strip()
    snapshot = console.view().snapshot
    place = place_named(name, snapshot)
    if place is not None:
        go_to(console, place.pane, place.key)
        return
    from rapidfuzz import process

    near = process.extractOne(name, [one.name for one in places(snapshot)], score_cutoff=50.0)
    meant = f"; did you mean {near[0]}?" if near else ""
    console.notify(f"no pane, source, route or instrument is called {name!r}{meant}", severity="warning")
