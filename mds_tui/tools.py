"""What the console itself can do beside the engine's commands: keys, `:` line, palette and help read it.

A tool opens something, or does something with what is on the screen. The engine
hears of it only through the commands that the tool sends.
"""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp
    from mds_tui.settings import ConsoleSettings


class Tool(NamedTuple):
    """One of them, as an operator meets it."""

    name: str
    """Its word on the `:` line and in the palette."""
    key: str
    """Its key on the desk, as Textual names keys; empty if it has none."""
    title: str
    """One or two words, for the footer."""
    about: str
    """One or two sentences, for help."""
    opener: str
    """`module:function`, imported when it is first wanted; see `run`."""
    dangerous: bool = False
    """Greyed while acting is not allowed."""
    if_read_only: bool = False
    """Offered only where the console was opened read-only, and can be armed."""
    local: bool = False
    """Reads or writes files of this machine: not offered to somebody who is elsewhere, in a browser."""
    arguments: str = ""
    """What may follow on the `:` line, for help."""
    remembered: int | None = None
    """How many words after its name the history keeps; None means all."""


TOOLS: tuple[Tool, ...] = (
    Tool(
        "jump",
        "semicolon",
        "jump",
        "Put a label on every pane and every row in sight; pressing one is being there.",
        "mds_tui.screens.jump:open_jump",
    ),
    Tool(
        "go",
        "",
        "go to",
        "Go to a pane, or to the row of a source, route or instrument.",
        "mds_tui.screens.going:go",
        arguments="place",
    ),
    Tool(
        "keymap",
        "",
        "keys",
        "See which key does what, and change it.",
        "mds_tui.screens.keymap:open_keymap",
        arguments="[words]",
    ),
    Tool(
        "tour",
        "",
        "tour",
        "Five short screens on what the console shows and does.",
        "mds_tui.screens.tour:open_tour",
    ),
    Tool(
        "theme",
        "t",
        "choose a theme",
        "Try the themes on and keep one; or take the one that you name.",
        "mds_tui.screens.choosing_looks:choose_theme",
        arguments="[theme]",
    ),
    Tool(
        "arm",
        "W",
        "arm",
        "Let a read-only console act for 5, 15 or 60 minutes; again, to end that at once.",
        "mds_tui.screens.arming:arm",
        if_read_only=True,
    ),
    Tool(
        "config",
        "C",
        "configuration",
        "Look at the configuration and change it: a form and the text, what a change would do, and earlier "
        "versions.",
        "mds_tui.configuring.opened:open_configuration",
        local=True,
        arguments="[source]",
    ),
    Tool(
        "export",
        "",
        "export",
        "Write the rows of the focused pane, filtered and sorted as they are, to FILE.csv or FILE.json; "
        "without a name, to both in the state folder.",
        "mds_tui.screens.exporting:export_focused",
        local=True,
        arguments="file",
    ),
    Tool(
        "login",
        "L",
        "log in",
        "Log in at a vendor whose credentials end: its page as an address and as a QR code, and a masked "
        "line for what the page gives.",
        "mds_tui.screens.login:open_login",
        local=True,
        dangerous=True,
        arguments="[source]",
        remembered=1,  # what follows by mistake is a secret
    ),
    Tool(
        "drill",
        "D",
        "drill",
        "Rehearse a fault of a source, on our side of its connection; while it runs, see its scorecard.",
        "mds_tui.screens.drilling:open_drill",
        dangerous=True,
        arguments="[source] [scenario]",
    ),
    Tool(
        "scorecard",
        "",
        "scorecard",
        "The drill that runs, or the result of the last one.",
        "mds_tui.screens.drilling:open_scorecard",
    ),
    Tool(
        "seek",
        "",
        "seek",
        "In a recording: go to a time of it, as 14:03:21, or +30s, -5m, start, end.",
        "mds_tui.replaying.words:seek",
        arguments="time",
    ),
    Tool(
        "speed",
        "",
        "speed",
        "In a recording: play it so many times as fast as it came; max is as fast as can be.",
        "mds_tui.replaying.words:speed",
        arguments="times",
    ),
)


def tool_named(name: str) -> Tool | None:
    """The tool of that name."""
    return next((tool for tool in TOOLS if tool.name == name), None)


def tool_of_line(line: str) -> tuple[Tool, str] | None:
    """The tool that a `:` line begins with, and what follows; None if it begins with none."""
    name, _, words = line.partition(" ")
    tool = tool_named(name)
    return None if tool is None else (tool, words.strip())


def remembered_line(line: str) -> str:
    """A `:` line as the history may keep it."""
    found = tool_of_line(line)
    if found is None or found[0].remembered is None:
        return line
    return " ".join(line.split()[: 1 + found[0].remembered])


def is_offered(tool: Tool, settings: "ConsoleSettings") -> bool:
    """Whether a console that is set so has it at all."""
    return (settings.armable or not tool.if_read_only) and not (tool.local and settings.in_browser)


def run(tool: Tool, console: "ConsoleApp", words: str = "") -> None:
    """Open it. Its opener is called with the app, and with what followed its name on the `:` line."""
    if tool.local and console.settings.in_browser:
        console.notify("not in a browser: that is done on the engine's machine", title=tool.name)
        return
    module, _, function = tool.opener.partition(":")
    getattr(import_module(module), function)(console, words)
