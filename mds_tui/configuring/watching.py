"""Looks whether the configuration file says something else than the engine goes by. Told, never taken."""

import asyncio
from typing import TYPE_CHECKING

from mds_engine.config.file import ConfigFile, Written, digest_of
from mds_engine.config.problems import InvalidConfigError

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

LOOK_EVERY_S = 2.0


class ConfigWatch:
    """One look after the other; a file whose time and size are as they were is not read again."""

    def __init__(self, file: ConfigFile) -> None:
        self.file = file
        self.on_disk: Written | None = None
        """What the file said at the last look; None before it, and while it cannot be read."""
        self.trouble = ""
        """Why it cannot be used as it is, in a sentence; empty if it can."""
        self._mark: tuple[int, int, int] | None = None
        self._told = ""

    @property
    def differs(self) -> bool:
        """Whether the file says something else than what the engine goes by."""
        force = self.file.in_force
        return self.on_disk is not None and force is not None and self.on_disk.digest != force.written.digest

    @property
    def words(self) -> str:
        """For the header: that there is something to look at. Empty while there is not."""
        if self.trouble:
            return "config on disk is broken: C"
        return "config changed on disk: C" if self.differs else ""

    def look(self) -> None:
        """Read the file if it changed. Blocks for the disk; raises nothing."""
        try:
            state = self.file.path.stat()
        except OSError as error:
            self._mark, self.on_disk, self.trouble = None, None, f"cannot be read: {error.strerror}"
            return
        mark = (state.st_mtime_ns, state.st_size, state.st_ino)
        if mark == self._mark:
            return
        try:
            written = self.file.read()
        except InvalidConfigError as error:
            self.on_disk, self.trouble = None, _first(error, self.file)
            return
        self._mark = mark
        if self.on_disk is None or written.digest != self.on_disk.digest:
            self.trouble = self._trouble_of(written.text)
        self.on_disk = written

    def note(self, written: Written) -> None:
        """The console wrote this itself."""
        self.on_disk, self.trouble, self._told = written, "", written.digest

    def news(self) -> str:
        """What to tell of it now: once for each thing that the file came to say. Empty for nothing."""
        if self.on_disk is None:
            key = digest_of(self.trouble) if self.trouble else ""
        else:
            key = self.on_disk.digest if self.differs else ""
        if key == self._told:
            return ""
        self._told = key
        name = self.file.path.name
        if not key:
            return ""
        if self.trouble:
            return f"{name} on disk cannot be used, the engine keeps what it has: {self.trouble}"
        return f"{name} changed on disk; C shows what, and takes it if you want"

    def _trouble_of(self, text: str) -> str:
        force = self.file.in_force
        if force is not None and digest_of(text) == force.written.digest:
            return ""
        try:
            self.file.parse(text)
        except InvalidConfigError as error:
            return _first(error, self.file)
        return ""


def _first(error: InvalidConfigError, file: ConfigFile) -> str:
    """The first thing that is wrong, without what might be done about it: there is little room."""
    first = str(error.problems[0]).partition("; ")[0]
    more = len(error.problems) - 1
    return first.replace(f"{file.path}:", "line ", 1) + (f"; and {more} more" if more else "")


def watch_config(console: "ConsoleApp", file: ConfigFile) -> ConfigWatch:
    """Look every two seconds, off the loop, and tell what is new."""
    watch = ConfigWatch(file)

    async def look() -> None:
        await asyncio.to_thread(watch.look)
        if news := watch.news():
            console.notify(news, title="configuration", severity="warning", timeout=12)

    def begin() -> None:
        console.run_worker(look(), name="config", group="config", exclusive=True, exit_on_error=False)

    console.set_interval(LOOK_EVERY_S, begin)
    begin()
    return watch
