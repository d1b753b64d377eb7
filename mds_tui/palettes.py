"""Theme files: what stands in them and what is wrong with them. Imports nothing of Textual.

A theme is data from a file, and never an exception at the user: a file that
cannot be used costs one sentence, and the console opens in another theme.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mds_tui.format.cells import Ink

SURFACES = ("background", "bar", "panel", "cursor", "lit")
"""Colours that are grounds: page, header and footer, dialogs, row under the cursor, row that just changed."""

FRAME = "frame"
"""The colour of borders: neither ink nor ground."""

STYLES = ("bold", "italic", "underline", "reverse")
"""What an ink may be beside its colour."""

FALLBACK = "dark"
"""The theme where the wanted one is not there."""

PLAIN = "monochrome"
"""The theme where the environment asks for no colours."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAME = re.compile(r"[\w-]+\Z")
_KEYS = ("name", "title", "dark", "base", "colors", "styles")
_BOLD_ONLY: Mapping[str, str] = MappingProxyType({Ink.STRONG.value: "bold"})


class Palette(NamedTuple):
    """One theme file."""

    name: str
    title: str
    dark: bool
    colours: Mapping[str, str]
    """Every surface and every ink, as `#rrggbb`."""
    styles: Mapping[str, str] = _BOLD_ONLY
    """Of inks that are more than a colour: some of `STYLES`, separated by blanks."""


class Themes(NamedTuple):
    """What a folder gave."""

    loaded: Mapping[str, Palette]
    failed: tuple[str, ...]
    """One sentence for each file that cannot be used: which, what is wrong, what to write."""


def shipped_folder() -> Path:
    """Inside the package (a wheel), or beside it (a checkout)."""
    package = Path(__file__).parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def own_folder() -> Path:
    """Where an operator's own themes are looked for, there or not."""
    import platformdirs

    return platformdirs.user_config_path("mds-tui") / "themes"


def load_themes(own: Path | None = None) -> Themes:
    """The shipped themes and those of a folder; a theme of one's own takes the place of its namesake."""
    shipped = read_folder(shipped_folder(), {})
    if own is None:
        return shipped
    more = read_folder(own, shipped.loaded)
    return Themes({**shipped.loaded, **more.loaded}, (*shipped.failed, *more.failed))


def shipped_theme(name: str, own: Path | None) -> Palette | None:
    """One shipped theme, without reading the others.

    None where it must be looked for among all of them: there is no file of its
    name, or it is wrong, or one of one's own themes may take its place.
    """
    if not _NAME.match(name) or (own is not None and any(own.glob("*.toml"))):
        return None
    try:
        palette = _palette(_read(shipped_folder() / f"{name}.toml"), name, {})
    except _WrongError:
        return None
    return palette if palette.name == name else None


def read_folder(folder: Path, bases: Mapping[str, Palette]) -> Themes:
    """Every `*.toml` of a folder; `bases` are the themes that one may begin with."""
    loaded: dict[str, Palette] = {}
    failed: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            palette = _palette(_read(file), file.stem, bases)
        except _WrongError as wrong:
            failed.append(f"theme {_short(file)}: {wrong}")
            continue
        if palette.name in loaded:
            taken = f"name {palette.name!r} is that of another file here: choose another"
            failed.append(f"theme {_short(file)}: {taken}")
        else:
            loaded[palette.name] = palette
    return Themes(loaded, tuple(failed))


def bare_palette() -> Palette:
    """Grey on black: what is left when there is no theme file at all."""
    colours = dict.fromkeys(SURFACES, "#000000") | {ink.value: "#d0d0d0" for ink in Ink}
    return Palette("bare", "no theme file", True, colours | {FRAME: "#808080", "cursor": "#303030"})


def unknown_theme(name: str, themes: Themes) -> str:
    """That there is no such theme, which there are, and why one of that name could not be used."""
    why = [sentence for sentence in themes.failed if f"{name}.toml:" in sentence]
    return "; ".join([f"there is no theme {name!r}: there are {', '.join(sorted(themes.loaded))}", *why])


