"""Writing a configuration file: whole or not at all, and never over what somebody else has written."""

import os
import stat
import tempfile
from pathlib import Path

from mds_engine.config.file import Written, digest_of
from mds_engine.config.load import read_config
from mds_engine.errors import ConfigError

_OWN = 0o600


class ChangedOnDiskError(ConfigError):
    """The file says something else than what was edited; both are kept."""

    def __init__(self, path: Path, now: Written) -> None:
        super().__init__(f"{path.name} was changed on disk since it was read")
        self.now = now
        """What it says now."""


def save(path: Path, text: str, *, read: Written) -> Written:
    """Put `text` in place of what was `read`, with the file's own permissions, on the disk when this returns.

    Raises ChangedOnDiskError if the file says something else by now, ConfigError
    where it cannot be written. A link is followed: what it points to is replaced.
    """
    path = path.resolve()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mode = _OWN
    else:
        now = read_config(path)
        if digest_of(now) != read.digest:
            raise ChangedOnDiskError(path, Written(now, digest_of(now)))
    try:
        write_whole(path, text.encode(), mode=mode)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    return Written(text, digest_of(text))


def write_whole(path: Path, content: bytes, *, mode: int = _OWN) -> None:
    """Write a file beside its place and put it there in one step. Raises OSError; then nothing changed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.chmod(mode)
        fresh.replace(path)
        _remember(path.parent)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _remember(folder: Path) -> None:
    """Let a folder know its new names before this returns, where folders can be told."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
