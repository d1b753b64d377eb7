"""Where the configuration is looked for."""

from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "MDS_TUI_CONFIG"
"""The environment variable that names the file."""


def user_config_file() -> Path:
    """The file in the user's configuration folder, there or not."""
    import platformdirs

    return platformdirs.user_config_path("mds-tui") / "config.toml"


def find_config(named: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The file to read: the one that was named, else the one that the environment names, else
    `config.toml` in `folder`, else the user's; None if there is none.

    A file that was named is returned whether it is there or not, so that its absence is told.
    """
    if named is not None:
        return named
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE]).expanduser()
    for file in (folder / "config.toml", user_config_file()):
        if file.is_file():
            return file
    return None
