"""config.toml.example, made from the settings themselves, so that no setting is forgotten or misquoted.

The file in the repository is the output of `mds-tui config example`; a test
says so if it is not.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mds_engine.config.environment import ENVIRONMENT_NAMES
from mds_engine.config.load import Plugin
from mds_engine.config.schema import Config, ExchangeSettings, RouteSettings
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.toml_text import setting_text

_WIDTH = 110
_FIRST = {"kite": "zerodha", "yahoo": "yahoo", "alphavantage": "alphavantage", "binance": "binance"}
"""The vendors that come first, with the names that their sources have in the example."""

_HEAD = """\
# Every setting of mds-tui, with its meaning, unit and default. As it stands, this file changes nothing
# but the keys and the sources that are there.
#
#   mds-tui config init     writes a first file that is much shorter than this one
#   mds-tui config check    says all that is wrong with yours
#   mds-tui config show     prints what is in force, and where each value comes from
#
# "${NAME}" in a value stands for the environment variable NAME, "${NAME:-text}" has a default, and "$${"
# stands for "${" itself. docs/configuration.md lists the environment names that work without being
# written here. A setting behind a comment sign is unset by default.
"""

_ROUTES = """\

# --- Routes -------------------------------------------------------------------------------------------
# [routes.EXCHANGE] is about all routes of an exchange, [routes.EXCHANGE.CAPABILITY] about one of them;
# capabilities are quote, bars and ticks. An exchange that is not named here is served by all sources
# that can, by priority. Sources that lack a capability are passed over.
"""


def example_text(plugins: Mapping[str, Plugin]) -> str:
    """The example, for these vendors."""
    parts = [_HEAD]
    sections = [
        (field.name, field.type)
        for field in msgspec.structs.fields(Config)
        if field.name not in ("sources", "exchanges")
    ]
    parts += [_section(name, struct) for name, struct in sections[:1]]
    parts.append(_rule("Sources: one block for each account at a vendor; the name is yours to choose"))
    shown: set[str] = set()
    kinds = [kind for kind in _FIRST if kind in plugins] + [kind for kind in plugins if kind not in _FIRST]
    parts += [_source(kind, plugins[kind].settings, shown) for kind in kinds]
    parts.append(_routes([_FIRST.get(kind, kind) for kind in kinds[:2]]))
    parts.append(_rule("Policies: one of each for all sources"))
    parts += [_section(name, struct) for name, struct in sections[1:]]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def field_documents(struct: type[msgspec.Struct]) -> dict[str, str]:
    """What the string below each field says, of the struct and of those that it extends."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if not issubclass(base, msgspec.Struct) or base is msgspec.Struct:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for statement, below in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                text = below.value.value if is_text else ""  # type: ignore[attr-defined]
                found[statement.target.id] = " ".join(str(text).split())
    return found


def _section(name: str, struct: type[msgspec.Struct]) -> str:
    return "\n".join([f"[{name}]", *_fields(struct, {})])


def _source(kind: str, settings: type[SourceSettings], shown: set[str]) -> str:
    """All fields of the first source; of the others what they add, or have another default for."""
    shared = {field.name: field.default for field in msgspec.structs.fields(SourceSettings)}
    fields = msgspec.structs.fields(settings)
    skipped = {
        field.name
        for field in fields
        if shown and field.name in shared and field.name != "kind" and field.default == shared[field.name]
    }
    shown.update(field.name for field in fields)
    lines = [f"[sources.{_FIRST.get(kind, kind)}]", *_fields(settings, {"kind": kind}, skipped)]
    if skipped:
        lines.append("# … and the settings that all vendors share, as above.")
    return "\n".join(lines)


def _routes(names: list[str]) -> str:
    lines = ["[routes.NSE]", *_fields(ExchangeSettings, {"sources": names}, {"quote", "bars", "ticks"})]
    lines += ["", "[routes.NSE.bars]", *_fields(RouteSettings, {"sources": names[::-1]})]
    return _ROUTES + "\n".join(lines)


def _fields(
    struct: type[msgspec.Struct], given: Mapping[str, Any], skipped: set[str] | None = None
) -> Iterator[str]:
    documents = field_documents(struct)
    for field in msgspec.structs.fields(struct):
        if skipped and field.name in skipped:
            continue
        yield from (f"# {line}" for line in textwrap.wrap(documents[field.name], _WIDTH - 2))
        value = given.get(field.name, field.default)
        if field.default_factory is not msgspec.NODEFAULT and field.name not in given:
            value = field.default_factory()
        if value is None:
            yield f"# {field.name} ="
        elif isinstance(value, Secret):
            yield f'{field.name} = "${{{_variable(given.get("kind", "mds"), field.name)}:-}}"'
        else:
            yield setting_text(field.name, msgspec.to_builtins(value))


def _variable(kind: str, setting: str) -> str:
    """The environment name that a secret of a vendor usually has."""
    for entry in ENVIRONMENT_NAMES:
        if (entry.kind, entry.setting) == (kind, setting):
            return entry.name
    return f"{kind}_{setting}".upper()


def _rule(title: str) -> str:
    return f"\n# --- {title} ".ljust(_WIDTH - 4, "-")
