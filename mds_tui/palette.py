"""Ctrl+P: every command of the registry, and the console's own words."""

from typing import TYPE_CHECKING, cast

from mds_engine.control.registry import REGISTRY, Entry
from textual.command import DiscoveryHit, Hit, Hits, Provider

from mds_tui.tools import TOOLS, Tool, tool_named

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


class RegistryCommands(Provider):
    """Those with a dialog open it; the others begin a `:` line."""

    async def discover(self) -> Hits:
        """All of them."""
        for entry in self._allowed():
            yield DiscoveryHit(entry.title, lambda entry=entry: self._run(entry), help=entry.about)
        for tool in self._tools():
            yield DiscoveryHit(tool.name, lambda tool=tool: self._open(tool), help=tool.about)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for entry in self._allowed():
            score = matcher.match(f"{entry.title} {entry.name}")
            if score > 0:
                text = matcher.highlight(entry.title)
                yield Hit(score, text, lambda entry=entry: self._run(entry), help=entry.about)
        for tool in self._tools():
            if (score := matcher.match(f"{tool.name} {tool.title}")) > 0:
                text = matcher.highlight(tool.name)
                yield Hit(score, text, lambda tool=tool: self._open(tool), help=tool.about)

    def _allowed(self) -> list[Entry]:
        return [
            entry
            for entry in REGISTRY
            # Where a tool has the same name, it asks for what the command needs.
            if tool_named(entry.name) is None and (self._console.may_act or not entry.dangerous)
        ]

    def _tools(self) -> list[Tool]:
        console = self._console
        return [
            tool
            for tool in TOOLS
            if (console.may_act or not tool.dangerous)
            and (console.settings.read_only or not tool.if_read_only)
        ]

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
            self._console.desk.call_later(self._console.desk.use_tool, tool)

    def _begin(self, name: str) -> None:
        """A line to be gone on with."""
        self._console.desk.call_later(self._console.desk.action_prompt, ":", f"{name} ")

    @property
    def _console(self) -> "ConsoleApp":
        return cast("ConsoleApp", self.app)
