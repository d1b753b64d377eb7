"""What the doctor finds on this machine: configuration, keys, folders, terminal."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mds_engine.config.load import LoadedConfig
    from mds_engine.config.schema import Config
    from mds_engine.sources.contract import SourcePlugin

SMALLEST_TERMINAL = (60, 16)
"""Columns and lines below which the console shows only a sentence."""
COMFORTABLE_TERMINAL = (80, 24)


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None: works, but should be looked at."""
    detail: str


def about_configuration(loaded: "LoadedConfig") -> Iterator[Finding]:
    """Where it is, and its warnings but for missing keys, which `about_keys` tells."""
    if loaded.file is None:
        yield Finding("configuration", None, "no file; `mds-tui config init` writes one")
    else:
        yield Finding("configuration", True, str(loaded.file))
    for warning in loaded.warnings:
        if "chmod" in warning:
            yield Finding("permissions", False, warning)


def about_keys(config: "Config", vendors: "Mapping[str, SourcePlugin]") -> Iterator[Finding]:
    """Whether each source in service has the credentials that it needs."""
    from mds_engine.config.load import secrets_of

    for name, source in config.sources.items():
        secrets = secrets_of(source)
        if not source.enabled:
            yield Finding(f"{name} keys", None, "disabled in the configuration")
            continue
        missing = [field for field, secret in secrets if not secret]
        if not vendors[source.kind].needs_key:
            yield Finding(f"{name} keys", True, "needs none")
        elif not missing:
            yield Finding(f"{name} keys", True, f"{', '.join(field for field, _ in secrets)}: set")
        else:
            everything = len(missing) == len(secrets)
            login = vendors[source.kind].login
            by_login = login is not None and set(missing) <= set(login.gives)
            remedy = f"; `mds-tui login {name}`, or L in the console, gets it" if by_login else ""
            yield Finding(
                f"{name} keys", False if everything else None, f"{', '.join(missing)}: not set{remedy}"
            )


def about_folders(config: "Config") -> Iterator[Finding]:
    """Whether state and log can be written."""
    state = config.engine.state_file()
    if state == ":memory:":
        yield Finding("state", None, "kept in memory only: bans and spent quotas are forgotten at the end")
    else:
        yield _writable("state", Path(state))
    yield _writable("log", config.engine.log_file())


def _writable(name: str, file: Path) -> Finding:
    """Judged by the nearest folder that is there: the doctor changes nothing."""
    nearest = file if file.exists() else next(folder for folder in file.parents if folder.exists())
    if os.access(nearest, os.W_OK) and not file.is_dir():
        return Finding(name, True, str(file))
    return Finding(name, False, f"{file}: cannot be written")


def about_terminal(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the console can be drawn here."""
    if not sys.stdout.isatty():
        yield Finding("terminal", None, "the output goes to no terminal, so it was not looked at")
        return
    term = environ.get("TERM", "")
    yield Finding("terminal", term not in ("", "dumb"), f"TERM is {term or 'not set'}")
    columns, lines = shutil.get_terminal_size()
    fits = columns >= SMALLEST_TERMINAL[0] and lines >= SMALLEST_TERMINAL[1]
    comfortable = columns >= COMFORTABLE_TERMINAL[0] and lines >= COMFORTABLE_TERMINAL[1]
    wanted = (
        "" if comfortable else f"; {COMFORTABLE_TERMINAL[0]}x{COMFORTABLE_TERMINAL[1]} shows a whole pane"
    )
    yield Finding("terminal size", comfortable or (None if fits else False), f"{columns}x{lines}{wanted}")
    encoding = (sys.stdout.encoding or "").lower()
    unicode_ok = encoding.replace("-", "") == "utf8"
    yield Finding(
        "terminal glyphs",
        True if unicode_ok else None,
        encoding if unicode_ok else f"{encoding}: use --ascii",
    )
    yield _colour(environ, term)


def _colour(environ: Mapping[str, str], term: str) -> Finding:
    if environ.get("NO_COLOR"):
        return Finding("terminal colour", None, "switched off by NO_COLOR")
    if environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        return Finding("terminal colour", True, "16 million")
    if "256" in term:
        return Finding("terminal colour", True, "256")
    return Finding(
        "terminal colour", None, "16: themes look coarse; a terminal that sets COLORTERM shows more"
    )
