"""Ctrl+P: every command of the registry, and the console's own words."""

from typing import TYPE_CHECKING, cast

from mds_engine.control.registry import REGISTRY, Entry
from textual.command import DiscoveryHit, Hit, Hits, Provider

from mds_tui.own_words import OWN_WORDS

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


class RegistryCommands(Provider):
    """Those with a dialog open it; the others begin a `:` line."""

    async def discover(self) -> Hits:
        """All of them."""
        for entry in self._allowed():
            yield DiscoveryHit(entry.title, lambda entry=entry: self._run(entry), help=entry.about)
        for word in OWN_WORDS:
            yield DiscoveryHit(word.name, lambda name=word.name: self._begin(name), help=word.about)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for entry in self._allowed():
            score = matcher.match(f"{entry.title} {entry.name}")
            if score > 0:
                text = matcher.highlight(entry.title)
                yield Hit(score, text, lambda entry=entry: self._run(entry), help=entry.about)
        for word in OWN_WORDS:
            if (score := matcher.match(word.name)) > 0:
                text = matcher.highlight(word.name)
                yield Hit(score, text, lambda name=word.name: self._begin(name), help=word.about)

    def _allowed(self) -> list[Entry]:
        read_only = self._console.settings.read_only
        return [entry for entry in REGISTRY if not (read_only and entry.dangerous)]

    def _run(self, entry: Entry) -> None:
        desk = self._console.desk
        if self._console.feed.snapshot is None:
            self._console.notify("the engine is not up yet", severity="warning")
        elif entry.key:
            desk.action_act(entry.name)
        else:
            self._begin(entry.name)

    def _begin(self, name: str) -> None:
        """A line to be gone on with."""
        self._console.desk.call_later(self._console.desk.action_prompt, ":", f"{name} ")

    @property
    def _console(self) -> "ConsoleApp":
        return cast("ConsoleApp", self.app)
