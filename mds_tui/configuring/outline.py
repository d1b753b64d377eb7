"""What the form shows: sections and their settings, from the schema itself. Pure: no widget in sight."""

import types
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from mds_engine.config.edit import UNSET
from mds_engine.config.example import field_documents
from mds_engine.config.load import Plugin
from mds_engine.config.masking import is_masked
from mds_engine.config.positions import Path
from mds_engine.config.schema import Config, ExchangeSettings, RouteSettings
from mds_engine.config.secret import Secret
from mds_engine.errors import ConfigError

from mds_tui.configuring.draft import Draft

_HIDDEN = "(set, not shown)"


class Section(NamedTuple):
    """One table of the file."""

    path: Path
    title: str
    group: str
    struct: type[msgspec.Struct]
    about: str


class Setting(NamedTuple):
    """One setting of a section, as the form shows it."""

    path: Path
    kind: str
    """`switch`, `choice`, `number`, `whole`, `text`, `list` or `secret`."""
    value: Any
    """What the text says; UNSET where it says nothing."""
    usual: Any
    """What holds where the text says nothing."""
    choices: tuple[str, ...]
    about: str
    required: bool

    @property
    def name(self) -> str:
        """Its key."""
        return self.path[-1]

    @property
    def is_set(self) -> bool:
        """Whether the text says anything of it."""
        return self.value is not UNSET

    @property
    def words(self) -> str:
        """What holds, to be read; a secret is never among it."""
        value = self.value if self.is_set else self.usual
        if self.kind == "secret":
            return _HIDDEN if is_masked(value) else str(value or "")
        return in_words(value)

    @property
    def typed(self) -> str:
        """What stands on the line when it begins to be typed over."""
        if self.kind == "secret" and is_masked(self.value):
            return ""
        return self.words if self.is_set else ""


def in_words(value: Any) -> str:
    """A value as it is typed in the form."""
    if value is None or value is UNSET or isinstance(value, Secret):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def sections(draft: Draft) -> tuple[Section, ...]:
    """Those that have a form: each source, each exchange's routes, and the settings of all."""
    found: list[Section] = []
    for name in draft.tables("sources"):
        plugin = draft.file.plugins.get(str(draft.value(("sources", name, "kind"))))
        if plugin is not None:
            found.append(Section(("sources", name), name, "sources", plugin.settings, "One vendor account."))
    for name in draft.tables("routes"):
        about = _about(ExchangeSettings)
        found.append(Section(("routes", name), name, "routes", ExchangeSettings, about))
        table = draft.value(("routes", name))
        found += [
            Section(("routes", name, part), f"{name} {part}", "routes", RouteSettings, _about(RouteSettings))
            for part in ("quote", "bars", "ticks")
            if isinstance(table, Mapping) and part in table
        ]
    for field in msgspec.structs.fields(Config):
        if field.name not in ("sources", "exchanges"):
            found.append(Section((field.name,), field.name, "settings", field.type, _about(field.type)))
    return tuple(found)


def settings_of(section: Section, draft: Draft, themes: tuple[str, ...] = ()) -> tuple[Setting, ...]:
    """Every setting of a section, in the order of the schema; those that are tables have a section."""
    documents = _documents(section.struct)
    known = draft.tables("sources")
    return tuple(
        Setting(
            path=(*section.path, field.name),
            kind=_kind(field.type, field.name),
            value=draft.value((*section.path, field.name)),
            usual=_usual(field),
            choices=_choices(field, draft.file.plugins, themes),
            about=_with_known(documents.get(field.name, ""), field.name, known),
            required=field.required,
        )
        for field in msgspec.structs.fields(section.struct)
        if not _is_table(field.type)
    )


def parse_typed(setting: Setting, typed: str) -> Any:
    """What was typed as a value for the file; nothing typed is UNSET. Raises ConfigError."""
    typed = typed.strip()
    if not typed and setting.kind != "text":
        return UNSET
    match setting.kind:
        case "number" | "whole":
            if typed.startswith("${"):
                return typed
            return _number(setting, typed.replace(",", ""))
        case "list":
            return [part.strip() for part in typed.split(",") if part.strip()]
        case "switch":
            if typed.casefold() not in _SWITCH:
                raise ConfigError(f"{setting.name} is yes or no")
            return _SWITCH[typed.casefold()]
        case _:
            return typed


def new_table(typed: str, kinds: Collection[str]) -> tuple[Path, str]:
    """What was typed as a new table, and the lines that it begins with: `KIND NAME` is a source, `KIND` one
    of that name, anything else in capitals the routes of an exchange. Raises ConfigError."""
    words = typed.split()
    if words and words[0] in kinds and len(words) <= 2:
        return ("sources", words[-1]), f'kind = "{words[0]}"'
    if len(words) == 1 and words[0].isupper():
        return ("routes", words[0]), ""
    raise ConfigError(
        f"type a vendor and a name, as `binance crypto`, or an exchange; there are {', '.join(kinds)}"
    )


def turned(setting: Setting, by: int) -> Any:
    """The next answer of a switch or a choice."""
    value = setting.value if setting.is_set else setting.usual
    if setting.kind == "switch":
        return not value
    place = setting.choices.index(value) if value in setting.choices else -by if by > 0 else 0
    return setting.choices[(place + by) % len(setting.choices)]


def _number(setting: Setting, typed: str) -> int | float:
    try:
        return int(typed) if setting.kind == "whole" or typed.lstrip("+-").isdigit() else float(typed)
    except ValueError:
        wanted = "a whole number" if setting.kind == "whole" else "a number"
        raise ConfigError(f"{setting.name} is {wanted}") from None


_SWITCH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def _kind(annotation: Any, name: str) -> str:
    kinds = set(_plain_types(annotation))
    if Secret in kinds:
        return "secret"
    if bool in kinds:
        return "switch"
    if any(get_origin(kind) is Literal for kind in kinds) or name in ("kind", "theme"):
        return "choice"
    if any(get_origin(kind) is tuple for kind in kinds):
        return "list"
    if float in kinds:
        return "number"
    return "whole" if int in kinds else "text"


def _plain_types(annotation: Any) -> tuple[Any, ...]:
    """The parts of an annotation, without what is said about them, and without None."""
    if hasattr(annotation, "__metadata__"):
        return _plain_types(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(
            kind for part in get_args(annotation) if part is not type(None) for kind in _plain_types(part)
        )
    return (annotation,)


def _is_table(annotation: Any) -> bool:
    return any(
        isinstance(kind, type) and issubclass(kind, msgspec.Struct) for kind in _plain_types(annotation)
    )


def _usual(field: Any) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _choices(field: Any, plugins: Mapping[str, Plugin], themes: tuple[str, ...]) -> tuple[str, ...]:
    if field.name == "kind":
        return tuple(plugins)
    if field.name == "theme":
        return themes
    return tuple(
        choice
        for kind in _plain_types(field.type)
        if get_origin(kind) is Literal
        for choice in get_args(kind)
        if isinstance(choice, str)
    )


def _with_known(about: str, name: str, sources: tuple[str, ...]) -> str:
    return f"{about} There are {', '.join(sources)}." if name == "sources" and sources else about


@cache
def _documents(struct: type[msgspec.Struct]) -> Mapping[str, str]:
    """What each field means, read from the source once; nothing where there is no source any more."""
    try:
        return field_documents(struct)
    except (OSError, SyntaxError):
        return {}


def _about(struct: type[msgspec.Struct]) -> str:
    return " ".join((struct.__doc__ or "").split())
