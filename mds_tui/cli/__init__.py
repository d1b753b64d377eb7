"""The command line. `mds-tui --help` is quick: what a verb needs is imported when it runs.

The verbs themselves are too: none is imported to open the console.
"""

import sys

import click

from mds_tui.cli.console import Looks, open_console
from mds_tui.cli.exits import Verbs, report_defect
from mds_tui.cli.options import ascii_only_option, read_only_option, theme_option
from mds_tui.cli.settings import Settings, shared
from mds_tui.cli.verbs import ImportedVerbs

__all__ = ["cli", "main"]

VERBS = {
    "demo": "mds_tui.cli.demo",
    "simulate": "mds_tui.cli.simulate",
    "fault": "mds_tui.cli.fault",
    "drill": "mds_tui.cli.drill",
    "quote": "mds_tui.cli.fetch",
    "bars": "mds_tui.cli.fetch",
    "ticks": "mds_tui.cli.fetch",
    "record": "mds_tui.cli.record",
    "replay": "mds_tui.cli.replay",
    "web": "mds_tui.cli.web",
    "convert": "mds_tui.cli.convert",
    "login": "mds_tui.cli.login",
    "status": "mds_tui.cli.status",
    "commands": "mds_tui.cli.status",
    "decode": "mds_tui.cli.decode",
    "config": "mds_tui.cli.configure",
    "doctor": "mds_tui.cli.doctor",
}
"""Every verb and the module that holds it, in the order of use, which is that of the help."""


@click.group(
    cls=Verbs,
    commands=ImportedVerbs(VERBS),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@shared
@ascii_only_option
@read_only_option
@theme_option
@click.version_option(package_name="mds-tui", message="mds-tui %(version)s")
@click.pass_context
def cli(ctx: click.Context, *, ascii_only: bool, read_only: bool, theme: str | None) -> None:
    """Run and watch every market-data vendor from one console.

    Without a verb: the console.
    """
    settings = ctx.ensure_object(Settings)
    if ctx.invoked_subcommand is None:
        open_console(settings, Looks(ascii_only=ascii_only, read_only=read_only, theme=theme))


def main() -> None:
    """The console script."""
    sys.excepthook = report_defect
    cli(prog_name="mds-tui")
