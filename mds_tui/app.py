"""The console as an app: the feed, the themes, the dialogs, the way commands go, and a clean end."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from mds_engine.control import Command
from mds_engine.control.events import Event, Level
from mds_engine.link import EngineLink
from textual.app import App, SystemCommand
from textual.screen import Screen

from mds_tui.acting import Acting
from mds_tui.engine_watch import EngineWatch, Standing, Turn, restart_sentences
from mds_tui.feed import Feed
from mds_tui.format.events import event_line
from mds_tui.format.sight import BLANK, Sight
from mds_tui.interpreter import STEADY_AFTER_S, spare_what_lasts, take_short_turns
from mds_tui.news import Incidents, incident_of, incident_words, is_alarm
from mds_tui.palettes import ThemesAtHand
from mds_tui.screens.main import MainScreen
from mds_tui.screens.subjects import Subject
from mds_tui.settings import ConsoleSettings
from mds_tui.terminal import terminal_is_gone
from mds_tui.theme import css_variables, paint_of, textual_theme
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver
    from textual.notifications import SeverityLevel
    from textual.theme import Theme

    from mds_tui.configuring.watching import ConfigWatch

MOST_TOASTS = 2
"""At a time: an outage of many routes must not hide the screen that shows it."""
TOAST_LENGTH = 110
_SEVERITY = {Level.INFO: "information", Level.GOOD: "information", Level.WARNING: "warning"}


def _commands() -> "type[Provider]":
    from mds_tui.palette import RegistryCommands

    return RegistryCommands


def _system_commands() -> "type[Provider]":
    from textual.system_commands import SystemCommandsProvider

    return SystemCommandsProvider


@runtime_checkable
class Painted(Protocol):
    """A screen that can take another theme while it is open."""

    def use(self, paint: Paint) -> None:
        """Draw with these colours from now on."""
        ...


class ConsoleApp(App[None]):
    """One operator's screen on one engine."""

    TITLE = "mds-tui"
    CSS_PATH = "console.tcss"
    COMMANDS: ClassVar = {_commands, _system_commands}
    ENABLE_COMMAND_PALETTE = True
    ANIMATION_LEVEL = "none"

    def __init__(
        self,
        link: EngineLink,
        *,
        settings: ConsoleSettings,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        when_steady: Callable[[], None] | None = None,
    ) -> None:
        """`now` is monotonic and `wall` epoch seconds; a test gives its own.

        `when_steady` is called once, some seconds after the beginning.
        """
        self.link = link
        self.settings = settings
        self.wall = wall
        self.now = now
        self._when_steady = when_steady
        self.acting = Acting(self)
        self.themes = ThemesAtHand(settings.theme, settings.own_themes)
        self._palette = self.themes.first
        self._first_theme = textual_theme(self._palette)
        self.paint = paint_of(self._palette, ascii_only=settings.ascii)
        self.feed = Feed(link, now)
        self._watch = EngineWatch()
        self.config_watch: ConfigWatch | None = None
        """Looks whether the configuration file changes, where there is one."""
        self.frame_ms: float | None = None
        self._incidents = Incidents()
        self._worked_s = 0.0
        self._started = False
        # Before Textual makes its style sheet: a theme that is set later costs two more readings of all CSS.
        self.set_reactive(App.theme, self._first_theme.name)
        super().__init__()
        self.animation_level = "none"
        self.set_class(settings.ascii, "-ascii")

    def get_driver_class(self) -> "type[Driver]":
        """Textual's choice, on a file that lasts where that is its Linux driver."""
        from textual.drivers.linux_driver import LinuxDriver

        chosen = super().get_driver_class()
        if chosen is not LinuxDriver:
            return chosen
        from mds_tui.driver import LastingDriver

        return LastingDriver

    def get_theme(self, theme_name: str) -> "Theme | None":
        """As Textual does; the one to begin with also before any can be registered."""
        first = self._first_theme if theme_name == self._first_theme.name else None
        return super().get_theme(theme_name) or first

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colours, for Textual's own themes too."""
        return css_variables(self._palette)

    def get_default_screen(self) -> Screen[None]:
        """The desk."""
        if self.link.mode == "replay":
            from mds_tui.replaying.screen import ReplayScreen

            return ReplayScreen(self.now)
        return MainScreen(self.now)

    # Beginning and end.

    def on_mount(self) -> None:
        """Paint first; the engine after that."""
        self._watch_signals()
        self.theme_changed_signal.subscribe(self, lambda _theme: self._take_theme())
        self.call_after_refresh(self._begin)

    def on_unmount(self) -> None:
        """Give the signals back."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _begin(self) -> None:
        self._started = True
        self.link.start()
        if self.settings.config is not None:
            from mds_tui.configuring.watching import watch_config

            self.config_watch = watch_config(self, self.settings.config)
        for palette in self.themes.palettes.values():
            self.register_theme(textual_theme(palette))
        self.set_interval(1 / self.settings.fps, self.beat)
        self.set_interval(1.0, self._watch_terminal)
        if self._when_steady is not None:
            self.set_timer(STEADY_AFTER_S, self._when_steady)
        if self.settings.keymap_file is not None or self.settings.tour_file is not None:
            from mds_tui.finding.beginning import begin

            begin(self)
        for problem in self.themes.problems():
            self.notify(problem, title="theme", severity="warning")
        self.beat()

    def _watch_signals(self) -> None:
        # Without handlers the terminal is left in raw mode, and a hung-up one is read in a busy loop.
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.exit)

    def _watch_terminal(self) -> None:
        """End when the terminal is gone without a SIGHUP, as under nohup or setsid."""
        if not self.is_headless and terminal_is_gone():
            self.exit()

    @property
    def desk(self) -> MainScreen:
        """The screen at the bottom of the stack."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def beat(self) -> None:
        """One frame: what is new in the feed goes to the desk."""
        if not self.is_running:
            return  # a last tick while the screens are taken down
        worked_s = time.thread_time()
        if self._worked_s:
            spent_ms = (worked_s - self._worked_s) * 1000
            self.frame_ms = spent_ms if self.frame_ms is None else self.frame_ms * 0.9 + spent_ms * 0.1
        self._worked_s = worked_s
        news = self.feed.poll()
        standing = self._watch.standing
        turn = self._watch.look(self.feed)
        if standing is not self._watch.standing:
            self.desk.refresh_bindings()
        if turn is not None:
            self._tell_turn(turn)
        self._tell(news)
        self.acting.beat()
        self.desk.beat(news)

    def view(self) -> Sight:
        """What dialogs and pages are drawn from: always the present, also while the display is paused."""
        return Sight(self.feed.snapshot or BLANK, self.paint.glyphs, self.settings.zone)

    def _tell(self, news: Sequence[Event]) -> None:
        toasts = self._incidents.sift(news, self.now()) if self.settings.toasts else ()
        for events in toasts[:MOST_TOASTS]:
            line = event_line(events[0], self.paint.glyphs, self.settings.zone)
            if len(events) > 1:
                subject = incident_of(events[0])[1] or "routes"
                line = line._replace(subject=subject, text=incident_words(events))
            severity = "error" if line.level is Level.CRITICAL else _SEVERITY[line.level]
            self.notify(
                shorten(line.text, TOAST_LENGTH, placeholder="…"),
                title=f"{line.glyph} {line.subject}",
                severity=severity,  # type: ignore[arg-type]
            )
        if len(toasts) > MOST_TOASTS:
            self.notify(f"and {len(toasts) - MOST_TOASTS} more: see the events", severity="warning")
        if self.settings.bell and any(is_alarm(event) for event in news):
            self.bell()

    def _tell_turn(self, turn: Turn) -> None:
        if self.settings.toasts:
            self.notify(turn.words, title="engine", severity="error" if turn.bad else "information")
        if self.settings.bell and turn.bad:
            self.bell()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: "SeverityLevel" = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - Textual's signature
    ) -> None:
        """Tell something, always as it is, for some seconds: in a corner of the desk, or below a dialog."""
        if self.screen is not self.desk:
            message, title = f"{title}: {message}" if title else message, ""
        super().notify(
            self.paint.words(message),
            title=self.paint.words(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def push_screen(self, screen: Any, *arguments: Any, **options: Any) -> Any:
        """Open a screen; what was told over the desk is over."""
        if self._started:
            self.clear_notifications()
        return super().push_screen(screen, *arguments, **options)

    # Acting.

    @property
    def may_act(self) -> bool:
        """Whether dangerous keys and words do anything now."""
        return not self.refusal

    @property
    def refusal(self) -> str:
        """Why they do nothing, in a sentence; empty while they do: the one place that says so."""
        return self.acting.refusal()

    def open_dialog(self, name: str, subject: Subject) -> None:
        """Ask about a registry entry, for the row under the cursor."""
        self.acting.open_dialog(name, subject)

    def confirm(self, command: Command, title: str) -> None:
        """Say what a command will do, and send it if it is wanted."""
        self.acting.confirm(command, title)

    def submit(self, command: Command) -> None:
        """Send a command and show what became of it."""
        self.acting.submit(command)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A restart is offered while the engine is silent or has ended."""
        if action == "restart_engine":
            if self._watch.standing not in (Standing.SILENT, Standing.ENDED):
                return False
            return True if self.may_act else None
        return super().check_action(action, parameters)

    def action_restart_engine(self) -> None:
        """Ask, then end the engine and build it anew."""
        from mds_tui.screens.dialog import Confirm

        def says() -> Sequence[str]:
            return restart_sentences(self.feed, self.link.whereabouts())

        dialog = Confirm("restart the engine", "restart", says, self.view, self.paint)
        self.push_screen(
            dialog, lambda yes: self.notify(self.link.restart(), title="restart") if yes else None
        )

    # Pages, palette, themes, quitting.

    def action_command_palette(self) -> None:
        """Textual's, in our words."""
        from textual.command import CommandPalette

        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(id="--command-palette", placeholder="command"))

    def action_explain(self) -> None:
        """The keys that hold where the operator stands."""
        from mds_tui.screens.help import open_help

        open_help(self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """What the palette offers beside the registry and the tools."""
        yield SystemCommand("screenshot", "save the screen as SVG", self.deliver_screenshot)
        yield SystemCommand("quit", "leave the console", self.action_quit)

    def _take_theme(self) -> None:
        self._palette = self.themes.palettes.get(self.theme, self._palette)
        self.paint = paint_of(self._palette, ascii_only=self.settings.ascii)
        for screen in self.screen_stack:
            if isinstance(screen, Painted):
                screen.use(self.paint)

    async def action_quit(self) -> None:
        """Ask while the engine would end with the screen; asked twice, just go."""
        from mds_tui.screens.dialog import Confirm

        asked = isinstance(self.screen, Confirm) and self.screen.verb == "quit"
        if self.link.mode != "embedded" or not self._started or asked:
            self.exit()
            return
        says = ("The engine runs in this console and stops with it.", *_forced(self.view()))
        dialog = Confirm("quit", "quit", lambda: says, self.view, self.paint)
        await self.push_screen(dialog, lambda yes: self.exit() if yes else None)

    def action_help_quit(self) -> None:
        """Ctrl+C asks as `q` does."""
        self.run_worker(self.action_quit(), exit_on_error=False)


def run_console(link: EngineLink, settings: ConsoleSettings) -> int:
    """Run the console on a link until it is left; the link is closed and the terminal intact afterwards."""
    take_short_turns()
    app = ConsoleApp(link, settings=settings, when_steady=spare_what_lasts)
    try:
        app.run()
    finally:
        link.close()
    return app.return_code or 0


def _forced(sight: Sight) -> tuple[str, ...]:
    forced = [route.key for route in sight.snapshot.routes if route.pinned is not None]
    return (f"Still forced: {', '.join(forced)}.",) if forced else ()
