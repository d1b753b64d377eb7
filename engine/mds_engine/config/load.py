"""From a TOML file and the environment to a checked `Config`.

Precedence, the strongest first: the environment names of
`mds_engine.config.environment`, the file (with `${NAME}` replaced), the
defaults.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, Protocol

import msgspec

from mds_engine.config.build import build
from mds_engine.config.checks import check_console, check_route_names, check_routes, check_source
from mds_engine.config.environment import overlay
from mds_engine.config.permissions import exposure
from mds_engine.config.positions import Path, key_lines, line_of
from mds_engine.config.problems import InvalidConfigError, Problem, did_you_mean
from mds_engine.config.schema import Config, EngineSettings, ExchangeSettings
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.substitution import substitute


class Plugin(Protocol):
    """What the loader needs of a vendor's plugin: config may not import sources, which stand beside it."""

    @property
    def settings(self) -> type[SourceSettings]:
        """The type of the vendor's `[sources.NAME]`."""
        ...

    @property
    def needs_key(self) -> bool:
        """Whether nothing works without credentials."""
        ...


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration and where it came from."""

    config: Config
    file: FilePath | None = None
    """None if there is no file and everything is a default."""
    origins: Mapping[Path, str] = msgspec.field(default_factory=dict)
    """Where each value that is no default came from, as `config.toml:12` or `environment KITE_API_KEY`."""
    warnings: tuple[str, ...] = ()
    """What can be used, but should be looked at."""


def load_config(file: FilePath, plugins: Mapping[str, Plugin], environ: Mapping[str, str]) -> LoadedConfig:
    """Read a file. Raises InvalidConfigError with everything that is wrong."""
    loaded = parse_config(read_config(file), plugins, environ, name=str(file))
    return warn_of_exposure(msgspec.structs.replace(loaded, file=file), file)


def read_config(file: FilePath) -> str:
    """The text of a file, with its ends of lines as they are. Raises InvalidConfigError."""
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidConfigError([Problem(str(file), "", f"is not UTF-8 text: {error.reason}")]) from None
    except OSError as error:
        raise InvalidConfigError([Problem(str(file), "", f"cannot be read: {error.strerror}")]) from None


def warn_of_exposure(loaded: LoadedConfig, file: FilePath) -> LoadedConfig:
    """With a warning more, if the file holds secrets and others can read it."""
    exposed = exposure(file, _literal_secrets(loaded, str(file)))
    return msgspec.structs.replace(loaded, warnings=(*loaded.warnings, exposed)) if exposed else loaded


def parse_config(
    text: str, plugins: Mapping[str, Plugin], environ: Mapping[str, str], *, name: str = "config.toml"
) -> LoadedConfig:
    """Read a TOML text. Raises InvalidConfigError with everything that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfigError([_syntax_problem(error, text, name)]) from None
    return _Loader(document, key_lines(text), plugins, environ, name).load()


def _syntax_problem(error: tomllib.TOMLDecodeError, text: str, name: str) -> Problem:
    message = str(error)
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", message)
    if place is None:
        return Problem(name, "", f"is not TOML: {message}")
    line = int(place[1]) if place[1] else text.count("\n") + 1
    what = message[: place.start()] + message[place.end() :]
    lines = text.splitlines()
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    # The line may hold a key, and an error is shown anywhere: only what stands before a value is repeated.
    key = shown.partition("=")[0].strip()
    return Problem(f"{name}:{line}", key, f"is not TOML: {what[:1].lower()}{what[1:]}")


