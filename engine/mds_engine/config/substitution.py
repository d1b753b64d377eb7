"""`${NAME}` and `${NAME:-default}` in the values of a file."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mds_engine.config.positions import Path

_REFERENCE = re.compile(r"\$\$(?=\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_BROKEN = re.compile(r"(?<!\$)\$\{[^}]*\}?")


class Substituted(NamedTuple):
    """A document with every reference replaced by its value."""

    document: dict[str, Any]
    origins: dict[Path, str]
    """The variables that went into each value, by the value's place."""


def substitute(
    document: Mapping[str, Any], environ: Mapping[str, str], report: Callable[[Path, str], None]
) -> Substituted:
    """Replace references in all strings. What cannot be replaced is reported and left as it is.

    `$${` stands for `${` itself. A variable that is set to nothing counts as
    unset for `${NAME:-default}`, as in a shell.
    """
    origins: dict[Path, str] = {}

    def text(value: str, path: Path) -> str:
        used: list[str] = []

        def replace(match: re.Match[str]) -> str:
            if match["name"] is None:
                return "$"
            found = environ.get(match["name"])
            if found is None or (found == "" and match["default"] is not None):
                found = match["default"]
            if found is None:
                report(
                    path,
                    f"the environment variable {match['name']} is not set; "
                    f"set it, or give a default as ${{{match['name']}:-…}}",
                )
                return ""
            used.append(match["name"])
            return found

        if _BROKEN.search(_REFERENCE.sub("", value)):
            report(path, "has a reference that cannot be read; write ${NAME} or ${NAME:-default}")
        replaced = _REFERENCE.sub(replace, value)
        if used:
            origins[path] = ", ".join(used)
        return replaced

    def walk(value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return text(value, path)
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, str(index))) for index, item in enumerate(value)]
        return value

    return Substituted({key: walk(value, (key,)) for key, value in document.items()}, origins)
