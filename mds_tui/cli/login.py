"""`login`: log in at a vendor whose credentials end, without the console."""

import sys
from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import Exit, say
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from mds_engine.config.schema import Config
    from mds_engine.control import CommandResult
    from mds_engine.engine import Engine
    from mds_engine.sources.contract import VendorLogin


@click.command(short_help="Log in at a vendor whose credentials end.")
@click.argument("source", required=False)
@click.option("--page", "page_only", is_flag=True, help="Only print the address of the page.")
@shared
@click.pass_obj
def login(settings: Settings, *, source: str | None, page_only: bool) -> None:
    """Log in at SOURCE, which may be left out where there is but one.

    Prints the vendor's page. What it gives in the end, the whole address or the
    token in it, is asked for and not shown; where stdin is no terminal, its first
    line is taken. What comes of it is kept for every engine of this name: a
    console that runs takes it up within seconds.
    """
    import asyncio

    from mds_engine.config.load import LoadedConfig
    from mds_engine.errors import ConfigError

    from mds_tui.cli.vendors import InstalledVendors

    vendors = InstalledVendors()
    loaded: LoadedConfig = settings.load(vendors, quiet=True)
    logins = {
        name: vendor_login
        for name, source_settings in loaded.config.sources.items()
        if (vendor_login := vendors[source_settings.kind].login) is not None
    }
    name = _chosen(source, loaded.config, logins)
    own = loaded.config.sources[name]
    missing = logins[name].missing(own)
    if missing:
        raise ConfigError(missing.replace("[sources.…]", f"[sources.{name}]"))
    page = logins[name].page(own)
    if page_only:
        click.echo(page)
        return
    if loaded.config.engine.state_file() == ":memory:":
        raise ConfigError(
            "this engine keeps nothing (state_path is :memory:): log in by the console's L instead"
        )
    result = asyncio.run(_log_in(settings, name, _ask(page, logins[name])))
    if not result.accepted:
        say(result.message)
        raise click.exceptions.Exit(Exit.FAILED)
    click.echo(result.message)


def _chosen(source: str | None, config: "Config", logins: "dict[str, VendorLogin]") -> str:
    """The source that is meant. Raises InvalidRequest, or UnknownSourceError."""
    from mds_engine.errors import InvalidRequest, UnknownSourceError

    able = ", ".join(logins)
    if source is None:
        if len(logins) == 1:
            return next(iter(logins))
        raise InvalidRequest(f"which source? one logs in at {able}" if able else "no source here has a login")
    if source not in config.sources:
        known = ", ".join(config.sources)
        raise UnknownSourceError(f"there is no source {source!r}; known are {known}")
    if source not in logins:
        others = f"one logs in at {able}" if able else "no source here does"
        raise InvalidRequest(f"{source} needs no login that ends; {others}")
    return source


def _ask(page: str, vendor_login: "VendorLogin") -> str:
    """What the operator brings back."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    click.echo(f"Log in on this page:\n\n  {page}\n", err=True)
    return str(click.prompt(f"Paste {vendor_login.brings} (it is not shown)", hide_input=True, err=True))


async def _log_in(settings: Settings, name: str, answer: str) -> "CommandResult":
    from mds_engine.control.commands import Login
    from mds_engine.secret import Secret

    from mds_tui.cli.running import with_engine
    from mds_tui.settings import operator_name

    command = Login(source=name, answer=Secret(answer), by=operator_name(settings.environ))

    async def send(engine: "Engine") -> "CommandResult":
        return await engine.apply(command)

    return await with_engine(settings, send, only=name)
