"""Ctrl+P: every command of the registry, the console's own tools, every theme, and all that has a name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from mds_engine.control.registry import REGISTRY, Entry
from textual.command import DiscoveryHit, Hit, Hits, Provider

from mds_tui.finding.key_names import shown_key
from mds_tui.finding.own_keys import own_keys
from mds_tui.finding.places import Place, places
from mds_tui.tools import TOOLS, Tool, is_offered, tool_named

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_MOST_PLACES = 20
"""Of those that have what was typed in their names: there may be thousands of instruments."""

_DEED = 1.25
"""How much more what can be done weighs than what only has a name."""


class Offer(NamedTuple):
    """One line of the palette."""

    title: str
    words: str
    """What is looked at, beside the title."""
    about: str
    run: Callable[[], object]


class RegistryCommands(Provider):
    """Those with a dialog open it; those that need words begin a `:` line; a place is gone to."""

    async def discover(self) -> Hits:
        """What can be done, and the panes."""
        for offer in (*self._deeds(), *self._gone_to("")):
            yield DiscoveryHit(offer.title, offer.run, help=offer.about)

    async def search(self, query: str) -> Hits:
        """Those that match; themes and all that has a name too."""
        matcher = self.matcher(query)
        named = ((offer, _DEED) for offer in self._deeds())
        others = ((offer, 1.0) for offer in (*self._themes(), *self._gone_to(query)))
        for offer, weight in (*named, *others):
            if (score := matcher.match(f"{offer.title} {offer.words}")) > 0:
                title = matcher.highlight(offer.title)
                yield Hit(score * weight, title, offer.run, help=offer.about)

    def _deeds(self) -> Iterator[Offer]:
        console = self._console
        for entry in REGISTRY:
            # Where a tool has the same name, it asks for what the command needs.
            if tool_named(entry.name) is None and (
                console.may_act or not (entry.dangerous or console.settings.locked)
            ):
                about = self._with_key(entry.about, f"act.{entry.name}", entry.key)
                yield Offer(entry.title, entry.name, about, partial(self._run, entry))
        for tool in TOOLS:
            if (console.may_act or not tool.dangerous) and is_offered(tool, console.settings):
                about = self._with_key(tool.about, f"tool.{tool.name}", tool.key)
                yield Offer(tool.name, tool.title, about, partial(self._open, tool))

    def _themes(self) -> Iterator[Offer]:
        tool = tool_named("theme")
        assert tool is not None
        for palette in self._console.themes.palettes.values():
            yield Offer(f"theme {palette.name}", "", palette.title, partial(self._use, tool, palette.name))

    def _gone_to(self, query: str) -> Iterator[Offer]:
        """Panes; with something typed, rows that have it in their names."""
        sought = query.casefold().split()[-1:]
        every = places(self._console.view().snapshot)
        panes = [place for place in every if not place.key]
        rows = [place for place in every if place.key and sought and sought[0] in place.key.casefold()]
        for place in (*panes, *rows[:_MOST_PLACES]):
            yield Offer(f"go to {place.name}", "", place.about, partial(self._go, place))

    def _with_key(self, about: str, action: str, usual: str) -> str:
        keys = own_keys(self._console).get(action, (usual,))
        return f"{about}  {shown_key(keys[0], plain=True)}" if keys[0] else about

    def _run(self, entry: Entry) -> None:
        desk = self._console.desk
        if self._console.feed.snapshot is None:
            self._console.notify("the engine is not up yet", severity="warning")
        elif entry.key:
            desk.action_act(entry.name)
        else:
            self._begin(entry.name)

    def _open(self, tool: Tool) -> None:
        """Those that need words begin a `:` line."""
        if tool.arguments and not tool.arguments.startswith("["):
            self._begin(tool.name)
        else:
            self._use(tool)

    def _use(self, tool: Tool, words: str = "") -> None:
        self._console.desk.call_later(self._console.desk.use_tool, tool, words)

    def _go(self, place: Place) -> None:
        # Nobody goes anywhere before the first paint.
        from mds_tui.screens.jump import go_to

        self._console.desk.call_later(go_to, self._console, place.pane, place.key)

    def _begin(self, name: str) -> None:
        """A line to be gone on with."""
        self._console.desk.call_later(self._console.desk.action_prompt, ":", f"{name} ")

    @property
    def _console(self) -> "ConsoleApp":
        return cast("ConsoleApp", self.app)
