"""The operator's own keys, looked at before they are used. Pure.

Textual takes unknown actions and drops those that clash, in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from mds_tui.finding.catalogue import Action
from mds_tui.finding.key_names import UnknownKeyError, is_guarded, is_typed, key_of, shown_key

_EVERYWHERE = {"ctrl+q": "leaves the console", "ctrl+c": "leaves the console", "ctrl+p": "opens the palette"}
"""Keys that hold everywhere, also in dialogs."""


class Wish(NamedTuple):
    """One entry of the file."""

    id: str
    keys: tuple[str, ...]
    """As they were written."""
    line: int = 0
    """Counted from 1."""


class Refused(NamedTuple):
    """An entry that is not used, and why."""

    wish: Wish
    why: str
    """A sentence without the place."""


class Keymap(NamedTuple):
    """What holds instead of the defaults."""

    keys: Mapping[str, tuple[str, ...]]
    """By id of the action, in Textual's names."""
    refused: tuple[Refused, ...] = ()


class Clash(NamedTuple):
    """Two actions on one key, at one place."""

    key: str
    one: Action
    other: Action
    scope: str


def checked(wishes: Iterable[Wish], actions: Sequence[Action]) -> Keymap:
    """The wishes that can be used all together; each of the others with its reason.

    Of two that clash the later one is refused; one that clashes with a default is.
    """
    known = {action.id: action for action in actions if action.id}
    wanted: dict[str, tuple[Wish, tuple[str, ...]]] = {}
    refused: list[Refused] = []
    for wish in wishes:
        keys = _readable(wish, known)
        if wish.id in wanted:
            refused.append(Refused(wish, f"it stands in line {wanted[wish.id][0].line} already"))
        elif isinstance(keys, str):
            refused.append(Refused(wish, keys))
        else:
            wanted[wish.id] = (wish, keys)
    order = {name: place for place, name in enumerate(wanted)}
    while True:
        chosen = {name: taken for name, (_, taken) in wanted.items()}
        clash = next(iter(clashes(chosen, actions)), None)
        if clash is None:
            return Keymap(chosen, tuple(refused))
        loser, winner = sorted((clash.one, clash.other), key=lambda one: order.get(one.id, -1), reverse=True)
        wish, _ = wanted.pop(loser.id)
        order.pop(loser.id)
        refused.append(Refused(wish, taken_words(clash.key, winner, clash.scope)))


def clashes(keys: Mapping[str, tuple[str, ...]], actions: Sequence[Action]) -> Iterable[Clash]:
    """Keys that two actions of one place would share. What the console itself lays over another is none."""
    held: dict[tuple[str, str], list[Action]] = {}
    for action in actions:
        for key in keys.get(action.id, action.keys) if action.id else action.keys:
            for scope in action.scopes:
                held.setdefault((scope, key), []).append(action)
    for (scope, key), holders in held.items():
        for one, other in combinations(holders, 2):
            usual = key in one.keys and key in other.keys
            if not usual and (one.id in keys or other.id in keys):
                yield Clash(key, one, other, scope)


def refusal_of(action: Action, key: str) -> str:
    """Why a key cannot be that action's, whatever else there is; empty if it can."""
    shown = shown_key(key)
    if key in _EVERYWHERE:
        return f"{shown} {_EVERYWHERE[key]}, everywhere: choose another"
    if action.dangerous and not is_guarded(key):
        return f"{shown} is too easily pressed for what acts: use a capital, a function key, or ctrl or alt"
    if action.typing and is_typed(key):
        return f"{shown} is typed there: use one with ctrl or alt, or one that writes nothing"
    return ""


def taken_words(key: str, by: Action, scope: str) -> str:
    """That a key has another meaning, and what to do."""
    name = f"{by.id} ({by.about})" if by.id else by.about.lower() or "taken"
    advice = "choose another, or give that one another" if by.id else "choose another"
    return f"{shown_key(key)} is {name} {scope}: {advice}"


def _readable(wish: Wish, known: Mapping[str, Action]) -> tuple[str, ...] | str:
    """The keys in Textual's names, or why they cannot be used."""
    action = known.get(wish.id)
    if action is None:
        return f"there is no action {wish.id!r}{_meant(wish.id, known)}"
    if not wish.keys:
        return "write at least one key; to have the usual one, leave the line out"
    keys = []
    for written in wish.keys:
        try:
            key = key_of(written)
        except UnknownKeyError as error:
            return str(error)
        if problem := refusal_of(action, key):
            return problem
        keys.append(key)
    return tuple(dict.fromkeys(keys))


def _meant(name: str, known: Iterable[str]) -> str:
    from rapidfuzz import process

    found = process.extractOne(name, list(known), score_cutoff=60.0)
    return f"; did you mean {found[0]!r}?" if found else "; :keymap shows them all"
