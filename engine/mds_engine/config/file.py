"""The file that an engine was configured from: what it says now, and what of it is in force."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from mds_engine.config.load import LoadedConfig, Plugin, parse_config, read_config, warn_of_exposure
from mds_engine.config.schema import Config

_DIGEST_LENGTH = 16


class Written(NamedTuple):
    """What a file says, at one time. It may hold secrets: it goes to no log, no event and no screen."""

    text: str
    digest: str
    """Tells this text from another, and nothing of what it says."""


def digest_of(text: str) -> str:
    """The digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


class InForce(NamedTuple):
    """What an engine goes by, and the text that says it."""

    loaded: LoadedConfig
    written: Written


def as_it_is(config: Config) -> Config:
    """Nothing is turned elsewhere."""
    return config


class ConfigFile:
    """One file, read anew whenever it is asked. Its methods may be called from any thread."""

    def __init__(
        self,
        path: Path,
        plugins: Mapping[str, Plugin],
        environ: Mapping[str, str],
        *,
        turn: Callable[[Config], Config] = as_it_is,
    ) -> None:
        """`turn` turns what was read elsewhere, as to a simulator."""
        self.path = path
        self.plugins = plugins
        self.in_force: InForce | None = None
        """What the engine goes by; None until it was loaded for the first time."""
        self._environ = environ
        self._turn = turn

    def read(self) -> Written:
        """What the file says now. Raises InvalidConfigError where it cannot be read."""
        text = read_config(self.path)
        return Written(text, digest_of(text))

    def parse(self, text: str) -> LoadedConfig:
        """What a text would mean in this file. Raises InvalidConfigError with all that is wrong."""
        loaded = parse_config(text, self.plugins, self._environ, name=str(self.path))
        return msgspec.structs.replace(loaded, file=self.path, config=self._turn(loaded.config))

    def load(self) -> LoadedConfig:
        """Read the file, and take what it says as in force. Raises InvalidConfigError."""
        written = self.read()
        loaded = warn_of_exposure(self.parse(written.text), self.path)
        self.in_force = InForce(loaded, written)
        return loaded
