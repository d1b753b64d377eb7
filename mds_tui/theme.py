"""From a palette to what Textual and the painters take."""

from rich.style import Style
from textual.theme import Theme

from mds_tui.format.cells import Ink
from mds_tui.format.glyphs import ASCII, UNICODE
from mds_tui.palettes import SURFACES, Palette
from mds_tui.widgets.paint import Paint


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
    worn = {ink: palette.styles.get(ink.value, "").split() for ink in Ink}
    styles = {
        (surface, ink): Style(
            color=colours[ink.value],
            bgcolor=colours[surface],
            bold="bold" in worn[ink] or None,
            italic="italic" in worn[ink] or None,
            underline="underline" in worn[ink] or None,
            reverse="reverse" in worn[ink] or None,
        )
        for surface in SURFACES
        for ink in Ink
    }
    return Paint(
        styles,
        glyphs=ASCII if ascii_only else UNICODE,
        plain=ascii_only,
        marked=frozenset(ink for ink in Ink if {"reverse", "underline"} & set(worn[ink])),
    )
