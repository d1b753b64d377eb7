"""A console on prepared pictures: for layout and keys. Behaviour on a real engine is tested apart."""

import asyncio
import html
import os
import re
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC
from pathlib import Path

import msgspec
import pytest

# Textual reads it once, at import.
os.environ["TEXTUAL_ANIMATIONS"] = "none"

from mds_engine.control import Command, CommandResult, Event, Snapshot
from mds_engine.control.commands import Pin, Unpin
from mds_engine.control.events import CommandApplied

from tests.tui.configured import TEXT
from tests.tui.prepared import AT, rich_events, rich_snapshot

_QUIET_TURNS = 5
"""Turns of the event loop without work: a message may be on its way between two widgets."""
_SETTLED_WITHIN_S = 30.0


class ScriptedLink:
    """An EngineLink over a picture and events that a test sets; it accepts every command and remembers it."""

    mode = "embedded"
    era = 0

    def __init__(self, snapshot: Snapshot | None = None, events: tuple[Event, ...] = ()) -> None:
        self.picture = snapshot
        self.log = list(events)
        self.sent: list[Command] = []
        self.reason: str | None = None
        self.started = 0
        self.closed = 0

    def start(self) -> None:
        self.started += 1

    def close(self, timeout_s: float = 5.0) -> None:
        self.closed += 1

    def snapshot(self) -> Snapshot | None:
        return self.picture

    def events(self, after: int) -> tuple[Event, ...]:
        return tuple(event for event in self.log if event.number > after)

    def happen(self, event: Event) -> None:
        """One more event, numbered and timed."""
        self.log.append(msgspec.structs.replace(event, number=len(self.log) + 1, at=AT + len(self.log)))

    def send(self, command: Command) -> "Future[CommandResult]":
        self.sent.append(command)
        reverse = Unpin(route=command.route) if isinstance(command, Pin) else None
        self.happen(CommandApplied(command=command, message="done as asked", reverse=reverse))
        future: Future[CommandResult] = Future()
        future.set_result(CommandResult(accepted=True, message="done as asked", reverse=reverse))
        return future

    def failure(self) -> str | None:
        return self.reason

    def restart(self) -> str:
        self.started += 1
        return "the engine is being started again"

    def whereabouts(self) -> str:
        return ""


async def _settled(*_: float) -> None:
    """Until no widget has a message or a callback left, and nothing waits to be painted."""
    from textual._context import active_app

    app = active_app.get()
    async with asyncio.timeout(_SETTLED_WITHIN_S):
        quiet = 0
        while quiet < _QUIET_TURNS and not app._exit:
            await asyncio.sleep(0)
            if app._resize_event is not None:
                quiet = 0
                continue
            if any(not pump._message_queue.empty() or pump._next_callbacks for pump in (app, *app._registry)):
                quiet = 0
                continue
            quiet += 1
            for screen in app.screen_stack[-1:]:
                if screen._callbacks or screen._layout_required or screen._dirty_widgets:
                    screen._on_timer_update()
                    quiet = 0


@pytest.fixture(autouse=True)
def _no_fixed_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot sleeps in steps of 20 ms until the whole process is idle, which an engine never is."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", _settled)


@pytest.fixture
def snapshot() -> Snapshot:
    """A picture with something of everything."""
    return rich_snapshot()


@pytest.fixture
def history() -> tuple[Event, ...]:
    """The events before it."""
    return rich_events()


@pytest.fixture
def link(snapshot: Snapshot, history: tuple[Event, ...]) -> ScriptedLink:
    """An engine that says so."""
    return ScriptedLink(snapshot, history)


class Times:
    """Clocks that a test moves."""

    def __init__(self) -> None:
        self.monotonic = 100.0

    def now(self) -> float:
        return self.monotonic

    def wall(self) -> float:
        return AT + self.monotonic - 100.0


@pytest.fixture
def times() -> Times:
    """Standing still until a test moves them."""
    return Times()


@pytest.fixture
def console(link: ScriptedLink, times: Times) -> Callable[..., object]:
    """Makes a console on `link`, in UTC, as the operator `asha`."""
    from mds_tui.app import ConsoleApp
    from mds_tui.settings import ConsoleSettings

    def build(**settings: object) -> ConsoleApp:
        chosen = ConsoleSettings(**{"operator": "asha", "zone": UTC, "fps": 0.01, **settings})
        return ConsoleApp(link, settings=chosen, now=times.now, wall=times.wall)

    return build


@pytest.fixture
def emulated(console: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Makes a console as `console` does, on an `EmulatedTerminal`: run it with `headless=False`."""
    from textual.strip import Strip

    from tests.tui.emulated import EmulatedTerminal

    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")

    # Rich and Textual keep the codes of a style, whatever console they were for: tests before had others.
    def render_style(style: object, text: str, color_system: object) -> str:
        codes = Strip.render_ansi(style, color_system)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes else text

    monkeypatch.setattr(Strip, "render_style", staticmethod(render_style))
    Strip.blank.cache_clear()

    def build(**settings: object) -> object:
        app = console(**settings)
        app.driver_class = EmulatedTerminal
        return app

    return build


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration file that its owner alone may read."""
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    file.chmod(0o600)
    return file


@pytest.fixture
def read_screen() -> Callable[[object], str]:
    """What stands on a screen, line by line, from its SVG export (blanks between styles are lost)."""

    def read(app: object) -> str:
        svg = app.export_screenshot()
        lines: dict[int, str] = {}
        for number, text in re.findall(r"line-(\d+)\)\"[^>]*>(.*?)</text>", svg):
            lines[int(number)] = lines.get(int(number), "") + html.unescape(text).replace("\xa0", " ")
        return "\n".join(lines[number] for number in sorted(lines))

    return read
