"""`mds-tui demo`."""

import click

from mds_tui.cli.console import Looks, open_demo
from mds_tui.cli.options import ascii_only_option, read_only_option, theme_option


@click.command()
@ascii_only_option
@read_only_option
@theme_option
@click.option("--seed", type=int, default=1, show_default=True, help="The simulated market's seed.")
def demo(*, ascii_only: bool, read_only: bool, theme: str | None, seed: int) -> None:
    """Open the console on four simulated vendors: no keys, no network.

    `mds-tui fault` in another terminal makes them fail.
    """
    open_demo(Looks(ascii_only=ascii_only, read_only=read_only, theme=theme), seed=seed)
