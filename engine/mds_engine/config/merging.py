"""Two edits of one text made one: pure, line by line, and nothing of either is lost."""

from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

MINE, BETWEEN, END = "# <<<<<<< yours", "# ======= on disk", "# >>>>>>>"


class Merged(NamedTuple):
    """What came of it."""

    text: str
    conflicts: int
    """Places where both changed the same lines: both stand there, between comments that say whose."""


class _Change(NamedTuple):
    first: int
    last: int
    """Lines [first, last) of the common text."""
    lines: list[str]
    """What stands in their place."""


def merge(base: str, mine: str, theirs: str) -> Merged:
    """`base` with the changes of both."""
    rows = base.splitlines(keepends=True)
    ours, others = _changes(rows, mine), _changes(rows, theirs)
    merged: list[str] = []
    conflicts = at = 0
    while ours or others:
        first = min(change[0].first for change in (ours, others) if change)
        merged += rows[at:first]
        last = first
        here: tuple[list[_Change], list[_Change]] = ([], [])
        # All that touches, one after the other, is one place.
        while reached := [
            (place, changes)
            for place, changes in enumerate((ours, others))
            if changes and changes[0].first <= last and (changes[0].first < last or not here[place])
        ]:
            for place, changes in reached:
                change = changes.pop(0)
                here[place].append(change)
                last = max(last, change.last)
        at = last
        left, right = (_applied(rows, first, last, changes) for changes in here)
        if not here[1] or left == right:
            merged += left
        elif not here[0]:
            merged += right
        else:
            conflicts += 1
            merged += [f"{MINE}\n", *_ended(left), f"{BETWEEN}\n", *_ended(right), f"{END}\n"]
    merged += rows[at:]
    return Merged("".join(merged), conflicts)


def _changes(rows: list[str], text: str) -> list[_Change]:
    other = text.splitlines(keepends=True)
    codes = SequenceMatcher(None, rows, other, autojunk=False).get_opcodes()
    return [_Change(i, j, other[k:m]) for tag, i, j, k, m in codes if tag != "equal"]


def _applied(rows: list[str], first: int, last: int, changes: list[_Change]) -> list[str]:
    edges = [_Change(first, first, []), *changes, _Change(last, last, [])]
    lines: list[str] = []
    for before, after in pairwise(edges):
        lines += [*before.lines, *rows[before.last : after.first]]
    return lines


def _ended(lines: list[str]) -> list[str]:
    if lines and not lines[-1].endswith("\n"):
        return [*lines[:-1], f"{lines[-1]}\n"]
    return lines
