"""The last versions of a configuration file, in a folder that only its owner can read: they hold secrets."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mds_engine.config.file import digest_of
from mds_engine.config.load import read_config
from mds_engine.config.saving import write_whole
from mds_engine.errors import ConfigError

MOST_KEPT = 11
"""Ten to go back to, and the present one."""
_NAME = re.compile(r"(?P<at>\d{8}T\d{6}\.\d{3})Z~(?P<by>[^~]*)~(?P<digest>[0-9a-f]+)\.toml\Z")
_TIME = "%Y%m%dT%H%M%S.%f"


class Version(NamedTuple):
    """One version."""

    at: float
    """When it was kept, epoch seconds UTC."""
    by: str
    """Who wrote it; empty where that is not known."""
    digest: str
    path: Path
    """Where it is kept."""

    def text(self) -> str:
        """What it says. Raises ConfigError."""
        return read_config(self.path)


class Versions:
    """Of one file. Makes its folder with the first version that is kept."""

    def __init__(self, folder: Path, file: Path) -> None:
        """`folder` is for the versions of all files."""
        name = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
        self.folder = folder / f"{file.stem}-{name}"

    def keep(self, text: str, *, by: str, at: float) -> None:
        """Keep a text, unless it is the newest already; the oldest beyond the last ten go.

        `at` is epoch seconds UTC. Raises ConfigError where it cannot be written.
        """
        known = self.all()
        digest = digest_of(text)
        if known and known[0].digest == digest:
            return
        time = datetime.fromtimestamp(at, UTC).strftime(_TIME)[:-3]
        who = re.sub(r"[^\w.@+-]", "_", by)[:40]
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.folder / f"{time}Z~{who}~{digest}.toml", text.encode())
            for version in self.all()[MOST_KEPT:]:
                version.path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.folder}: no version can be kept there: {error.strerror}") from None

    def all(self) -> tuple[Version, ...]:
        """Those that are kept, the newest first."""
        found = (
            (match, path)
            for path in (self.folder.iterdir() if self.folder.is_dir() else ())
            if (match := _NAME.match(path.name)) is not None
        )
        versions = [
            Version(
                datetime.strptime(match["at"], _TIME).replace(tzinfo=UTC).timestamp(),
                match["by"],
                match["digest"],
                path,
            )
            for match, path in found
        ]
        return tuple(sorted(versions, key=lambda version: version.at, reverse=True))


def versions_of(file: Path) -> Versions:
    """Where the versions of a file are kept: in the user's state folder."""
    import platformdirs

    return Versions(platformdirs.user_state_path("mds-tui") / "config-versions", file)
