"""Keys at random, everywhere: nothing crashes, nothing dangerous without its button, footers true, a way out.

`MDS_MASHER_STEPS=20000 pytest tests/tui/test_console_masher.py` presses more.
"""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache
from pathlib import Path

import msgspec
import pytest
from mds_engine.config.file import ConfigFile
from mds_engine.config.simulated import demo_config
from mds_engine.config.versions import Versions
from mds_engine.control import Command, CommandResult
from mds_engine.control.commands import Login
from mds_engine.control.events import DrillEnded
from mds_engine.control.registry import REGISTRY, entry_of
from mds_engine.control.snapshot import LoginView, SourceState
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.sources.plugins import find_plugins
from textual.screen import Screen
from textual.widgets import Button, Input

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.finding.catalogue import bindings_of
from mds_tui.finding.key_names import shown_key
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.keymap import KeymapEditor
from mds_tui.settings import ConsoleSettings
from mds_tui.tools import TOOLS
from mds_tui.widgets.key_bar import KeyBar, hints_of
from tests.tui.prepared import rich_snapshot
from tests.tui.prepared_drill import drill_card, drill_view

STEPS = int(os.environ.get("MDS_MASHER_STEPS", "2000"))
SEEDS = 10
PLACE_EVERY = 16
"""Steps after which the walk leaves where it is and goes somewhere else."""
MOST_ESCAPES = 8
PATIENCE_S = 30.0
SIZES = ((120, 40), (80, 24), (60, 16))
PAGE = "https://kite.zerodha.com/connect/login?v=3&api_key=abcdefghij123456"
CONFIG = """\
[engine]
state_path = ":memory:"

[sources.kite]
kind = "kite"
api_key = "first-secret" # of the desk
access_token = "second-secret"

[sources.yahoo]
kind = "yahoo"

[routes.NSE]
sources = ["kite", "yahoo"]

[console]
watch = ["NSE:RELIANCE"]
"""

KEYS = (
    *"123456hjklgGsSywvfopuFARBPEMNcWJK+qxztXTLDCamnreU0123456789.,[]{}<>!",
    *("up", "down", "left", "right", "tab", "shift+tab", "enter", "escape", "space", "backspace", "delete"),
    *("slash", "colon", "question_mark", "pageup", "pagedown", "home", "end", "ctrl+p", "ctrl+q", "ctrl+c"),
    *("semicolon", "f1", "f8", "ctrl+t", "ctrl+s"),
)
LINES = (
    *(entry.name for entry in REGISTRY),
    *(tool.name for tool in TOOLS),
    *("pin NSE/quote yahoo", "theme light", "theme dark", "go kite", "drill kite hangs", "login kite"),
    *("config yahoo", "reset-breaker kite", "subscribe NSE:TCS", "export", "keymap drill", "apply-config"),
)
PLACES = (
    *((str(number),) for number in range(1, 7)),
    *((str(number), "enter") for number in (1, 2, 5, 6)),
    *((key,) for key in "FARBPEMNDLCWtuX"),
    *(("q",), ("semicolon",), ("question_mark",), ("ctrl+p",), ("slash",), ("colon",)),
    *(("colon", *tool.name, "enter") for tool in TOOLS if not tool.key),
    *(("C", "e"), ("C", "v"), ("C", "l", "enter"), ("L", "up"), ("D", "up", "up")),
)


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is written but here, and no browser is opened."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DOWNLOAD_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("SSH_CONNECTION", "far away")
    return tmp_path


def _config(folder: Path) -> dict[str, object]:
    """A file, its versions, and a keymap, to be changed by whoever presses keys."""
    path = folder / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    file = ConfigFile(path, find_plugins(), {})
    file.load()
    return {
        "config": file,
        "config_versions": Versions(folder / "versions", path),
        "keymap_file": folder / "keymap.toml",
    }