class _Loader:
    """One pass over one document."""

    def __init__(
        self,
        document: dict[str, Any],
        lines: Mapping[Path, int],
        plugins: Mapping[str, Plugin],
        environ: Mapping[str, str],
        name: str,
    ) -> None:
        self._raw = document
        self._lines = lines
        self._plugins = plugins
        self._environ = environ
        self._name = name
        self._problems: dict[Path, Problem] = {}
        """The first problem of each place."""
        self._from_environment: dict[Path, str] = {}

    def load(self) -> LoadedConfig:
        document, references = substitute(self._raw, self._environ, self._report)
        self._from_environment = overlay(document, self._environ)
        from_text = frozenset(references) | frozenset(self._from_environment)
        config = self._build(document, from_text)
        self._raise_if_wrong()
        return LoadedConfig(
            config=config, origins=self._origins(document, references), warnings=self._warnings(config)
        )

    def _build(self, document: dict[str, Any], from_text: frozenset[Path]) -> Config:
        sections = {
            field.name: field.type
            for field in msgspec.structs.fields(Config)
            if field.name not in ("sources", "exchanges")
        }
        known = [*sections, "sources", "routes"]
        parts: dict[str, Any] = {}
        for key, table in document.items():
            if key not in known:
                self._report((key,), f'there is no section "{key}"{did_you_mean(key, known)}')
            elif key in sections:
                parts[key] = build(sections[key], table, (key,), self._report, from_text)
        engine = parts.get("engine") or EngineSettings()
        parts["sources"] = self._sources(document.get("sources", {}), engine.attempt_timeout_s, from_text)
        parts["exchanges"] = self._routes(document.get("routes", {}), document, from_text)
        if parts.get("console") is not None:
            check_console(parts["console"], self._report)
        return Config(**{name: part for name, part in parts.items() if part is not None})

    def _sources(
        self, tables: Any, attempt_timeout_s: float | None, from_text: frozenset[Path]
    ) -> dict[str, SourceSettings]:
        built: dict[str, SourceSettings] = {}
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            self._report(("sources",), "expected tables, as [sources.binance]")
            return built
        if not tables:
            self._report((), "no source is configured; `mds-tui config init` writes a first file")
        for name, table in tables.items():
            path = ("sources", name)
            kind = table.get("kind")
            if kind is None:
                self._report(path, f'"kind" is missing; known are {", ".join(self._plugins)}')
            elif kind not in self._plugins:
                self._report(
                    (*path, "kind"), f'there is no vendor "{kind}"{did_you_mean(str(kind), self._plugins)}'
                )
            else:
                settings = build(self._plugins[kind].settings, table, path, self._report, from_text)
                if settings is not None:
                    built[name] = _with_timeout(settings, table, attempt_timeout_s)
                    check_source(name, settings, self._report)
        return built

    def _routes(
        self, tables: Any, document: Mapping[str, Any], from_text: frozenset[Path]
    ) -> dict[str, ExchangeSettings]:
        built: dict[str, ExchangeSettings] = {}
        if not isinstance(tables, dict):
            self._report(("routes",), "expected tables, as [routes.NSE]")
            return built
        check_route_names(tables, self._report)
        written: dict[str, str] = {}
        for name, table in tables.items():
            if "/" in name:
                continue
            exchange = name.upper()
            if exchange in written:
                self._report(("routes", name), f"the routes of {exchange} are given twice")
                continue
            settings = build(ExchangeSettings, table, ("routes", name), self._report, from_text)
            if settings is not None:
                written[exchange] = name
                built[exchange] = settings
        sources = document.get("sources")
        check_routes(built, sources if isinstance(sources, dict) else (), written, self._report)
        return built

    def _origins(self, document: dict[str, Any], references: Mapping[Path, str]) -> dict[Path, str]:
        origins: dict[Path, str] = {}
        for path in _leaves(document, ()):
            if path in self._from_environment:
                origins[path] = f"environment {self._from_environment[path]}"
            else:
                line = line_of(self._lines, path)
                place = f"{self._name}:{line}" if line is not None else self._name
                named = [text for reference, text in references.items() if reference[: len(path)] == path]
                origins[path] = f"{place}, environment {', '.join(named)}" if named else place
        return origins

    def _warnings(self, config: Config) -> tuple[str, ...]:
        warnings = []
        for name, settings in config.sources.items():
            if not settings.enabled or not self._plugins[settings.kind].needs_key:
                continue
            missing = [field for field, secret in secrets_of(settings) if not secret]
            if missing and len(missing) == len(secrets_of(settings)):
                where = f"{self._name}:{line_of(self._lines, ('sources', name)) or 1}"
                warnings.append(
                    f"{where}: sources.{name}: {settings.kind} needs credentials; set {' and '.join(missing)}"
                )
        return tuple(warnings)

    def _report(self, path: Path, what: str) -> None:
        if path in self._problems:
            return  # what follows from the first problem with a value helps nobody
        if path in self._from_environment:
            self._problems[path] = Problem("environment", self._from_environment[path], what)
            return
        line = line_of(self._lines, path)
        where = f"{self._name}:{line}" if line is not None else self._name
        self._problems[path] = Problem(where, _dotted(path), what)

    def _raise_if_wrong(self) -> None:
        if self._problems:
            by_line = sorted(self._problems, key=lambda path: line_of(self._lines, path) or 0)
            raise InvalidConfigError([self._problems[path] for path in by_line])


def _with_timeout(
    settings: SourceSettings, table: Mapping[str, Any], timeout_s: float | None
) -> SourceSettings:
    """`engine.attempt_timeout_s`, for a source that sets none."""
    if timeout_s is None or "timeout_s" in table:
        return settings
    return msgspec.structs.replace(settings, timeout_s=timeout_s)


def secrets_of(settings: msgspec.Struct) -> tuple[tuple[str, Secret], ...]:
    """The fields of a source's settings that are secret, with their values."""
    pairs = ((field.name, getattr(settings, field.name)) for field in msgspec.structs.fields(type(settings)))
    return tuple((name, value) for name, value in pairs if isinstance(value, Secret))


def _literal_secrets(loaded: LoadedConfig, name: str) -> list[str]:
    """Secrets whose text stands in the file itself."""
    return [
        f"sources.{source}.{field}"
        for source, settings in loaded.config.sources.items()
        for field, secret in secrets_of(settings)
        if secret
        and (origin := loaded.origins.get(("sources", source, field), "")).startswith(name)
        and "environment" not in origin.removeprefix(name)
    ]


def _leaves(value: Any, path: Path) -> list[Path]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    return [path]


def _dotted(path: Path) -> str:
    """`sources.zerodha.endpoints[2]`; items count from 1, as people do."""
    text = ""
    for part in path:
        text += f"[{int(part) + 1}]" if part.isdigit() else f".{part}" if text else part
    return text
