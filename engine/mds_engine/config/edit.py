"""Single settings of a TOML text, set or unset where they stand: comments, order and blank lines stay.

Pure: texts in, texts out. A text must be valid TOML; what its values mean is
not looked at here.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

from mds_engine.config.positions import Path, table_lines
from mds_engine.config.toml_text import setting_text
from mds_engine.errors import ConfigError

UNSET: Any = object()
"""Of a setting that stands nowhere."""


def value_at(text: str, path: Path) -> Any:
    """What the text says at a place, references as they are written; UNSET if it says nothing."""
    found: Any = tomllib.loads(text)
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            return UNSET
        found = found[part]
    return found


def set_value(text: str, path: Path, value: Any) -> str:
    """The text with a setting of a table; a table that is not there is added behind its like.

    Raises ConfigError where something else than a table stands in the way.
    """
    *table, name = path
    if value_at(text, path) == value and value_at(text, path) is not UNSET:
        return text
    if value_at(text, path) is UNSET and (edited := _with_line(text, tuple(table), name, value)) is not None:
        return _checked(edited, path, value)
    return _checked(_replaced(text, path, value), path, value)


def unset_value(text: str, path: Path) -> str:
    """The text without a setting; the comment behind it goes with it."""
    if value_at(text, path) is UNSET:
        return text
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for part in path[:-1]:
        table = table[part]
    del table[path[-1]]
    return _checked(tomlkit.dumps(document), path, UNSET)


def add_table(text: str, path: Path, lines: str) -> str:
    """The text with one more table, `lines` long, behind the last one that begins alike."""
    headers = table_lines(text)
    alike = [place for place, (_, table) in enumerate(headers) if table[:1] == path[:1]]
    block = f"[{'.'.join(map(_bare, path))}]\n{lines.rstrip()}\n"
    rows = text.splitlines(keepends=True)
    at = len(rows) if not alike else _end_of_content(rows, headers, alike[-1])
    if rows and not rows[at - 1].endswith("\n"):
        rows[at - 1] += "\n"
    before = "\n" if at else ""
    return _in_its_newlines("".join((*rows[:at], before, block, *rows[at:])), text)


def remove_table(text: str, path: Path) -> str:
    """The text without a table and those within it; comments that are about what follows stay.

    Raises ConfigError where it has no header of its own.
    """
    headers = table_lines(text)
    inside = [place for place, (_, table) in enumerate(headers) if table[: len(path)] == path]
    if not inside:
        raise ConfigError(f"{'.'.join(path)} is written into another table; take it out in the text")
    rows: list[str | None] = list(text.splitlines(keepends=True))
    for place in inside:
        first, last = headers[place][0] - 1, _end_of_content(text.splitlines(keepends=True), headers, place)
        rows[first:last] = [None] * (last - first)
        if (
            last < len(rows)
            and not (rows[last] or "x").strip()
            and (first == 0 or not (rows[first - 1] or "").strip())
        ):
            rows[last] = None  # of two blank lines that now meet, one is enough
    return _checked("".join(row for row in rows if row is not None), path, UNSET)


def _with_line(text: str, table: Path, name: str, value: Any) -> str | None:
    """With one line more in a table that has a header of its own, or in a new one; None for other tables."""
    headers = table_lines(text)
    line = setting_text(name, value)
    place = next((place for place, (_, found) in enumerate(headers) if found == table), None)
    if place is None:
        return add_table(text, table, line) if value_at(text, table) is UNSET and table else None
    rows = text.splitlines(keepends=True)
    at = _end_of_content(rows, headers, place)
    if not rows[at - 1].endswith("\n"):
        rows[at - 1] += "\n"
    return _in_its_newlines("".join((*rows[:at], line + "\n", *rows[at:])), text)


def _end_of_content(rows: list[str], headers: tuple[tuple[int, Path], ...], place: int) -> int:
    """How many lines there are up to a table's last setting: what follows it is about what comes next."""
    begins = headers[place][0]
    ends = headers[place + 1][0] - 1 if place + 1 < len(headers) else len(rows)
    while ends > begins and (not rows[ends - 1].strip() or rows[ends - 1].lstrip().startswith("#")):
        ends -= 1
    return ends


def _replaced(text: str, path: Path, value: Any) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for part in path[:-1]:
        found = table.setdefault(part, {})
        if not isinstance(found, Mapping):
            raise ConfigError(f"{'.'.join(path[:-1])} is no table; change it in the text")
        table = table[part]
    table[path[-1]] = value
    return tomlkit.dumps(document)


def _checked(edited: str, path: Path, value: Any) -> str:
    """An edit that does not say what was meant is none. Raises ConfigError."""
    try:
        said = value_at(edited, path)
    except tomllib.TOMLDecodeError:
        said = None
    if said != value:
        raise ConfigError(f"{'.'.join(path)} cannot be changed here; change it in the text")
    return edited


def _bare(part: str) -> str:
    return setting_text(part, 0).rpartition(" = ")[0]


def _in_its_newlines(edited: str, text: str) -> str:
    if "\r\n" not in text:
        return edited
    return edited.replace("\r\n", "\n").replace("\n", "\r\n")
