"""Types of options that click lacks."""

import math

import click


class Seconds(click.FloatRange):
    """A number of seconds: finite, for `nan` passes every range and `inf` is no time to wait."""

    name = "seconds"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Fails as click does."""
        seconds = float(super().convert(value, param, ctx))  # type: ignore[arg-type]
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


def known_theme(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Pass the name of a theme, shipped or one's own. Raises BadParameter with those there are."""
    if value is None:
        return None
    from mds_tui.palettes import load_themes, own_folder, unknown_theme

    themes = load_themes(own_folder())
    if value not in themes.loaded:
        raise click.BadParameter(f"{unknown_theme(value, themes)}.", ctx, param)
    return value


ascii_only_option = click.option("--ascii", "ascii_only", is_flag=True, help="Only ASCII signs and borders.")
read_only_option = click.option("--read-only", is_flag=True, help="Grey the keys that change anything.")
theme_option = click.option(
    "--theme", metavar="NAME", callback=known_theme, help="The theme, as dark or light; `t` there shows all."
)
