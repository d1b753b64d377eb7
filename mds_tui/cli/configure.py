"""`config init`, `config check`, `config show`."""

from pathlib import Path

import click

from mds_tui.cli.exits import Verbs, say
from mds_tui.cli.settings import Settings, shared


@click.group(cls=Verbs)
def config() -> None:
    """Write, check or show the configuration."""


@config.command(short_help="Write a first configuration.")
@shared
@click.pass_obj
def init(settings: Settings) -> None:
    """Write a first configuration: live data from the sources that need no key.

    It goes to --config, else to the user's configuration folder. A file that
    is there is never touched.
    """
    from mds_engine.config.find import user_config_file
    from mds_engine.config.first import write_first_config

    file = settings.config or user_config_file()
    write_first_config(file, settings.environ)
    click.echo(f"{file}: written; only you can read it")


@config.command(short_help="Say all that is wrong with it.")
@shared
@click.pass_obj
def check(settings: Settings) -> None:
    """Say all that is wrong with the configuration, or that nothing is."""
    from mds_tui.cli.vendors import InstalledVendors

    loaded = settings.load(InstalledVendors())
    sources = ", ".join(loaded.config.sources)
    if not any(source.enabled for source in loaded.config.sources.values()):
        say("warning: every source is disabled, so nothing will be answered; set `enabled = true` for one")
    click.echo(f"{loaded.file or _built_in()}: good; sources: {sources}")


@config.command(short_help="Print what is in force, and where it comes from.")
@shared
@click.pass_obj
def show(settings: Settings) -> None:
    """Print the configuration in force as TOML, with where each value comes from. Secrets are masked."""
    from mds_engine.config.show import show_toml

    from mds_tui.cli.vendors import InstalledVendors

    loaded = settings.load(InstalledVendors())
    if loaded.file is None:
        say(f"{_built_in()}; `mds-tui config init` writes a file")
    click.echo(show_toml(loaded), nl=False)


@config.command(short_help="Print every setting, its meaning and default.")
def example() -> None:
    """Print a configuration with every setting, its meaning, unit and default."""
    from mds_engine.config.example import example_text

    from mds_tui.cli.vendors import InstalledVendors

    click.echo(example_text(InstalledVendors()), nl=False)


def _built_in() -> str:
    looked = Path.cwd() / "config.toml"
    return f"no configuration file (looked for {looked} and in the user's folder); the built-in one"
