"""The effective configuration as TOML: every setting, where it came from, secrets masked."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import tomli_w

from mds_engine.config.load import LoadedConfig
from mds_engine.config.positions import Path
from mds_engine.config.secret import Secret
from mds_engine.config.toml_text import setting_text

_TOML_NAMES = {"exchanges": "routes"}
"""Fields of Config whose section is called otherwise in the file."""


def show_toml(loaded: LoadedConfig) -> str:
    """All settings with the values that are in force; a comment behind each says where it comes from."""
    lines: list[str] = []
    for field in msgspec.structs.fields(type(loaded.config)):
        section = _TOML_NAMES.get(field.name, field.name)
        value = getattr(loaded.config, field.name)
        tables = value.items() if isinstance(value, Mapping) else ((None, value),)
        for name, struct in tables:
            path: Path = (section,) if name is None else (section, name)
            lines += _table(struct, path, loaded.origins)
    return "\n".join(lines).strip() + "\n"


def _table(struct: msgspec.Struct, path: Path, origins: Mapping[Path, str]) -> Iterator[str]:
    yield ""
    yield tomli_w.dumps(_nest(path)).strip().splitlines()[-1]
    children: list[tuple[Path, msgspec.Struct]] = []
    for name in type(struct).__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, msgspec.Struct):
            children.append(((*path, name), value))
            continue
        origin = origins.get((*path, name), "default")
        if value is None:
            yield f"# {name} is unset"
            continue
        if isinstance(value, Secret):
            value = "(set, not shown)" if value else ""
        text = setting_text(name, msgspec.to_builtins(value))
        if "\n" in text:
            yield f"# {origin}"
            yield text
        else:
            yield f"{text}  # {origin}"
    for child_path, child in children:
        yield from _table(child, child_path, origins)


def _nest(path: Path) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for part in reversed(path):
        nested = {part: nested}
    return nested
