"""`keymap.toml`: which keys the operator wants, and how a change is written without losing a comment."""

import os
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mds_tui.finding.catalogue import Action
from mds_tui.finding.keymap import Keymap, Wish, checked

_FIRST_LINES = """\
# Keys of your own, as  zoom = "z"  or  fail-over = ["F", "ctrl+o"]  under the table of their action.
# The console shows all actions with :keymap and writes this file; a wrong line never stops it.
"""


class KeymapFileError(Exception):
    """The file cannot be read or written: one sentence with its place."""


class Loaded(NamedTuple):
    """What a file comes to."""

    keymap: Keymap
    problems: tuple[str, ...]
    """A sentence each, with file and line."""


def load_keymap(file: Path, actions: Sequence[Action]) -> Loaded:
    """The file's keys, checked. One that cannot be read leaves all keys as they are, and says so."""
    try:
        wishes, problems = read_wishes(file)
    except KeymapFileError as error:
        return Loaded(Keymap({}), (str(error),))
    keymap = checked(wishes, actions)
    refused = [
        (one.wish.line, f"{file.name}:{one.wish.line}: {_told(one.wish)}: {one.why}")
        for one in keymap.refused
    ]
    return Loaded(keymap, tuple(sentence for _, sentence in sorted([*problems, *refused])))


def read_wishes(file: Path) -> tuple[list[Wish], list[tuple[int, str]]]:
    """The entries, and those that are none, each with its line. None in a file that is not there.

    Raises KeymapFileError.
    """
    text = _text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeymapFileError(f"{file.name}: not TOML: {error}; all keys are the usual ones") from None
    from mds_engine.config.positions import key_lines, line_of

    lines = key_lines(text)
    wishes: list[Wish] = []
    problems: list[tuple[int, str]] = []
    for path, value in _leaves(data):
        name, line = ".".join(path), line_of(lines, path) or 1
        keys = [value] if isinstance(value, str) else value
        if isinstance(keys, list) and all(isinstance(key, str) for key in keys):
            wishes.append(Wish(name, tuple(keys), line))
        else:
            says = f"{file.name}:{line}: {name}: write a key in quotation marks, or a list of them"
            problems.append((line, says))
    return sorted(wishes, key=lambda wish: wish.line), problems


def write_keys(file: Path, changes: Mapping[str, Sequence[str] | None]) -> None:
    """Set the keys of some actions, or take their lines out (None); the rest stays as it was typed.

    Whole or not at all. Raises KeymapFileError.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(_text(file) or _FIRST_LINES)
    except TOMLKitError as error:
        raise KeymapFileError(f"{file.name}: not TOML: {error}; put that line right first") from None
    for name, keys in changes.items():
        _set(document, name, keys)
    _replace(file, tomlkit.dumps(document))


def _set(document: Any, name: str, keys: Sequence[str] | None) -> None:
    import tomlkit

    group, _, rest = name.partition(".")
    holder, key = (document, name) if name in document else (document.get(group), rest)
    if keys is None:
        if holder is not None:
            holder.pop(key, None)
        return
    if holder is None:
        holder = document[group] = tomlkit.table()
        holder = document[group]
    holder[key] = keys[0] if len(keys) == 1 else list(keys)


def _leaves(data: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _told(wish: Wish) -> str:
    return f"{wish.id} = {', '.join(repr(key) for key in wish.keys)}" if wish.keys else wish.id


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise KeymapFileError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise KeymapFileError(f"{file.name}: it is no text: save it as UTF-8") from None


def _replace(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        target = file.resolve()  # a link to one's dotfiles stays a link
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".new")
    except OSError as error:
        raise KeymapFileError(f"{file}: cannot be written: {error.strerror}; see to its folder") from None
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise KeymapFileError(f"{file}: cannot be written: {error.strerror}") from None
