"""config.toml.example: complete, right, and every setting in it is read."""

import ast
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import tomli_w
from mds_engine.config.example import example_text, field_documents
from mds_engine.config.load import parse_config
from mds_engine.config.schema import Config, ExchangeSettings, RouteSettings
from mds_engine.config.secret import Secret
from mds_engine.model import Capability
from mds_engine.sources.alphavantage import plugin as alphavantage
from mds_engine.sources.binance import plugin as binance
from mds_engine.sources.kite import plugin as kite
from mds_engine.sources.yahoo import plugin as yahoo

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = {"kite": kite, "yahoo": yahoo, "alphavantage": alphavantage, "binance": binance}
NAMES = {"zerodha": kite, "yahoo": yahoo, "alphavantage": alphavantage, "binance": binance}
SECTIONS = {
    field.name: field.type
    for field in msgspec.structs.fields(Config)
    if field.name not in ("sources", "exchanges")
}
TABLES: dict[tuple[str, ...], type[msgspec.Struct]] = {
    **{(name,): struct for name, struct in SECTIONS.items()},
    **{("sources", name): plugin.settings for name, plugin in NAMES.items()},
    ("routes", "NSE"): ExchangeSettings,
    ("routes", "NSE", "bars"): RouteSettings,
}
SETTINGS = [
    (path, field.name)
    for path, struct in TABLES.items()
    for field in msgspec.structs.fields(struct)
    # The kind chooses the type of the whole table; capabilities of an exchange are tables of their own.
    if field.name not in ("kind", *Capability)
]


def document() -> dict[str, Any]:
    return tomllib.loads((ROOT / "config.toml.example").read_text(encoding="utf-8"))


def table(whole: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for part in path:
        whole = whole[part]
    return whole


def test_the_file_is_what_the_settings_say():
    text = (ROOT / "config.toml.example").read_text(encoding="utf-8")
    assert text == example_text(PLUGINS), "run: mds-tui config example > config.toml.example"


def test_as_it_stands_it_changes_nothing_but_sources_and_routes():
    config = parse_config((ROOT / "config.toml.example").read_text(encoding="utf-8"), PLUGINS, {}).config
    assert msgspec.structs.replace(config, sources={}, exchanges={}) == Config()
    for name, plugin in NAMES.items():
        assert config.sources[name] == plugin.settings(kind=plugin.kind)


@pytest.mark.parametrize(
    "struct",
    sorted(set(TABLES.values()), key=lambda struct: struct.__name__),
    ids=lambda struct: struct.__name__,
)
def test_every_field_is_documented(struct):
    documents = field_documents(struct)
    assert {field.name for field in msgspec.structs.fields(struct)} <= set(documents)
    assert [name for name, text in documents.items() if len(text) < 10] == []


def test_seconds_are_named_seconds():
    for struct in set(TABLES.values()):
        for name, text in field_documents(struct).items():
            assert not name.endswith("_s") or "second" in text.lower() or "time" in text.lower(), (
                struct,
                name,
            )


CHANGED: dict[str, Any] = {
    "endpoints": ["https://other"],
    "stream_endpoints": ["wss://other"],
    "sources": ["binance"],
    "watch": ["NSE:TCS"],
    "cost_per_call": "0.5",
    "cost_per_month": "7",
    "currency": "EUR",
    "failback": "preemptive",
    "stream_mode": "ltp",
}
"""Where another value cannot be guessed from the default."""


def another(struct: type[msgspec.Struct], name: str) -> Any:
    """A valid value that is not the default."""
    if name in CHANGED:
        return CHANGED[name]
    field = next(field for field in msgspec.structs.fields(struct) if field.name == name)
    default = field.default
    if isinstance(default, bool) or bool in get_args(field.type):
        return not default
    if default is None:
        return 3
    if isinstance(default, Secret):
        return "another"
    if isinstance(default, int):
        return default + 1
    if isinstance(default, float):
        return round(default * 0.9, 6)
    if isinstance(default, tuple):
        return ["another"]
    return "another"


@pytest.mark.parametrize(
    ("path", "name"), [pytest.param(*it, id=".".join((*it[0], it[1]))) for it in SETTINGS]
)
def test_every_setting_that_is_documented_is_read(path, name, before):
    struct = TABLES[path]
    value = another(struct, name)
    changed = document()
    table(changed, path)[name] = value
    after = parse_config(tomli_w.dumps(changed), PLUGINS, {}).config
    assert getattr(part(before, path), name) != getattr(part(after, path), name)


@pytest.fixture(scope="module")
def before() -> Config:
    return parse_config(tomli_w.dumps(document()), PLUGINS, {}).config


def part(config: Config, path: tuple[str, ...]) -> Any:
    if path[0] == "routes":
        exchange = config.exchanges[path[1]]
        return getattr(exchange, path[2]) if len(path) > 2 else exchange
    return config.sources[path[1]] if path[0] == "sources" else getattr(config, path[0])


def attributes_read(*folders: str, but: tuple[str, ...] = ()) -> set[str]:
    """Names that are read as attributes, or passed to getattr, in the code of these folders."""
    found: set[str] = set()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            if any(str(file).startswith(str(ROOT / other)) for other in but):
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    found.add(node.attr)
    return found


@pytest.fixture(scope="module")
def read_outside() -> set[str]:
    return attributes_read("engine/mds_engine", "mds_tui", but=("engine/mds_engine/config",))


THROUGH = {
    "attempt_timeout_s": "timeout_s",
    "log_path": "log_file",
    "priority": "route",
    "state_path": "state_file",
    "watch": "watched",
}
"""Settings that the configuration itself resolves, with what is asked for instead."""


@pytest.mark.parametrize(
    ("path", "name"), [pytest.param(*it, id=".".join((*it[0], it[1]))) for it in SETTINGS]
)
def test_every_setting_is_used_by_what_runs(path, name, read_outside):
    assert THROUGH.get(name, name) in read_outside


@pytest.mark.parametrize("section", [name for name in SECTIONS if name not in ("engine", "console")])
def test_every_section_reaches_the_engine(section, read_outside):
    assert section in read_outside
