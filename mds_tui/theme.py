"""Themes: data from files, never an exception at the user."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.style import Style
from textual.theme import Theme

from mds_tui.format.cells import Ink
from mds_tui.format.glyphs import ASCII, UNICODE
from mds_tui.widgets.paint import SURFACES, Paint

_FRAME = "frame"
"""The colour of borders: neither ink nor ground."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")


class Palette(NamedTuple):
    """One theme file."""

    name: str
    title: str
    dark: bool
    colours: Mapping[str, str]
    """Every surface and every ink, as `#rrggbb`."""


class Themes(NamedTuple):
    """What a folder gave."""

    loaded: Mapping[str, Palette]
    failed: tuple[str, ...]
    """One sentence for each file that cannot be used."""


def themes_folder() -> Path:
    """Inside the package (a wheel), or beside it (a checkout)."""
    package = Path(__file__).parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def load_themes(folder: Path | None = None) -> Themes:
    """Every `*.toml` of a folder, the shipped one if None."""
    loaded: dict[str, Palette] = {}
    failed: list[str] = []
    for file in sorted((folder or themes_folder()).glob("*.toml")):
        try:
            palette = _palette(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            failed.append(f"theme {file.name}: {error}")
        else:
            loaded[palette.name] = palette
    return Themes(loaded, tuple(failed))


def bare_palette() -> Palette:
    """Grey on black: what is left when there is no theme file at all."""
    colours = dict.fromkeys(SURFACES, "#000000") | {ink.value: "#d0d0d0" for ink in Ink}
    return Palette("bare", "no theme file", True, colours | {_FRAME: "#808080", "cursor": "#303030"})


def textual_theme(palette: Palette) -> Theme:
    """The theme as Textual wants it; every colour of ours is a CSS variable of its name."""
    colours = palette.colours
    return Theme(
        name=palette.name,
        primary=colours["accent"],
        secondary=colours["info"],
        accent=colours["accent"],
        foreground=colours["text"],
        background=colours["background"],
        surface=colours["panel"],
        panel=colours["bar"],
        success=colours["good"],
        warning=colours["warn"],
        error=colours["bad"],
        dark=palette.dark,
        variables=css_variables(palette),
    )


def css_variables(palette: Palette) -> dict[str, str]:
    """`$mds-frame`, `$mds-dim`, …: apart from Textual's own names."""
    return {f"mds-{name}": colour for name, colour in palette.colours.items()}


def paint_of(palette: Palette, *, ascii_only: bool) -> Paint:
    """The inks of a palette as styles."""
    colours = palette.colours
    styles = {
        (surface, ink): Style(
            color=colours[ink.value], bgcolor=colours[surface], bold=ink is Ink.STRONG or None
        )
        for surface in SURFACES
        for ink in Ink
    }
    return Paint(
        styles,
        glyphs=ASCII if ascii_only else UNICODE,
        plain=ascii_only,
    )


def _palette(data: dict[str, Any]) -> Palette:
    name, colours = data.get("name"), data.get("colors")
    if not isinstance(name, str) or not name:
        raise ValueError("it has no name")
    if not isinstance(colours, dict):
        raise ValueError("it has no [colors]")  # noqa: TRY004 - one class for all that is wrong with a file
    needed = {*SURFACES, _FRAME, *(ink.value for ink in Ink)}
    if missing := sorted(needed - colours.keys()):
        raise ValueError(f"colors lacks {', '.join(missing)}")
    if unknown := sorted(colours.keys() - needed):
        raise ValueError(f"colors has the unknown {', '.join(unknown)}")
    for key, colour in colours.items():
        if not isinstance(colour, str) or not _COLOUR.match(colour):
            raise ValueError(f"colors.{key} is {colour!r}, which is not of the form #rrggbb")
    return Palette(name, str(data.get("title", name)), bool(data.get("dark", True)), colours)
