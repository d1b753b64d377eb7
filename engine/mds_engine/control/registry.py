"""One table of what an operator can do. Keys, help, palette, `:` line, CLI and API all read it."""

import shlex
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import msgspec

from mds_engine.control import commands
from mds_engine.control.commands import Command
from mds_engine.errors import InvalidRequest
from mds_engine.secret import Secret


class Entry(NamedTuple):
    """One command, as an operator meets it."""

    name: str
    """Its word on the `:` line, in the palette, over HTTP, and its tag in a log."""
    command: type[Command]
    title: str
    """Two or three words, for a footer or a palette."""
    about: str
    """One sentence, for help."""
    key: str = ""
    """The console's key; empty if it has none of its own."""
    dangerous: bool = True
    """Changes where data comes from or whether it flows: needs a confirmation, and arming where read-only."""
    positional: tuple[str, ...] = ()
    """Fields that are given by place on the `:` line; the rest are `--name value`."""


REGISTRY: tuple[Entry, ...] = (
    Entry(
        "fail-over",
        commands.FailOver,
        "fail over",
        "Move a route to the next source, or to the one you name; it fails back by itself.",
        key="F",
        positional=("route", "to"),
    ),
    Entry(
        "pin",
        commands.Pin,
        "force source",
        "Force a route onto one source for a while, whatever its priorities say.",
        key="F",
        positional=("route", "source"),
    ),
    Entry(
        "automatic",
        commands.Unpin,
        "automatic",
        "Give a forced route back to automatic choice.",
        key="A",
        positional=("route",),
    ),
    Entry(
        "reset-breaker",
        commands.ResetBreaker,
        "reset breaker",
        "Close a source's breakers and forget what opened them.",
        key="R",
        positional=("source", "capability"),
    ),
    Entry(
        "force-breaker",
        commands.ForceBreaker,
        "force breaker",
        "Hold a source's breakers open or closed for a while.",
        key="B",
        positional=("source", "state", "capability"),
    ),
    Entry(
        "set-priority",
        commands.SetPriority,
        "priorities",
        "Reorder the sources of a route.",
        key="P",
        positional=("route", "sources"),
    ),
    Entry(
        "enable-source",
        commands.EnableSource,
        "enable",
        "Take a source into service, or out of it.",
        key="E",
        positional=("source", "enabled"),
    ),
    Entry(
        "restart-source",
        commands.RestartSource,
        "restart source",
        "Close a source and connect it anew; its limits, quotas and breakers keep what they know.",
        key="N",
        positional=("source",),
    ),
    Entry(
        "set-rate-limit",
        commands.SetRateLimit,
        "limits",
        "Change how much a source may be sent in a window.",
        key="M",
        positional=("source", "limit", "window_s", "group"),
    ),
    Entry(
        "check-health",
        commands.CheckHealth,
        "check now",
        "Run a source's active health check now.",
        key="c",
        dangerous=False,
        positional=("source",),
    ),
    Entry(
        "login",
        commands.Login,
        "log in",
        "Log in at a vendor whose credentials end: open its page, and bring back what it gives.",
        positional=("source",),
    ),
    Entry(
        "subscribe",
        commands.Subscribe,
        "watch",
        "Watch the live ticks of instruments.",
        dangerous=False,
        positional=("instruments",),
    ),
    Entry(
        "unsubscribe",
        commands.Unsubscribe,
        "unwatch",
        "Stop watching instruments.",
        dangerous=False,
        positional=("instruments",),
    ),
    Entry(
        "apply-config",
        commands.ApplyConfig,
        "apply the configuration",
        "Take what the configuration file says now; only what changed is touched.",
    ),
    Entry(
        "start-drill",
        commands.StartDrill,
        "start a drill",
        "Rehearse a fault of a source on our side of its connection; it ends by itself.",
        positional=("scenario", "target", "duration_s"),
    ),
    Entry(
        "end-drill",
        commands.EndDrill,
        "end the drill",
        "End the fault of the drill at once; said again, end the watching of its recovery too.",
    ),
)


def entry(name: str) -> Entry:
    """The entry of that name. Raises InvalidRequest with the nearest name."""
    for candidate in REGISTRY:
        if candidate.name == name:
            return candidate
    names = [candidate.name for candidate in REGISTRY]
    nearest = _nearest(name, names)
    raise InvalidRequest(f"there is no command {name!r}; did you mean {nearest!r}?")


def entry_of(command: Command) -> Entry:
    """The entry that a command belongs to."""
    return next(candidate for candidate in REGISTRY if candidate.command is type(command))


def parse(line: str, *, by: str) -> Command:
    """A command from one line, as `pin NSE/quote yahoo --ttl_s 600 --why "kite lags"`.

    `none` stands for no value. Lists take words up to the next option.
    Raises InvalidRequest, saying what was wrong.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidRequest(f"cannot read {line!r}: {error}") from None
    if not words:
        raise InvalidRequest("no command was given")
    return build(entry(words[0]), words[1:], by=by)


def build(chosen: Entry, words: Sequence[str], *, by: str) -> Command:
    """A command from its entry and its words. Raises InvalidRequest."""
    values: dict[str, Any] = {"by": by}
    fields = {field.name: field for field in msgspec.structs.fields(chosen.command)}
    lists = {name for name, field in fields.items() if "tuple" in str(field.type)}
    places = list(chosen.positional)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name = word[2:].replace("-", "_")
            if name not in fields:
                nearest = _nearest(name, list(fields))
                raise InvalidRequest(f"{chosen.name} has no option {word}; did you mean --{nearest}?")
            if Secret in get_args(fields[name].type):
                raise InvalidRequest(f"{chosen.name}: {word} is a secret, and is not typed where it is shown")
            if not rest:
                raise InvalidRequest(f"{chosen.name}: {word} needs a value")
            values[name] = _value(rest.pop(0))
        elif places and places[0] in lists:
            values.setdefault(places[0], []).append(word)
        elif places:
            values[places.pop(0)] = _value(word)
        else:
            raise InvalidRequest(f"{chosen.name} takes {_usage(chosen)}; {word!r} is one too many")
    try:
        command: Command = msgspec.convert(values, chosen.command, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"{chosen.name} takes {_usage(chosen)}: {error}") from None
    return command


def _value(word: str) -> str | None:
    return None if word.lower() == "none" else word


def _usage(chosen: Entry) -> str:
    required = {field.name for field in msgspec.structs.fields(chosen.command) if field.required}
    return " ".join(name.upper() if name in required else f"[{name.upper()}]" for name in chosen.positional)


def _nearest(word: str, words: Sequence[str]) -> str:
    # Only a mistake needs it, and the screen does not wait for its import.
    from rapidfuzz import process

    return process.extractOne(word, words)[0]
