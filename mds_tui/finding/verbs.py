"""What may stand first on the `:` line, and what it takes: from the registry and the table of tools."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from mds_engine.control.registry import REGISTRY, Entry

from mds_tui.tools import TOOLS, Tool


class Argument(NamedTuple):
    """One value of a command."""

    name: str
    """The field of the command; for a tool, the word that its table uses."""
    required: bool = False
    many: bool = False
    number: bool = False
    whole: bool = False
    """A number without a fraction."""
    choices: tuple[str, ...] = ()
    """All there are, where that is known without looking at the engine."""
    may_be_none: bool = False
    default: str = ""


class Verb(NamedTuple):
    """One word of the `:` line."""

    name: str
    about: str
    places: tuple[Argument, ...] = ()
    """Given by place."""
    options: tuple[Argument, ...] = ()
    """Given as `--name value`; those with a place too."""
    dangerous: bool = False
    engines: bool = True
    """False for what the console does itself: its words are not looked at here."""


@cache
def verbs() -> Mapping[str, Verb]:
    """All of them, by name."""
    found = [*(_of_entry(entry) for entry in REGISTRY), *(_of_tool(tool) for tool in TOOLS)]
    return {verb.name: verb for verb in found}


def _of_entry(entry: Entry) -> Verb:
    fields = {field.name: _argument(field) for field in msgspec.structs.fields(entry.command)}
    # Who asks is known; nobody speaks for somebody else here.
    options = tuple(argument for name, argument in fields.items() if name != "by")
    placed = tuple(fields[name] for name in entry.positional)
    return Verb(entry.name, entry.about, placed, options, entry.dangerous)


def _of_tool(tool: Tool) -> Verb:
    places = tuple(
        Argument(word.strip("[]."), required=not word.startswith("[")) for word in tool.arguments.split()
    )
    return Verb(tool.name, tool.about, places, dangerous=tool.dangerous, engines=False)


def _argument(field: msgspec.structs.FieldInfo) -> Argument:
    kinds = _kinds(msgspec.inspect.type_info(field.type))
    choices: tuple[str, ...] = ()
    for kind in kinds:
        if isinstance(kind, msgspec.inspect.EnumType):
            choices += tuple(str(one.value) for one in kind.cls)
        elif isinstance(kind, msgspec.inspect.BoolType):
            choices += ("true", "false")
        elif isinstance(kind, msgspec.inspect.LiteralType):
            choices += tuple(str(value) for value in kind.values)
    whole = any(isinstance(kind, msgspec.inspect.IntType) for kind in kinds)
    many = (msgspec.inspect.VarTupleType, msgspec.inspect.ListType)
    default = field.default
    known = default is not msgspec.NODEFAULT and default is not None and default != ""
    return Argument(
        field.name,
        required=field.required,
        many=any(isinstance(kind, many) for kind in kinds),
        number=whole or any(isinstance(kind, msgspec.inspect.FloatType) for kind in kinds),
        whole=whole,
        choices=choices,
        may_be_none=any(isinstance(kind, msgspec.inspect.NoneType) for kind in kinds),
        default=_written(default) if known else "",
    )


def _kinds(kind: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, ...]:
    return tuple(kind.types) if isinstance(kind, msgspec.inspect.UnionType) else (kind,)


def _written(value: Any) -> str:
    """A default as it would be typed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