class Walk:
    """Keys by chance, and what must hold after each of them."""

    def __init__(self, app: ConsoleApp, pilot, sent: list[Command], seed: int) -> None:
        self._app = app
        self._pilot = pilot
        self._sent = sent
        self._chance = random.Random(seed)
        self._pressed: list[str] = []

    async def go(self, steps: int) -> None:
        places = [*PLACES]
        self._chance.shuffle(places)
        for step in range(steps):
            if step % PLACE_EVERY == 0:
                await self._leave()
                for key in places[step // PLACE_EVERY % len(places)]:
                    await self._press(key)
            else:
                await self._press(*self._next())
        await self._leave()

    def _next(self) -> tuple[str, ...]:
        """A key that means something here, or any; on a line, sometimes a whole one."""
        screen = self._app.screen
        if isinstance(screen, Dialog) and screen.verb == "quit":
            # Leaving is no crash, but ends the walk: the button that quits is not pressed.
            return ("escape",)
        if isinstance(screen.focused, Input) and self._chance.random() < 0.2:
            return (*self._chance.choice(LINES), "enter")
        # A screen's bindings are a chain of dictionaries, in the order of their classes.
        here = sorted(screen.active_bindings)
        return (self._chance.choice(here if here and self._chance.random() < 0.5 else KEYS),)

    async def _press(self, *keys: str) -> None:
        for key in keys:
            screen, focused = self._app.screen, self._app.screen.focused
            if isinstance(screen, Dialog) and screen.verb == "quit":
                key = "escape"  # noqa: PLW2901
            before = len(self._sent)
            self._pressed.append(key)
            await self._pilot.press(key)
            where = f"after {' '.join(self._pressed[-40:])}"
            assert self._app.is_running, where
            assert self._app._exception is None, where
            confirmed = isinstance(focused, Button) and focused.id == "do" and key in {"enter", "space"}
            for command in self._sent[before:]:
                is_question = isinstance(command, Login) and command.answer is msgspec.UNSET
                assert confirmed or is_question or not entry_of(command).dangerous, f"{command} {where}"
            if lies(self._app.screen):
                await self._pilot.pause()  # what a command changed comes a turn after its key
            assert lies(self._app.screen) == [], where

    async def _leave(self) -> None:
        """Back to the desk by escape alone, unless a draft is lost by that, which is asked about."""
        for _ in range(MOST_ESCAPES):
            screen = self._app.screen
            if isinstance(screen, Dialog) and screen.verb == "leave":
                await self._press("down", "enter")
            elif screen is not self._app.desk or self._app.desk.is_typing:
                if isinstance(screen, KeymapEditor):
                    self._app.set_keymap({})  # the keys that were chosen are not those of the next walk
                await self._press("escape")
        where = f"after {' '.join(self._pressed[-40:])}"
        assert self._app.screen is self._app.desk, where
        assert not self._app.desk.is_typing, where


def lies(screen: Screen[object]) -> list[str]:
    """What the last line of a screen shows that cannot be pressed, and the reverse."""
    hints = hints_of(screen, {}, plain=screen.app.settings.ascii)
    true = {f"{hint.key} {hint.label}" for hint in hints if hint.enabled}
    found = []
    for bar in screen.query(KeyBar):
        if bar.display:
            spans = [span for span in bar._content if span.text.strip()]
            for key, label in zip(spans[::2], spans[1::2], strict=True):
                if bool(key.action) is not (f"{key.text}{label.text}" in true):
                    found.append(f"{key.text}{label.text}")
    known = _all_hints(type(screen), plain=screen.app.settings.ascii)
    for widget in screen.query("*"):
        words = str(widget.border_subtitle or "").replace(" - ", " · ").split(" · ")
        found += [part for part in words if part in known and part not in true]
    return found


@cache
def _all_hints(screen: type, *, plain: bool) -> frozenset[str]:
    """All that a screen of that class may ever show."""
    return frozenset(
        f"{shown_key(key, plain=plain)} {binding.description}"
        for binding in bindings_of(screen)
        for key in binding.key.split(",")
        if binding.show
    )


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_random_keys_do_no_harm(console, link, times, surroundings, seed: int) -> None:
    picture = rich_snapshot()
    login = LoginView(needed=True, opens_in_s=2700.0, lasts=False, brings="the address that you are sent to")
    kite = msgspec.structs.replace(picture.sources[0], state=SourceState.LOGIN, login=login)
    drill = drill_view() if seed % 3 == 0 else None
    link.picture = msgspec.structs.replace(picture, sources=(kite, *picture.sources[1:]), drill=drill)
    link.happen(DrillEnded(source="kite", drill=1, card=drill_card()))
    scripted = link.send

    def send(command: Command) -> "Future[CommandResult]":
        if not isinstance(command, Login):
            return scripted(command)
        link.sent.append(command)
        future: Future[CommandResult] = Future()
        future.set_result(CommandResult(accepted=True, message="asked", page=PAGE))
        return future

    link.send = send
    app = console(**_config(surroundings), read_only=seed % 4 == 3, ascii=seed % 5 == 4)
    async with app.run_test(size=SIZES[seed % len(SIZES)]) as pilot:
        await pilot.pause()
        await Walk(app, pilot, link.sent, seed).go(STEPS // SEEDS)
    assert link.started == 1


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


async def _until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


async def test_random_keys_do_no_harm_to_an_engine_that_runs(simulator, surroundings) -> None:
    def build() -> Engine:
        vendors = InstalledVendors()
        return Engine(demo_config(vendors, simulator.address), vendors, seed=5)

    link = EmbeddedLink(build)
    sent: list[Command] = []
    to_engine: Callable[[Command], Future[CommandResult]] = link.send

    def send(command: Command) -> "Future[CommandResult]":
        sent.append(command)
        return to_engine(command)

    link.send = send
    # On a busy machine an engine may be silent for a while; the keys are not to be greyed for it here.
    app = ConsoleApp(link, settings=ConsoleSettings(operator="asha", fps=20.0), now=lambda: 100.0)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await _until(pilot, lambda: app.feed.snapshot is not None)
            await Walk(app, pilot, sent, 1).go(STEPS // SEEDS)
            assert link.failure() is None
    finally:
        link.close()


async def test_the_console_is_not_left_without_its_own_question(console, link) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("u")
        assert app.screen.verb == "do it"
        await pilot.press("ctrl+q")
        assert app.is_running
        assert app.screen.verb == "quit"
        await pilot.press("escape", "escape")
        assert app.screen is app.desk
    assert link.sent == []
