"""`C`: what is done with a draft of the configuration: saved and applied, merged, restored."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mds_engine.config.file import ConfigFile, Written, digest_of
from mds_engine.config.problems import InvalidConfigError
from mds_engine.config.saving import ChangedOnDiskError, save
from mds_engine.config.versions import Version, Versions, versions_of
from mds_engine.control.commands import ApplyConfig, EnableSource
from mds_engine.control.preview import preview
from mds_engine.errors import ConfigError

from mds_tui.configuring.draft import Draft
from mds_tui.configuring.saving import SaveDialog
from mds_tui.configuring.screen import ConfigScreen
from mds_tui.configuring.versions_page import VersionsPage

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_ANSWER_WITHIN_S = 20.0
"""A source that is let go may have calls in flight for as long as one may take."""
DEMO_HAS_NO_FILE = "The demo has no file: this is what it is made of, and nothing of it can be changed here."
NO_FILE = "This engine was started without a configuration file."


def open_configuration(console: "ConsoleApp", words: str) -> None:
    """The screen, at the section that `words` name, if they name one."""
    file = console.settings.config
    if file is None:
        _open_without_file(console)
        return
    try:
        read = file.read()
    except InvalidConfigError as error:
        console.notify(str(error.problems[0]), title="configuration", severity="error")
        return
    Opened(console, file, read).show(words.strip())


class Opened:
    """One visit: a screen, its draft, and the file."""

    def __init__(self, console: "ConsoleApp", file: ConfigFile, read: Written) -> None:
        self._console = console
        self._file = file
        self._draft = Draft(file, read)
        self._versions: Versions = console.settings.config_versions or versions_of(file.path)
        self._screen = screen = ConfigScreen(
            self._draft,
            console.paint,
            may_act=lambda: console.may_act,
            disk_differs=self._disk_differs,
            themes=tuple(console.themes.palettes),
        )
        screen.on_save = self.ask_to_save
        screen.on_versions = self.show_versions
        screen.on_merge = self.merge
        screen.on_reload = self.reload

    def show(self, section: str) -> None:
        """Open it."""
        self._console.push_screen(self._screen)
        if section:
            place = section if "." in section else f"sources.{section}"
            self._screen.call_after_refresh(self._screen.go_to, place)

    def _disk_differs(self) -> bool:
        watch = self._console.config_watch
        return (
            watch is not None
            and watch.on_disk is not None
            and (watch.on_disk.digest != self._draft.read.digest)
        )

    # --- Saving ---------------------------------------------------------------------------------------

    def ask_to_save(self) -> None:
        """Say what it would change, in the file and on the engine."""
        draft, console = self._draft, self._console
        if draft.problems:
            self._screen.action_next_problem()
            console.notify(draft.problems[0].words, title="not saved", severity="error")
            return
        force = self._file.in_force
        if not draft.is_changed and force is not None and force.written.digest == draft.read.digest:
            console.notify("nothing has changed", title="configuration")
            return
        says = self._consequences()
        if draft.is_changed:
            dialog = SaveDialog(
                "save and apply", "save and apply", draft.diff(), says, console.view, console.paint
            )
        else:
            title = "take what the file says"
            dialog = SaveDialog(title, "apply", draft.diff_to_force(), says, console.view, console.paint)
        console.push_screen(dialog, self._save)

    def _consequences(self) -> tuple[str, ...]:
        """What the engine will do, and where the routes of those go that leave it."""
        changes = self._draft.changes
        if changes is None:
            return ()
        snapshot = self._console.view().snapshot
        moves = [
            sentence
            for name in (*changes.out, *changes.gone)
            if snapshot.source(name) is not None
            for sentence in preview(EnableSource(source=name, enabled=False), snapshot)[1:]
        ]
        return (*changes.sentences(), *moves)

    def _save(self, why: str | None) -> None:
        if why is not None:
            # A failing worker must never take the screen down with it.
            self._console.run_worker(self._save_and_apply(why), name="save config", exit_on_error=False)

    async def _save_and_apply(self, why: str) -> None:
        console, draft = self._console, self._draft
        text = draft.text
        try:
            written = await asyncio.to_thread(self._write, text, draft.read, console.wall())
        except ChangedOnDiskError as error:
            if console.config_watch is not None:
                console.config_watch.on_disk = error.now
            self._screen.settle()
            console.notify(f"{error}; merge (m) or reload (r)", title="not saved", severity="error")
            return
        except ConfigError as error:
            console.notify(str(error), title="not saved", severity="error")
            return
        draft.saved(written)
        if console.config_watch is not None:
            console.config_watch.note(written)
        self._screen.renewed()
        command = ApplyConfig(digest=written.digest, by=console.settings.operator, why=why)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                result = await asyncio.shield(asyncio.wrap_future(console.link.send(command)))
        except TimeoutError:
            words = "the engine has not answered yet; the events will say what becomes of it"
            console.notify(f"saved, but {words}", title="not applied", severity="error")
            return
        if result.accepted:
            _take_looks(console, self._file)
            console.notify(result.message, title="saved and applied")
        else:
            console.notify(f"saved, but {result.message}", title="not applied", severity="error")
        self._screen.settle()

    def _write(self, text: str, read: Written, at: float) -> Written:
        """In a thread. The version before is kept before it is replaced."""
        self._versions.keep(read.text, by="", at=at)
        written = Written(text, digest_of(text))
        if written.digest != read.digest:
            written = save(self._file.path, text, read=read)
            self._versions.keep(text, by=self._console.settings.operator, at=at + 0.001)
        return written

    # --- What others wrote, and what was there before ----------------------------------------------------

    def merge(self) -> None:
        """Put this draft's changes into what the file says now."""
        if (now := self._now()) is None:
            return
        conflicts = self._draft.merge(now)
        self._screen.renewed()
        if conflicts:
            places = f"{conflicts} place{'s' if conflicts > 1 else ''}"
            words = f"both changed {places}: both stand in the text, marked; choose there"
            self._console.notify(words, title="merged", severity="warning")
        else:
            self._console.notify("both changes are in the draft; save it", title="merged")

    def reload(self) -> None:
        """Begin anew with what the file says now; a draft that would be lost is asked about."""
        if (now := self._now()) is None:
            return

        def go_on() -> None:
            self._draft.reload(now)
            self._screen.renewed()
            self._console.notify("Ctrl+S shows what it changes, and takes it", title="read anew")

        if not self._draft.is_changed:
            go_on()
            return
        from mds_tui.screens.dialog import Confirm

        console = self._console
        says = ("What you changed here is lost.", "m would keep both.")
        dialog = Confirm("reload the file", "reload", lambda: says, console.view, console.paint)
        console.push_screen(dialog, lambda yes: go_on() if yes else None)

    def show_versions(self) -> None:
        """Choose one to take into the draft."""
        versions = self._versions.all()
        if not versions:
            self._console.notify("no version is kept yet: the first is with the first save")
            return

        def diff_to(version: Version) -> Sequence[str]:
            return self._draft.diff_to(version.text())

        def chosen(version: Version | None) -> None:
            if version is not None:
                self._draft.take_text(version.text())
                self._screen.renewed()
                self._console.notify("it is in the draft; Ctrl+S shows what it changes", title="version")

        page = VersionsPage(
            versions, diff_to, self._draft.read.digest, self._console.settings.zone, self._console.paint
        )
        self._console.push_screen(page, chosen)

    def _now(self) -> Written | None:
        try:
            return self._file.read()
        except InvalidConfigError as error:
            self._console.notify(str(error.problems[0]), title="configuration", severity="error")
            return None


