"""What the options that many verbs share come down to: a configuration."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mds_tui.cli.exits import SimulatorUnreachableError, say

if TYPE_CHECKING:
    from mds_engine.config.file import ConfigFile
    from mds_engine.config.load import LoadedConfig
    from mds_engine.config.simulated import SimulatorAddress
    from mds_engine.sources.contract import SourcePlugin

_CallableT = TypeVar("_CallableT", bound=Callable[..., Any])

SIMULATOR_TIMEOUT_S = 5.0
"""A simulator on loopback that has not answered by then never will."""


@dataclass
class Settings:
    """The shared options, as given before or after the verb."""

    config: Path | None = None
    simulator: str | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def file(self) -> Path | None:
        """The configuration file in force; None if there is none."""
        from mds_engine.config.find import find_config
        from mds_engine.errors import ConfigError

        try:
            here = Path.cwd()
        except FileNotFoundError:
            raise ConfigError("the current folder is no longer there; change to one that is") from None
        return find_config(self.config, self.environ, here)

    def config_file(self, plugins: "Mapping[str, SourcePlugin]") -> "ConfigFile | None":
        """The configuration file in force, to be read now and again; None if there is none. Raises
        ConfigError."""
        from mds_engine.config.file import ConfigFile, as_it_is
        from mds_engine.config.simulated import at_simulator

        file = self.file()
        if file is None:
            return None
        address = simulator_address(self.simulator) if self.simulator is not None else None
        turn = as_it_is if address is None else lambda config: at_simulator(config, address)
        return ConfigFile(file, plugins, self.environ, turn=turn)

    def load(self, plugins: "Mapping[str, SourcePlugin]", *, quiet: bool = False) -> "LoadedConfig":
        """The configuration in force, turned to the simulator if one was named.

        Without a file: the demo's sources on a simulator, else those that need
        no key. Warnings go to stderr, unless `quiet`. Raises ConfigError.
        """
        import msgspec
        from mds_engine.config.first import built_in_config
        from mds_engine.config.load import LoadedConfig, load_config
        from mds_engine.config.simulated import at_simulator, demo_config

        file = self.file()
        address = simulator_address(self.simulator) if self.simulator is not None else None
        if address is not None and file is None:
            return LoadedConfig(config=demo_config(plugins, address))
        loaded = (
            built_in_config(plugins, self.environ)
            if file is None
            else load_config(file, plugins, self.environ)
        )
        if address is not None:
            return msgspec.structs.replace(loaded, config=at_simulator(loaded.config, address))
        for warning in () if quiet else loaded.warnings:
            say(f"warning: {warning}")
        return loaded


def simulator_address(where: str) -> "SimulatorAddress":
    """Where a simulator's vendors listen: `where` is its control URL, or a file with its JSON line.

    Raises SimulatorUnreachableError, or ConfigError for what is no simulator's.
    """
    import http.client
    import urllib.error
    import urllib.request
    from urllib.parse import urlsplit

    from mds_engine.config.simulated import SimulatorAddress
    from mds_engine.errors import ConfigError

    wanted = "give the control URL that `mds-tui simulate` prints, or a file with its JSON line"
    try:
        is_url = urlsplit(where).scheme in ("http", "https")
        if not is_url:
            return SimulatorAddress.read(Path(where).read_bytes())
    except OSError as error:
        raise ConfigError(f"--simulator {where}: {error.strerror}; {wanted}") from None
    except (ValueError, ConfigError) as error:
        raise ConfigError(f"--simulator {where}: {error}; {wanted}") from None
    # A proxy from the environment knows nothing of loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(where, timeout=SIMULATOR_TIMEOUT_S) as answer:
            return SimulatorAddress.read(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise SimulatorUnreachableError(
            f"no simulator answers at {where}: {reason}; `mds-tui simulate` starts one"
        ) from None
    except ConfigError as error:
        raise ConfigError(f"--simulator {where}: {error}; {wanted}") from None


def shared(verb: _CallableT) -> _CallableT:
    """Give a verb the shared options, so that they may stand before or after it."""

    def remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
            if value is not None:
                setattr(ctx.ensure_object(Settings), name, value)

        return callback

    verb = click.option(
        "--simulator",
        metavar="URL",
        expose_value=False,
        callback=remember("simulator"),
        help="Use a running simulator for every vendor: its control URL, or a file with its JSON line.",
    )(verb)
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=remember("config"),
        help="The configuration file.",
    )(verb)
