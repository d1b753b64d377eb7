"""The command line. `mds-tui --help` is quick: what a verb needs is imported when it runs."""

import sys

import click

from mds_tui.cli.configure import config
from mds_tui.cli.console import Looks, open_console, open_demo
from mds_tui.cli.convert import convert
from mds_tui.cli.decode import decode
from mds_tui.cli.doctor import doctor
from mds_tui.cli.drill import drill
from mds_tui.cli.exits import Verbs, report_defect
from mds_tui.cli.fault import fault
from mds_tui.cli.fetch import bars, quote, ticks
from mds_tui.cli.options import known_theme
from mds_tui.cli.record import record
from mds_tui.cli.replay import replay
from mds_tui.cli.settings import Settings, shared
from mds_tui.cli.simulate import simulate
from mds_tui.cli.status import commands, status

__all__ = ["cli", "main"]

_ascii = click.option("--ascii", "ascii_only", is_flag=True, help="Only ASCII signs and borders.")
_read_only = click.option("--read-only", is_flag=True, help="Grey the keys that change anything.")
_theme = click.option(
    "--theme", metavar="NAME", callback=known_theme, help="The theme, as dark or light; `t` there shows all."
)


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@shared
@_ascii
@_read_only
@_theme
@click.version_option(package_name="mds-tui", message="mds-tui %(version)s")
@click.pass_context
def cli(ctx: click.Context, *, ascii_only: bool, read_only: bool, theme: str | None) -> None:
    """Run and watch every market-data vendor from one console.

    Without a verb: the console.
    """
    settings = ctx.ensure_object(Settings)
    if ctx.invoked_subcommand is None:
        open_console(settings, Looks(ascii_only=ascii_only, read_only=read_only, theme=theme))


@cli.command()
@_ascii
@_read_only
@_theme
@click.option("--seed", type=int, default=1, show_default=True, help="The simulated market's seed.")
def demo(*, ascii_only: bool, read_only: bool, theme: str | None, seed: int) -> None:
    """Open the console on four simulated vendors: no keys, no network.

    `mds-tui fault` in another terminal makes them fail.
    """
    open_demo(Looks(ascii_only=ascii_only, read_only=read_only, theme=theme), seed=seed)


for _verb in (
    simulate,
    fault,
    drill,
    quote,
    bars,
    ticks,
    record,
    replay,
    convert,
    status,
    commands,
    decode,
    config,
    doctor,
):
    cli.add_command(_verb)


def main() -> None:
    """The console script."""
    sys.excepthook = report_defect
    cli(prog_name="mds-tui")
