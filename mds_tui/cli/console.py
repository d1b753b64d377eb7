"""The console: on your sources, or on the demo's."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mds_tui.cli.collecting import collect_again, collecting_later
from mds_tui.cli.exits import Exit, say
from mds_tui.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from mds_engine.config.file import ConfigFile
    from mds_engine.config.load import LoadedConfig
    from mds_engine.config.schema import ConsoleSettings as ConfiguredConsole
    from mds_engine.engine import Engine
    from mds_engine.link import EngineLink

    from mds_tui.cli.simulator_process import SimulatorProcess
    from mds_tui.settings import ConsoleSettings


@collecting_later()
def open_console(settings: Settings, looks: "Looks") -> None:
    """The console on the configuration in force; without one, first ask what is wanted."""
    need_terminal()
    if settings.file() is None and settings.simulator is None:
        if _wants_demo(settings):
            open_demo(looks, seed=1)
            return
        settings.config = _write_first(settings)
    from mds_tui.cli.vendors import OurVendorsFirst

    vendors = OurVendorsFirst()
    file = settings.config_file(vendors)
    loaded = settings.load(vendors) if file is None else file.load()
    for warning in loaded.warnings if file is not None and settings.simulator is None else ():
        say(f"warning: {warning}")

    config = loaded.config
    show(building(loaded, file), looks.settings(config.console, file), config.engine.log_file())


@collecting_later()
def open_demo(looks: "Looks", *, seed: int) -> None:
    """The console on a simulator in a process of its own, which ends with it."""
    need_terminal()
    from mds_engine.config.schema import ConsoleSettings, EngineSettings

    from mds_tui.cli.demo_address import forget_demo
    from mds_tui.cli.simulator_process import SimulatorProcess

    simulator = SimulatorProcess(seed=seed)
    build = building_demo(simulator, seed=seed)
    try:
        show(build, looks.settings(ConsoleSettings()), EngineSettings(name="demo").log_file(), demo=True)
    finally:
        simulator.close()
        forget_demo()


def building(loaded: "LoadedConfig", file: "ConfigFile | None") -> "Callable[[], Engine]":
    """What makes the engine of a configuration, in its own thread."""

    def build() -> "Engine":
        collect_again()
        from mds_engine.drills.live import LiveDrills
        from mds_engine.engine import Engine
        from mds_engine.recording.recorder import black_box

        from mds_tui.cli.vendors import InstalledVendors

        # Once more for each restart: by then another configuration may be in force.
        config = (loaded if file is None or file.in_force is None else file.in_force.loaded).config
        recorder = black_box(config.recording, config.engine.name)
        return Engine(config, InstalledVendors(), recorder=recorder, rehearsals=LiveDrills, file=file)

    return build


def building_demo(simulator: "SimulatorProcess", *, seed: int) -> "Callable[[], Engine]":
    """What makes the demo's engine, in its own thread, and starts its simulator before."""

    def build() -> "Engine":
        # In the engine's thread: the screen is there before the simulator is. Once more for each restart.
        collect_again()
        from mds_engine.config.simulated import demo_config
        from mds_engine.drills.live import LiveDrills
        from mds_engine.engine import Engine
        from mds_engine.recording.recorder import black_box

        from mds_tui.cli.demo_address import remember_demo
        from mds_tui.cli.vendors import InstalledVendors

        if not simulator.running:
            simulator.start()
            remember_demo(simulator.address)
        vendors = InstalledVendors()
        config = demo_config(vendors, simulator.address)
        recorder = black_box(config.recording, config.engine.name)
        return Engine(config, vendors, seed=seed, recorder=recorder, rehearsals=LiveDrills)

    return build


class Looks:
    """The options of the command line that change how the console looks; they beat the file."""

    def __init__(
        self, *, ascii_only: bool = False, read_only: bool = False, theme: str | None = None
    ) -> None:
        self._ascii_only = ascii_only
        self._read_only = read_only
        self._theme = theme

    def settings(
        self, configured: "ConfiguredConsole", file: "ConfigFile | None" = None
    ) -> "ConsoleSettings":
        """With what is configured, as the app takes it."""
        import os

        from mds_tui.palettes import PLAIN, own_folder
        from mds_tui.remembered import (
            history_file,
            keymap_file,
            looks_file,
            remembered_theme,
            tour_file,
        )
        from mds_tui.settings import ConsoleSettings, default_fps

        kept = looks_file()
        return ConsoleSettings(
            theme=(
                self._theme
                or ("NO_COLOR" in os.environ and PLAIN)
                or remembered_theme(kept, configured.theme)
                or configured.theme
            ),
            configured_theme=configured.theme,
            own_themes=own_folder(),
            looks_file=kept,
            history_file=history_file(),
            keymap_file=keymap_file(),
            tour_file=None if self._read_only or configured.read_only else tour_file(),
            config=file,
            ascii=self._ascii_only or configured.ascii,
            read_only=self._read_only or configured.read_only,
            arming_token=configured.arming_token,
            toasts=configured.toasts,
            bell=configured.bell,
            fps=float(configured.fps) if configured.fps is not None else default_fps(os.environ),
        )


def show(
    build: "Callable[[], Engine]", settings: "ConsoleSettings", log_file: Path, *, demo: bool = False
) -> None:
    """Run the console on the engine that `build` makes in its own thread, until the operator leaves."""
    from mds_engine.embedded import EmbeddedLink

    show_on(EmbeddedLink(build, beside=demo_desk if demo else None), settings, log_file)


def show_on(link: "EngineLink", settings: "ConsoleSettings", log_file: Path) -> None:
    """Run the console on a link until the operator leaves."""
    from mds_tui.app import run_console
    from mds_tui.cli.logs import logging_to

    with logging_to(log_file):
        code = run_console(link, settings)
    if code:
        raise click.exceptions.Exit(code)


async def demo_desk(engine: "Engine") -> None:
    """What goes on beside the demo's engine."""
    # Imported in the engine's thread, when the screen is long there.
    from mds_engine.drills.desk import run_desk

    await run_desk(engine)


def need_terminal() -> None:
    """End the verb with a sentence where there is nobody to look at a screen."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("the console needs a terminal; `mds-tui status` and the other verbs work without one")
        raise click.exceptions.Exit(Exit.USAGE)


def _wants_demo(settings: Settings) -> bool:
    from mds_engine.config.find import user_config_file

    click.echo("There is no configuration yet.\n")
    click.echo("  d  the demo: four simulated vendors on this machine, no keys, no network")
    click.echo(f"  l  live: write {settings.config or user_config_file()}")
    click.echo("     with the sources that need no key (Yahoo Finance, Binance)")
    click.echo("  q  quit\n")
    answer = click.prompt("Which", type=click.Choice(["d", "l", "q"]), default="d", show_choices=False)
    if answer == "q":
        raise click.exceptions.Exit(Exit.OK)
    return bool(answer == "d")


def _write_first(settings: Settings) -> Path:
    from mds_engine.config.find import user_config_file
    from mds_engine.config.first import write_first_config

    file = user_config_file()
    write_first_config(file, settings.environ)
    say(f"{file}: written")
    return file
