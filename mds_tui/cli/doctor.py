"""`doctor`: what would keep this installation from working, found before it does."""

from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import Exit
from mds_tui.cli.options import Seconds
from mds_tui.cli.output import print_json
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from mds_tui.cli.findings import Finding


@click.command(short_help="Check keys, endpoints, clock, folders and terminal.")
@shared
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--timeout",
    type=Seconds(min=0.1),
    default=5.0,
    show_default=True,
    help="Seconds for each endpoint.",
)
@click.pass_obj
def doctor(settings: Settings, *, as_json: bool, timeout: float) -> None:
    """Check configuration, keys, endpoints, clock, folders and terminal.

    Exits with 1 if anything is wrong; what only should be looked at does not count.
    """
    import asyncio

    findings = asyncio.run(_examine(settings, timeout))
    sound = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": sound, "checks": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            mark = {True: "ok  ", False: "BAD ", None: "look"}[finding.ok]
            click.echo(f"{mark}  {finding.name:<28}  {finding.detail}")
    if not sound:
        raise click.exceptions.Exit(Exit.FAILED)


async def _examine(settings: Settings, timeout_s: float) -> "list[Finding]":
    from mds_engine.errors import ConfigError

    from mds_tui.cli.findings import Finding, about_configuration, about_folders, about_keys, about_terminal
    from mds_tui.cli.reach import about_endpoints
    from mds_tui.cli.vendors import InstalledVendors

    vendors = InstalledVendors()
    terminal = about_terminal(settings.environ)
    try:
        loaded = settings.load(vendors, quiet=True)
    except ConfigError as error:
        broken = [Finding("configuration", ok=False, detail=line) for line in str(error).splitlines()]
        return [*broken, *terminal]
    return [
        *about_configuration(loaded),
        *about_keys(loaded.config, vendors),
        *await about_endpoints(loaded.config, timeout_s),
        *about_folders(loaded.config),
        *terminal,
    ]
