"""What the console itself can name, for the arguments of its tools: themes, panes, rows, actions."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.control import Snapshot

from mds_tui.desk_layout import PANES
from mds_tui.finding.values import Candidate

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


def known_words(console: "ConsoleApp") -> Mapping[str, Callable[[], Iterable[Candidate]]]:
    """By the name of the argument; each is made when it is asked for."""
    return {
        "theme": lambda: (Candidate(one.name, one.title) for one in console.themes.palettes.values()),
        "place": lambda: (place.candidate for place in places(console.view().snapshot)),
    }


class Place(NamedTuple):
    """Somewhere on the desk: a pane, or a row of one."""

    pane: str
    key: str
    """Of the row; empty for the pane itself."""
    about: str

    @property
    def name(self) -> str:
        """As it is typed."""
        return self.key or self.pane

    @property
    def candidate(self) -> Candidate:
        """For the `:` line."""
        return Candidate(self.name, self.about)


def places(snapshot: Snapshot) -> list[Place]:
    """Panes, then sources, routes and instruments."""
    found = [Place(pane, "", f"pane {number}") for number, pane in enumerate(PANES, 1)]
    found += [Place("sources", source.name, f"source, {source.state.value}") for source in snapshot.sources]
    found += [
        Place("routes", route.key, f"route, {route.active} answers" if route.active else "route, down")
        for route in snapshot.routes
    ]
    found += [Place("watch", row.instrument, "instrument") for row in snapshot.watch]
    return found


def place_named(name: str, snapshot: Snapshot) -> Place | None:
    """The one of that name, whatever its case; else the only one that has it inside."""
    every, sought = places(snapshot), name.casefold()
    for place in every:
        if place.name.casefold() == sought:
            return place
    inside = [place for place in every if sought in place.name.casefold()]
    return inside[0] if len(inside) == 1 else None
