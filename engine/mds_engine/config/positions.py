"""At which line of a TOML text a key stands. tomllib does not tell, and an error without it is half one.

Only for texts that tomllib has accepted: nothing is validated here.
"""

import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType

Path = tuple[str, ...]
"""A key by its place, as ("sources", "zerodha", "api_key"). Items of arrays have their index as text."""

_BARE_END = ",]}\n#"


def key_lines(text: str) -> Mapping[Path, int]:
    """The line, counted from 1, of every table, key and array item of a valid TOML text."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return MappingProxyType(scanner.lines)


def table_lines(text: str) -> tuple[tuple[int, Path], ...]:
    """The line of every table's own header, with the table; in the order of a valid TOML text."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return tuple(scanner.headers)


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of a key, or of the nearest thing around it; None if there is none."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


class _Scanner:
    """A reader of just enough TOML to find where keys begin."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [place for place, character in enumerate(text) if character == "\n"]
        self.lines: dict[Path, int] = {}
        self.headers: list[tuple[int, Path]] = []

    def document(self) -> None:
        table: Path = ()
        tables_seen: dict[Path, int] = {}
        while self._skip(" \t\n"):
            if self._peek() != "[":
                self._pair(table)
                continue
            is_array = self._text.startswith("[[", self._at)
            line = self._line()
            self._at += 2 if is_array else 1
            table = self._key()
            self._at += 2 if is_array else 1
            if is_array:
                count = tables_seen.get(table, 0)
                tables_seen[table] = count + 1
                table = (*table, str(count))
            self._note(table, line)
            self.headers.append((line, table))

    def _note(self, path: Path, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)
        # A table may have been named first by its child; its own header is the better place.
        self.lines[path] = line

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table + self._key()
        self._note(path, line)
        self._at += 1  # the equals sign
        self._value(path)

    def _key(self) -> Path:
        """A dotted key; ends on the character after it."""
        parts: list[str] = []
        while True:
            self._skip(" \t")
            if self._peek() in "\"'":
                parts.append(tomllib.loads(f"key = {self._string()}")["key"])
            else:
                start = self._at
                while self._peek() not in " \t.=]":
                    self._at += 1
                parts.append(self._text[start : self._at])
            self._skip(" \t")
            if self._peek() != ".":
                return tuple(parts)
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skip(" \t")
        first = self._peek()
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            while self._peek() and self._peek() not in _BARE_END:
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip(" \t\n,") and self._peek() != "]":
            item = (*path, str(index))
            self.lines[item] = self._line()
            self._value(item)
            index += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip(" \t\n,") and self._peek() != "}":
            self._pair(path)
        self._at += 1

    def _string(self) -> str:
        """A string of any of the four kinds, as it is written."""
        start = self._at
        quote = self._peek()
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(fence)
        while not self._text.startswith(fence, self._at):
            self._at += 2 if self._peek() == "\\" and quote == '"' else 1
        self._at += len(fence)
        # A multi-line string may end in quotes of its own, before the fence.
        while len(fence) > 1 and self._peek() == quote:
            self._at += 1
        return self._text[start : self._at]

    def _skip(self, blanks: str) -> bool:
        """Pass over blanks and comments; True if anything is left."""
        while self._peek() and (self._peek() in blanks or self._peek() == "#"):
            if self._peek() == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                self._at += 1
        return self._at < len(self._text)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _line(self) -> int:
        return bisect_left(self._newlines, self._at) + 1
