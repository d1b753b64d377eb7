"""A configuration as it is being edited: its text, what is wrong with it, and what it would change.

Secrets stay in here: whatever is shown comes from `shown`, where masks stand
in their place. No widget in sight.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, NamedTuple

from mds_engine.config.difference import Difference, difference
from mds_engine.config.edit import UNSET, add_table, remove_table, set_value, unset_value
from mds_engine.config.file import ConfigFile, Written
from mds_engine.config.load import LoadedConfig
from mds_engine.config.masking import Masked, is_masked, mask, secret_names, unmask
from mds_engine.config.merging import merge
from mds_engine.config.positions import Path, key_lines, line_of
from mds_engine.config.problems import InvalidConfigError
from mds_engine.errors import ConfigError

_CONTEXT = 2
_NO_TOML = "the text is not TOML as it stands; put that right first"


class LineProblem(NamedTuple):
    """One thing that is wrong, at a line of the shown text."""

    line: int
    """Counted from 1; 0 for what has no line, as an environment variable."""
    key: str
    """As `sources.zerodha.api_key`; empty for what concerns the file."""
    what: str

    @property
    def words(self) -> str:
        """As an operator reads it."""
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.what}" if self.key else f"{place}{self.what}"


class Draft:
    """Begins as what the file says; `text` may hold secrets and is for saving alone."""

    def __init__(self, file: ConfigFile, read: Written) -> None:
        self.file = file
        self.read = read
        """What the file said when it was read."""
        self._names = secret_names(file.plugins)
        self._masked: Masked = mask(read.text, self._names)
        self._shown = self._masked.text
        self._read_as: tuple[str, Mapping[str, Any] | None] | None = None
        self._checked: tuple[str, LoadedConfig | None, tuple[LineProblem, ...]] | None = None

    # --- What it says ---------------------------------------------------------------------------------

    @property
    def shown(self) -> str:
        """The text with masks for secrets."""
        return self._shown

    @property
    def text(self) -> str:
        """The text as it would be saved."""
        return unmask(self._shown, self._masked.hidden)

    @property
    def is_changed(self) -> bool:
        """Whether it says something else than the file."""
        return self._shown != self._masked.text

    def write(self, shown: str) -> None:
        """Take a text that was edited; masks in it stand for what they hide."""
        self._shown = shown

    def value(self, path: Path) -> Any:
        """What the text says of one setting, masked; UNSET where it says nothing, or cannot be read."""
        found: Any = self._document()
        for part in path:
            if not isinstance(found, Mapping) or part not in found:
                return UNSET
            found = found[part]
        return found

    def _document(self) -> Mapping[str, Any] | None:
        """The shown text as tables, None while it is no TOML. Read once for each text."""
        if self._read_as is None or self._read_as[0] != self._shown:
            try:
                self._read_as = (self._shown, tomllib.loads(self._shown))
            except tomllib.TOMLDecodeError:
                self._read_as = (self._shown, None)
        return self._read_as[1]

    def set(self, path: Path, value: Any) -> None:
        """Change one setting where it stands; UNSET takes it out. Raises ConfigError."""
        try:
            edit = unset_value(self._shown, path) if value is UNSET else set_value(self._shown, path, value)
        except tomllib.TOMLDecodeError:
            raise ConfigError(_NO_TOML) from None
        self._shown = edit

    def add(self, path: Path, lines: str) -> None:
        """One more table. Raises ConfigError if it is there already."""
        if self._document() is None:
            raise ConfigError(_NO_TOML)
        if self.value(path) is not UNSET:
            raise ConfigError(f"{'.'.join(path)} is there already")
        self._shown = add_table(self._shown, path, lines)

    def remove(self, path: Path) -> None:
        """Take a table out, with all that is in it. Raises ConfigError."""
        if self._document() is None:
            raise ConfigError(_NO_TOML)
        self._shown = remove_table(self._shown, path)

    def tables(self, section: str) -> tuple[str, ...]:
        """The names in `[section.NAME]`, in the order of the text."""
        found = self.value((section,))
        return tuple(found) if isinstance(found, Mapping) else ()

    def line_of(self, path: Path) -> int | None:
        """The line of the shown text at which something stands, counted from 1; None if that is not known."""
        return None if self._document() is None else line_of(key_lines(self._shown), path)

    def changed_places(self) -> frozenset[str]:
        """The settings, as `sources.yahoo.priority`, of which the file says something else."""
        try:
            before, after = tomllib.loads(self._masked.text), self._document()
        except tomllib.TOMLDecodeError:
            return frozenset()
        if after is None:
            return frozenset()
        old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
        return frozenset(".".join(path) for path in old.keys() | new.keys() if old.get(path) != new.get(path))

    # --- What it means --------------------------------------------------------------------------------

    @property
    def loaded(self) -> LoadedConfig | None:
        """What it means; None while anything is wrong with it."""
        return self._check()[1]

    @property
    def problems(self) -> tuple[LineProblem, ...]:
        """All that is wrong with it, by line."""
        return self._check()[2]

    @property
    def changes(self) -> Difference | None:
        """What it would change on the engine; None while anything is wrong with it."""
        return self.changes_from(self.loaded)

    def changes_from(self, loaded: LoadedConfig | None) -> Difference | None:
        """What a configuration would change on the engine."""
        if loaded is None or self.file.in_force is None:
            return None
        return difference(self.file.in_force.loaded.config, loaded.config)

    def _check(self) -> tuple[str, LoadedConfig | None, tuple[LineProblem, ...]]:
        if self._checked is not None and self._checked[0] == self._shown:
            return self._checked
        loaded: LoadedConfig | None = None
        problems: list[LineProblem] = self._strange_masks()
        try:
            # The shown text has the lines that are looked at; the other one has the values that would hold.
            self.file.parse(self._shown)
            loaded = self.file.parse(self.text) if not problems else None
        except InvalidConfigError as error:
            problems += [_line_problem(*problem) for problem in error.problems]
        self._checked = (self._shown, loaded, tuple(sorted(problems)))
        return self._checked

    def _strange_masks(self) -> list[LineProblem]:
        return [
            LineProblem(number, "", "this mask hides nothing; write the value itself")
            for number, line in enumerate(self._shown.splitlines(), 1)
            for found in re.findall(r'"(<hidden:\d+>)"', line)
            if is_masked(found) and found not in self._masked.hidden
        ]

    # --- Beside others --------------------------------------------------------------------------------

    def diff(self) -> tuple[str, ...]:
        """What saving would change in the file, as the lines of a unified diff without its head."""
        return self._diff(self.read.text, self.text)

    def diff_to(self, text: str) -> tuple[str, ...]:
        """From what it says to another text, as an earlier version."""
        return self._diff(self.text, text)

    def diff_to_force(self) -> tuple[str, ...]:
        """From what the engine goes by to what the text says."""
        force = self.file.in_force
        return self._diff(self.read.text if force is None else force.written.text, self.text)

    def _diff(self, before: str, after: str) -> tuple[str, ...]:
        old = mask(before, self._names, known=self._masked.hidden)
        new = mask(after, self._names, known=old.hidden)
        lines = unified_diff(old.text.splitlines(), new.text.splitlines(), lineterm="", n=_CONTEXT)
        return tuple(lines)[2:]

    def merge(self, now: Written) -> int:
        """Go on with what the file says now, and the changes of this draft in it. Returns how many places
        both have changed: there both stand, for the operator to choose."""
        merged = merge(self.read.text, self.text, now.text)
        self._begin(now)
        self._shown = mask(merged.text, self._names, known=self._masked.hidden).text
        self._masked = self._masked._replace(
            hidden=mask(merged.text, self._names, known=self._masked.hidden).hidden
        )
        return merged.conflicts

    def take_text(self, text: str) -> None:
        """Say what another text says, as an earlier version."""
        other = mask(text, self._names, known=self._masked.hidden)
        self._masked = self._masked._replace(hidden={**self._masked.hidden, **other.hidden})
        self._shown = other.text

    def reload(self, now: Written) -> None:
        """Begin anew with what the file says now."""
        self._begin(now)
        self._shown = self._masked.text

    def saved(self, written: Written) -> None:
        """The file says what the draft did: it is no change any more."""
        self.reload(written)

    def _begin(self, read: Written) -> None:
        self.read = read
        self._masked = mask(read.text, self._names)
        self._checked = None


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _line_problem(where: str, key: str, what: str) -> LineProblem:
    line = re.search(r":(\d+)$", where)
    if line is None:
        return LineProblem(0, key, what)
    return LineProblem(int(line[1]), key, what)