class ThemesAtHand:
    """The theme that is wanted, at once; all of them when they are asked for."""

    def __init__(self, wanted: str, own: Path | None) -> None:
        """`own` is the folder of one's own themes; None is none."""
        self._wanted = wanted
        self._own = own
        self.first: Palette = shipped_theme(wanted, own) or self._nearest()
        """The wanted one, or what takes its place."""

    @cached_property
    def _themes(self) -> Themes:
        return load_themes(self._own)

    @cached_property
    def palettes(self) -> Mapping[str, Palette]:
        """By name, never none."""
        return self._themes.loaded or {"bare": bare_palette()}

    def problems(self) -> Sequence[str]:
        """What to tell: that the wanted one is not there, else which files cannot be used."""
        if self._wanted not in self.palettes:
            return [unknown_theme(self._wanted, self._themes)]
        return self._themes.failed

    def _nearest(self) -> Palette:
        nearest = self.palettes.get(self._wanted) or self.palettes.get(FALLBACK)
        return nearest or next(iter(self.palettes.values()))


class _WrongError(Exception):
    """What is wrong with a file, and what to do."""


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _WrongError(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _WrongError("it is no text: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _WrongError(f"it is no TOML: {error}; put that line right") from None


def _palette(data: dict[str, Any], stem: str, bases: Mapping[str, Palette]) -> Palette:
    if unknown := [key for key in data if key not in _KEYS]:
        raise _WrongError(f"{unknown[0]} means nothing here: use {', '.join(_KEYS)}")
    name = _text(data, "name", stem)
    if not _NAME.match(name):
        raise _WrongError(f"name is {name!r}: use letters, digits, - and _")
    base = _base(data, bases)
    dark = data.get("dark", base.dark if base else True)
    if not isinstance(dark, bool):
        raise _WrongError(f"dark is {dark!r}: write true or false")
    return Palette(
        name,
        _text(data, "title", name),
        dark,
        _colours(_table(data, "colors"), base),
        _styles(_table(data, "styles"), base) if "styles" in data else base.styles if base else _BOLD_ONLY,
    )


def _base(data: dict[str, Any], bases: Mapping[str, Palette]) -> Palette | None:
    if "base" not in data:
        return None
    base = bases.get(str(data["base"]))
    if base is None:
        known = f"one of {', '.join(sorted(bases))}" if bases else "all colors yourself"
        raise _WrongError(f"base is {data['base']!r}, which is no shipped theme: write {known}")
    return base


def _text(data: dict[str, Any], key: str, default: str) -> str:
    value = data.get(key, default)
    if not isinstance(value, str) or not value:
        raise _WrongError(f"{key} is {value!r}: write a word in quotation marks")
    return value


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise _WrongError(f"{key} is {table!r}: write it as a table, [{key}]")
    return table


def _colours(given: dict[str, Any], base: Palette | None) -> Mapping[str, str]:
    needed = (*SURFACES, FRAME, *(ink.value for ink in Ink))
    if unknown := [key for key in given if key not in needed]:
        raise _WrongError(f"colors.{unknown[0]} means nothing here: use {', '.join(needed)}")
    for key, colour in given.items():
        if not isinstance(colour, str) or not _COLOUR.match(colour):
            raise _WrongError(f'colors.{key} is {colour!r}: write a colour as "#c3cad3"')
    colours = {**(base.colours if base else {}), **given}
    if missing := [key for key in needed if key not in colours]:
        names = ", ".join(missing)
        raise _WrongError(f'colors lacks {names}: write them, or begin with base = "{FALLBACK}"')
    return colours


def _styles(given: dict[str, Any], base: Palette | None) -> Mapping[str, str]:
    inks = [ink.value for ink in Ink]
    for key, words in given.items():
        if key not in inks:
            raise _WrongError(f"styles.{key} means nothing here: use {', '.join(inks)}")
        if not isinstance(words, str) or not set(words.split()) <= set(STYLES):
            raise _WrongError(f"styles.{key} is {words!r}: use {', '.join(STYLES)} in quotation marks")
    return {**(base.styles if base else {}), **given}


def _short(file: Path) -> str:
    """A path as people write it."""
    try:
        return f"~/{file.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(file)
