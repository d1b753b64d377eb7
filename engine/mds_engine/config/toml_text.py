"""Settings written as TOML, for people to read."""

from typing import Any

import tomli_w

_LONGEST_LINE = 100


def setting_text(name: str, value: Any) -> str:
    """`name = value`, on one line where it fits: tomli-w gives each item of a list a line."""
    text = tomli_w.dumps({name: value}).rstrip()
    first, *rest = text.splitlines()
    if not first.endswith("= [") or not rest or rest[-1] != "]":
        return text
    items = ", ".join(line.strip().removesuffix(",") for line in rest[:-1])
    line = f"{first}{items}]"
    return line if len(line) <= _LONGEST_LINE else text
