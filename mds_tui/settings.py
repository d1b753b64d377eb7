"""How one operator wants the console. Imports nothing of Textual: a command line builds it at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from mds_engine.secret import Secret

if TYPE_CHECKING:
    from mds_engine.config.file import ConfigFile
    from mds_engine.config.versions import Versions

LOCAL_FPS = 10.0
SSH_FPS = 4.0
"""A frame over SSH is bytes over somebody's uplink."""


def operator_name(environment: Mapping[str, str]) -> str:
    """Who is asking, for the log: USER or LOGNAME, else `operator`."""
    return environment.get("USER") or environment.get("LOGNAME") or "operator"


def default_fps(environment: Mapping[str, str]) -> float:
    """Frames a second: fewer when the terminal is at the other end of an SSH connection."""
    return SSH_FPS if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY") else LOCAL_FPS


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Everything that changes how the console looks and behaves."""

    theme: str = "dark"
    """Name of a theme."""
    configured_theme: str = "dark"
    """What the configuration says: a choice that is kept holds until that changes."""
    own_themes: Path | None = None
    """Folder of the operator's own themes; None is none."""
    looks_file: Path | None = None
    """Where a theme that is chosen in the console is kept; None keeps nothing."""
    history_file: Path | None = None
    """Where typed commands are kept; None keeps them as long as the console runs."""
    keymap_file: Path | None = None
    """The operator's own keys, there or not; None is the usual ones, which cannot be changed."""
    tour_file: Path | None = None
    """Remembers that the tour was shown: while it is not there, it is shown at the start. None never does."""
    config: "ConfigFile | None" = None
    """The file that the engine was configured from; None if there is none."""
    config_versions: "Versions | None" = None
    """Where its earlier versions are kept; None is the user's state folder."""
    ascii: bool = False
    """Only ASCII signs and borders, for terminals that draw the others badly."""
    read_only: bool = False
    """Dangerous keys are greyed and do nothing, unless it is armed."""
    arming_token: Secret = field(default_factory=Secret)
    """Asked for before a read-only console is armed; an empty one is not."""
    in_browser: bool = False
    """The operator is elsewhere: nothing is written on this machine for them, and read-only stays so."""
    toasts: bool = True
    """Tell in a corner, for some seconds, when data comes from elsewhere or somebody must do something."""
    bell: bool = False
    """Ring at a failover and when a route goes down."""
    fps: float = field(default_factory=lambda: default_fps(os.environ))
    """Most frames a second."""
    operator: str = field(default_factory=lambda: operator_name(os.environ))
    """Named in every command."""
    zone: tzinfo | None = None
    """For times of day; None is this machine's zone."""

    @property
    def armable(self) -> bool:
        """Whether it is read-only, but can be let act for a while."""
        return self.read_only and not self.in_browser

    @property
    def locked(self) -> bool:
        """Whether nothing at all can be done from here, be it as harmless as it may."""
        return self.read_only and self.in_browser
