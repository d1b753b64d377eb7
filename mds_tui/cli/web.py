"""`web`: the console in a browser, for a colleague without a terminal."""

from typing import TYPE_CHECKING

import click

from mds_tui.cli.console import Looks
from mds_tui.cli.exits import Exit, say
from mds_tui.cli.options import ascii_only_option, theme_option
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from pathlib import Path

    from mds_engine.config.schema import ConsoleSettings
    from mds_engine.link import EngineLink
    from mds_engine.secret import Secret

    from mds_tui.web.serving import Place
    from mds_tui.web.tab_settings import TabSettings

TOKEN_VARIABLE = "MDS_WEB_TOKEN"  # noqa: S105 - where one may be, not one


@click.command(short_help="Show the console in a browser.")
@click.option("--demo", "is_demo", is_flag=True, help="On four simulated vendors, as `mds-tui demo`.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8123, show_default=True, help="0: any that is free."
)
@click.option("--allow-acting", is_flag=True, help="Let browsers change things, and not only look.")
@ascii_only_option
@theme_option
@shared
@click.pass_obj
def web(
    settings: Settings,
    *,
    is_demo: bool,
    host: str,
    port: int,
    allow_acting: bool,
    ascii_only: bool,
    theme: str | None,
) -> None:
    """Run one engine, and show its console to browsers that have the token, until stopped by Ctrl+C.

    All tabs look at the same engine; they are read-only unless --allow-acting is
    given. The token is new with every start, or that of [console] web_token or
    MDS_WEB_TOKEN.
    """
    from mds_tui.web.serving import Place

    place = Place(host, port, may_act=allow_acting)
    looks = Looks(ascii_only=ascii_only, theme=theme, read_only=not allow_acting)
    if is_demo:
        _serve_demo(settings, looks, place)
    else:
        _serve_configured(settings, looks, place)


def _serve_demo(settings: Settings, looks: Looks, place: "Place") -> None:
    from mds_engine.config.schema import ConsoleSettings, EngineSettings
    from mds_engine.embedded import EmbeddedLink

    from mds_tui.cli.console import building_demo, demo_desk
    from mds_tui.cli.demo_address import forget_demo
    from mds_tui.cli.simulator_process import SimulatorProcess

    simulator = SimulatorProcess(seed=1)
    link = EmbeddedLink(building_demo(simulator, seed=1), beside=demo_desk)
    console = ConsoleSettings()
    try:
        _serve(link, console, settings, looks, place, EngineSettings(name="demo").log_file())
    finally:
        simulator.close()
        forget_demo()


def _serve_configured(settings: Settings, looks: Looks, place: "Place") -> None:
    from mds_engine.embedded import EmbeddedLink
    from mds_engine.errors import ConfigError

    from mds_tui.cli.console import building
    from mds_tui.cli.vendors import InstalledVendors

    vendors = InstalledVendors()
    file = settings.config_file(vendors)
    if file is None and settings.simulator is None:
        raise ConfigError(
            "there is no configuration yet: `mds-tui config init` writes one; `mds-tui web --demo` needs none"
        )
    loaded = settings.load(vendors) if file is None else file.load()
    for warning in loaded.warnings if file is not None else ():
        say(f"warning: {warning}")
    config = loaded.config
    if place.may_act and config.console.read_only:
        raise ConfigError("[console] read_only is true, so that --allow-acting cannot be given")
    link = EmbeddedLink(building(loaded, file))
    _serve(link, config.console, settings, looks, place, config.engine.log_file())


def _serve(
    link: "EngineLink",
    console: "ConsoleSettings",
    settings: Settings,
    looks: Looks,
    place: "Place",
    log_file: "Path",
) -> None:
    import asyncio

    from mds_tui.cli.logs import logging_to
    from mds_tui.web.guard import Guard
    from mds_tui.web.serving import CannotListenError, serve

    guard = Guard(_token(console, settings))
    with logging_to(log_file):
        try:
            asyncio.run(serve(link, guard, _tab_settings(console, looks), place))
        except CannotListenError as error:
            say(str(error))
            raise click.exceptions.Exit(Exit.UNAVAILABLE) from None


def _token(console: "ConsoleSettings", settings: Settings) -> "Secret":
    """The one that somebody chose; an empty one if nobody did. Raises ConfigError for one that is guessed."""
    from mds_engine.errors import ConfigError
    from mds_engine.secret import Secret

    from mds_tui.web.guard import SHORTEST_TOKEN

    token = console.web_token or Secret(settings.environ.get(TOKEN_VARIABLE, ""))
    if token and len(token.reveal()) < SHORTEST_TOKEN:
        where = "[console] web_token" if console.web_token else TOKEN_VARIABLE
        raise ConfigError(f"{where} is too short: give {SHORTEST_TOKEN} letters or more, or none")
    return token


def _tab_settings(console: "ConsoleSettings", looks: Looks) -> "TabSettings":
    from mds_tui.web.tab_settings import TabSettings

    chosen = looks.settings(console)
    return TabSettings(
        theme=chosen.theme,
        ascii=chosen.ascii,
        toasts=chosen.toasts,
        fps=chosen.fps,
        read_only=chosen.read_only,
    )
