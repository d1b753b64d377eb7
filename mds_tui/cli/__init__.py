"""The command line. `mds-tui --help` is quick: what a verb needs is imported when it runs."""

import sys

import click

from mds_tui.cli.configure import config
from mds_tui.cli.decode import decode
from mds_tui.cli.doctor import doctor
from mds_tui.cli.exits import Verbs, report_defect
from mds_tui.cli.fetch import bars, quote, ticks
from mds_tui.cli.settings import Settings, shared
from mds_tui.cli.simulate import simulate
from mds_tui.cli.status import commands, status

__all__ = ["cli", "main"]


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@shared
@click.version_option(package_name="mds-tui", message="mds-tui %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run and watch every market-data vendor from one console.

    Without a verb: the console.
    """
    ctx.ensure_object(Settings)


for _verb in (simulate, quote, bars, ticks, status, commands, decode, config, doctor):
    cli.add_command(_verb)


def main() -> None:
    """The console script."""
    sys.excepthook = report_defect
    cli(prog_name="mds-tui")
