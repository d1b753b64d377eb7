"""How keys are written: as an operator does, as Textual does, and which there are at all. Pure."""

from functools import cache

_MODIFIERS = ("alt", "ctrl", "shift")
_NAMED = (
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("enter", "escape", "tab", "space", "backspace", "delete", "insert"),
    *(f"f{number}" for number in range(1, 13)),
)
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape", "ctrl+h": "backspace"}
"""What a terminal sends for them is the other key."""
_OTHERWISE = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page_up": "pageup",
    "page_down": "pagedown",
    "del": "delete",
    "ins": "insert",
    "control": "ctrl",
    "option": "alt",
    "meta": "alt",
    "blank": "space",
}
_SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_SHOWN = {
    "enter": "⏎",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


class UnknownKeyError(ValueError):
    """What is wrong with a key, and what to write."""


def key_of(written: str) -> str:
    """Textual's name of a key as a person writes it: `F`, `/`, `ctrl+f`, `pagedown`.

    Raises UnknownKeyError.
    """
    text = written.strip()
    if not text:
        raise UnknownKeyError("an empty word is no key; the blank is written 'space'")
    if len(text) == 1:
        return _of_character(text)
    *modifiers, base = _parts(text)
    modifiers = sorted({_OTHERWISE.get(word.lower(), word.lower()) for word in modifiers})
    if unknown := [word for word in modifiers if word not in _MODIFIERS]:
        raise UnknownKeyError(f"{unknown[0]!r} is no key to hold: use ctrl, alt or shift")
    base = _base(base, written)
    if len(base) == 1 and "shift" in modifiers:
        raise UnknownKeyError(f"write {base.upper()!r}: a letter with shift is its capital")
    key = "+".join([*modifiers, base.lower() if "ctrl" in modifiers else base])
    if key in _SAME:
        raise UnknownKeyError(f"for a terminal that is {_SAME[key]}: write {_SAME[key]!r}")
    return key


def shown_key(key: str, *, plain: bool = False) -> str:
    """How a key is written for people; `plain` with ASCII alone."""
    *modifiers, base = key.split("+")
    name = _SHOWN.get(base, _characters().get(base, base))
    if plain and not name.isascii():
        name = base
    return "+".join([*modifiers, name])


def is_guarded(key: str) -> bool:
    """Whether it is hard to press by mistake: a capital, a function key, or one with ctrl or alt."""
    *modifiers, base = key.split("+")
    if {"ctrl", "alt"} & set(modifiers):
        return True
    return (len(base) == 1 and base.isupper()) or (base.startswith("f") and base[1:].isdigit())


def is_typed(key: str) -> bool:
    """Whether a line of text takes it as a character."""
    return "+" not in key and (len(key) == 1 or key in _characters() or key == "space")


def _parts(text: str) -> list[str]:
    """`ctrl++` is ctrl and plus."""
    if text.endswith("++"):
        return [*text[:-2].split("+"), "+"]
    return text.split("+")


def _base(base: str, written: str) -> str:
    if len(base) == 1:
        return _of_character(base)
    name = _OTHERWISE.get(base.lower(), base.lower())
    if name in _NAMED or name in _characters():
        return name
    from rapidfuzz import process

    near = process.extractOne(name, [*_NAMED, *_characters()])
    raise UnknownKeyError(f"there is no key {written!r}; did you mean {near[0]!r}?")


def _of_character(character: str) -> str:
    from textual.keys import _character_to_key

    if not character.isprintable():
        raise UnknownKeyError(f"{character!r} is no key")
    return "space" if character == " " else _character_to_key(character)


@cache
def _characters() -> dict[str, str]:
    """Textual's names of the signs, and the signs."""
    return {_of_character(sign): sign for sign in _SIGNS}