def _take_looks(console: "ConsoleApp", file: ConfigFile) -> None:
    """What of [console] can change while it runs; the rest holds from the next start on."""
    import dataclasses

    if file.in_force is None:
        return
    configured = file.in_force.loaded.config.console
    if configured.theme != console.settings.configured_theme and configured.theme in console.themes.palettes:
        console.theme = configured.theme
    console.settings = dataclasses.replace(
        console.settings, toasts=configured.toasts, bell=configured.bell, configured_theme=configured.theme
    )


def _open_without_file(console: "ConsoleApp") -> None:
    from mds_engine.config.simulated import DEMO
    from mds_engine.sources.plugins import find_plugins

    demo = console.view().snapshot.engine.simulated
    text = DEMO if demo else "# no file\n"
    file = ConfigFile(Path("built in"), find_plugins(), {})
    screen = ConfigScreen(
        Draft(file, Written(text, digest_of(text))),
        console.paint,
        fixed=DEMO_HAS_NO_FILE if demo else NO_FILE,
        may_act=lambda: False,
        disk_differs=lambda: False,
    )
    screen.on_write_first = lambda: _ask_to_write_first(console)
    console.push_screen(screen)


def _ask_to_write_first(console: "ConsoleApp") -> None:
    from mds_engine.config.find import user_config_file

    from mds_tui.screens.dialog import Confirm

    path = user_config_file()
    says = (
        f"{path} is written, with the sources that need no key (Yahoo Finance, Binance).",
        "It changes nothing here: `mds-tui` without a word opens the console on it.",
    )
    dialog = Confirm("write a first file", "write", lambda: says, console.view, console.paint)
    console.push_screen(dialog, lambda yes: _write_first(console, path) if yes else None)


def _write_first(console: "ConsoleApp", path: Path) -> None:
    import os

    from mds_engine.config.first import write_first_config

    try:
        write_first_config(path, os.environ)
    except ConfigError as error:
        console.notify(str(error), title="not written", severity="error")
        return
    console.notify(f"{path}", title="written")
