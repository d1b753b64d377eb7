"""A `:` line while it is being typed, as words that know their places. Pure."""

import shlex
from typing import NamedTuple

_BLANKS = " \t\r\n"


class Word(NamedTuple):
    """One word of a line."""

    text: str
    """As it will be read: without quotes and backslashes."""
    start: int
    """Where it begins in the line, quotes included."""
    quoted: bool = False
    """Whether a part of it is in quotes or behind a backslash."""


def words_of(line: str) -> list[Word]:
    """The words as the registry will read them, an unclosed quote closed at the end.

    The last one is the word in hand: empty after a blank, and in an empty line.
    """
    words: list[Word] = []
    text, start, quote, quoted = "", None, "", False
    place = 0
    while place < len(line):
        sign = line[place]
        if quote:
            if sign == quote:
                quote = ""
            elif sign == "\\" and quote == '"' and line[place + 1 : place + 2] in ('"', "\\"):
                place += 1
                text += line[place]
            else:
                text += sign
        elif sign in _BLANKS:
            if start is not None:
                words.append(Word(text, start, quoted))
            text, start, quoted = "", None, False
        else:
            start = place if start is None else start
            if sign in "\"'":
                quote, quoted = sign, True
            elif sign == "\\":
                place, quoted = place + 1, True
                text += line[place : place + 1]
            else:
                text += sign
        place += 1
    return [*words, Word(text, len(line) if start is None else start, quoted)]


def as_typed(text: str) -> str:
    """A value as it has to be typed to be one word."""
    return shlex.quote(text)
