"""Every key of the console: which action it is for, by the action's lasting id, and where it holds.

A class that binds keys stands in a scope below; a test finds those that do not.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple

from mds_engine.control.registry import entry
from textual.binding import Binding
from textual.dom import DOMNode

from mds_tui.desk_layout import PANES
from mds_tui.tools import tool_named


class Scope(NamedTuple):
    """What is in reach at one time: the classes whose keys hold together."""

    name: str
    """As it is told: `on the desk`."""
    chain: tuple[str, ...]
    """`module:class`, the one that is asked first at the front."""
    typing: bool = False
    """Whether characters are typed there."""


class Action(NamedTuple):
    """One thing that a key does."""

    id: str
    """Empty for what is Textual's own and stays as it is."""
    keys: tuple[str, ...]
    """By default."""
    about: str
    scopes: tuple[str, ...]
    dangerous: bool = False
    typing: bool = False
    """Whether it holds where characters are typed, so that none of them can be its key."""


_APP = "mds_tui.app:ConsoleApp"
_DESK = ("mds_tui.screens.main:MainScreen", _APP)
_BUTTON = "textual.widgets:Button"
_CHOICE = "mds_tui.widgets.choice:Choice"
_LINES = "mds_tui.widgets.lines:Lines"

_RECORDED = ("mds_tui.replaying.screen:ReplayScreen", _APP)
_PANES = {name: f"mds_tui.panes.{name}:{name.capitalize()}Pane" for name in PANES}
_RECORDED_PANES = {**_PANES, "events": "mds_tui.replaying.events_pane:RecordedEventsPane"}

SCOPES = (
    *(Scope(f"on the desk, in {name}", (pane, *_DESK)) for name, pane in _PANES.items()),
    *(Scope(f"on a recording, in {name}", (pane, *_RECORDED)) for name, pane in _RECORDED_PANES.items()),
    Scope("on the : line", ("mds_tui.widgets.prompt:Prompt",), typing=True),
    Scope("in a dialog", (_CHOICE, _BUTTON, "mds_tui.screens.acting:FailOverDialog")),
    Scope(
        "in the limits",
        ("mds_tui.widgets.figure:Figure", _CHOICE, _BUTTON, "mds_tui.screens.limits:LimitDialog"),
    ),
    Scope("at a login", (_BUTTON, "mds_tui.screens.login:LoginScreen")),
    Scope("in the priorities", (_BUTTON, "mds_tui.screens.acting:PriorityDialog")),
    Scope("on a page", (_LINES, "mds_tui.screens.detail_page:DetailPage")),
    Scope("in a drill", (_LINES, "mds_tui.screens.drilling_page:DrillPage")),
    Scope("in the help", (_LINES, "mds_tui.screens.help:HelpPage")),
    Scope("in the keys", ("mds_tui.screens.keymap:KeymapEditor",)),
    Scope("in the configuration", ("mds_tui.configuring.screen:ConfigScreen",)),
    Scope("in the versions", ("mds_tui.configuring.versions_page:VersionsPage",)),
    Scope("in the tour", ("mds_tui.screens.tour:Tour",)),
    Scope("in the themes", ("mds_tui.screens.looks:ThemeChooser",)),
)


@cache
def actions() -> Mapping[str, Action]:
    """All actions that have an id, in the order of the scopes."""
    return {action.id: action for action in all_actions() if action.id}


@cache
def all_actions() -> tuple[Action, ...]:
    """Those without an id too: their keys are taken."""
    found: dict[tuple[str, str], Action] = {}
    for scope in SCOPES:
        for name in scope.chain:
            module, _, cls = name.partition(":")
            for binding in bindings_of(getattr(import_module(module), cls)):
                key = (binding.id or "", "" if binding.id else f"{scope.name} {binding.key}")
                before = found.get(key)
                found[key] = Action(
                    binding.id or "",
                    tuple(dict.fromkeys((*(before.keys if before else ()), *_keys(binding)))),
                    before.about if before else binding.description,
                    tuple(dict.fromkeys((*(before.scopes if before else ()), scope.name))),
                    is_dangerous(binding),
                    scope.typing or bool(before and before.typing),
                )
    return tuple(found.values())


def bindings_of(cls: type) -> Iterator[Binding]:
    """The bindings that its instances have, inherited ones too."""
    for base in cls.__mro__:
        for binding in vars(base).get("BINDINGS", ()):
            yield binding if isinstance(binding, Binding) else Binding(*binding)
        if not vars(base).get("_inherit_bindings", True) or base is DOMNode:
            return


def is_dangerous(binding: Binding) -> bool:
    """Whether its action changes where data comes from, or ends something."""
    action, _, argument = binding.action.partition("(")
    name = argument.rstrip(")").strip("'")
    if action == "act":
        return entry(name).dangerous
    if action == "tool":
        tool = tool_named(name)
        return tool is not None and tool.dangerous
    return action == "app.restart_engine"


def _keys(binding: Binding) -> tuple[str, ...]:
    from mds_tui.finding.key_names import key_of

    return tuple(
        key if len(key) > 1 else key_of(key) for key in (one.strip() for one in binding.key.split(","))
    )
