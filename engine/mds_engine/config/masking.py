"""A TOML text without its secrets, to be shown and edited; and the way back.

Works on any text, valid TOML or not, comments too: a key that was commented
out is a key. What is only a reference, as `${KITE_API_KEY}`, is no secret.
"""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from mds_engine.config.load import Plugin
from mds_engine.config.secret import Secret
from mds_engine.errors import ConfigError

_STRING = r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
_KEY = r"[A-Za-z0-9_-]+|\"[^\"\n]+\"|'[^'\n]+'"
_PAIR = re.compile(rf"(?P<key>{_KEY})(?P<equals>[ \t]*=[ \t]*)(?P<value>{_STRING}|[^\s,#}}]+)")
_LIKELY = re.compile(r"(?:api_?key|secret|token|passw|credential)", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}")
_MASK = re.compile(r"<hidden:\d+>")


class Masked(NamedTuple):
    """A text that can be shown."""

    text: str
    hidden: Mapping[str, str]
    """What stands behind each mask: a value as it is written, quotes and all."""


def secret_names(plugins: Mapping[str, Plugin]) -> frozenset[str]:
    """The names of all settings that are secret, of every vendor that is installed."""
    names: set[str] = set()
    for kind in plugins:
        try:
            fields = plugins[kind].settings.__annotations__
        except ConfigError:
            continue  # one that cannot be used has nobody's secrets
        names.update(name for name, annotation in fields.items() if annotation is Secret)
    return frozenset(names)


def mask(text: str, names: Collection[str], *, known: Mapping[str, str] | None = None) -> Masked:
    """The text with a mask in place of every secret value. Equal values have equal masks, also with those
    of `known`: so a change of a secret can be seen, and nothing else of it."""
    masks = {value: masked for masked, value in (known or {}).items()}

    def hide(match: re.Match[str]) -> str:
        key, value = match["key"].strip("\"'"), match["value"]
        if (key not in names and not _LIKELY.search(key)) or _is_plain(value):
            return match[0]
        masked = masks.setdefault(value, f"<hidden:{len(masks) + 1}>")
        return f'{match["key"]}{match["equals"]}"{masked}"'

    shown = _PAIR.sub(hide, text)
    return Masked(shown, {masked: value for value, masked in masks.items()})


def unmask(text: str, hidden: Mapping[str, str]) -> str:
    """The text with its secrets in place again; what was written over a mask stays as it was written."""
    return re.sub(r'"(<hidden:\d+>)"', lambda match: hidden.get(match[1], match[0]), text)


def is_masked(value: object) -> bool:
    """Whether a value is a mask."""
    return isinstance(value, str) and _MASK.fullmatch(value) is not None


def _is_plain(value: str) -> bool:
    """Whether a value gives nothing away: nothing at all, or where to find it."""
    if value[:1] not in "\"'":
        return True
    inner = value.strip("\"'")
    return not inner.strip() or _REFERENCE.fullmatch(inner) is not None
