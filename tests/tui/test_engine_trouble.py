"""An engine whose loop is really blocked, or whose thread is really killed, and the console that says so."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC

import msgspec
import pytest
from mds_engine.config.simulated import demo_config
from mds_engine.control.commands import Pin
from mds_engine.control.events import CommandApplied, EngineStarted
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.format.cells import Ink, text_of
from mds_tui.settings import ConsoleSettings

SIZES = [(120, 40), (80, 24), (60, 16)]
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


class Blocked(EmbeddedLink):
    """A real engine on a loop of its own that a test can hold up."""

    def __init__(self, build: Callable[[], Engine]) -> None:
        self._held = threading.Event()
        self._let_go = False
        self.loop: asyncio.AbstractEventLoop | None = None
        super().__init__(build, beside=self._beside)

    async def _beside(self, engine: Engine) -> None:
        self.loop = asyncio.get_running_loop()
        await asyncio.Event().wait()

    def block(self) -> None:
        """The loop runs Python code that does not end, until it is let go or broken off."""
        self._let_go = False
        self.loop.call_soon_threadsafe(self._spin)
        assert self._held.wait(PATIENCE_S)

    def let_go(self) -> None:
        self._let_go = True

    def kill(self) -> None:
        """End the thread as nothing in it expects."""
        thread = self._runs.thread
        self.loop.call_soon_threadsafe(sys.exit)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()

    def _spin(self) -> None:
        self._held.set()
        while not self._let_go:
            time.sleep(0.001)  # leaves the console, in the same process, its share of the time


class Clock:
    """The console's: it stands still but where a test moves it."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_app(simulator, clock) -> Iterator[Callable[..., ConsoleApp]]:
    links: list[Blocked] = []

    def build() -> Engine:
        vendors = InstalledVendors()
        return Engine(demo_config(vendors, simulator.address), vendors, seed=5)

    def make(**more: object) -> ConsoleApp:
        links.append(Blocked(build))
        settings = ConsoleSettings(operator="asha", zone=UTC, fps=20.0, **more)
        return ConsoleApp(links[-1], settings=settings, now=clock)

    yield make
    for link in links:
        link.let_go()
        link.close()


async def _until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


async def _is_up(app, pilot) -> None:
    await _until(pilot, lambda: app.feed.snapshot is not None and app.feed.snapshot.routes)


def _header(app, read_screen) -> str:
    return read_screen(app).splitlines()[0]


def _inks(app, pane: str) -> set[object]:
    """The colours in which a pane's lines are drawn."""
    grid = app.desk.pane_named(pane)
    strips = [grid.render_line(y) for y in range(grid.size.height)]
    return {segment.style.color for strip in strips for segment in strip if segment.text.strip()}


@pytest.mark.parametrize("size", SIZES)
async def test_a_blocked_loop_is_said_within_two_seconds_and_offers_a_restart(
    make_app, clock, read_screen, size
) -> None:
    app = make_app()
    async with app.run_test(size=size, notifications=True) as pilot:
        await _is_up(app, pilot)
        assert "X restart" not in read_screen(app)
        app.link.block()
        app.beat()
        shown = app.feed.snapshot
        clock.now_s += 1.9
        app.beat()
        await pilot.pause()
        assert "engine silent for 1 s" in _header(app, read_screen)
        assert [note.title for note in app._notifications] == ["engine"]
        clock.now_s += 40.0
        app.beat()
        await pilot.pause()
        assert "engine silent for 41 s" in _header(app, read_screen)
        # The last picture stays, and is quiet.
        assert app.feed.snapshot is shown
        assert "zerodha" in read_screen(app)
        quiet = {app.paint.styles["background", ink].color for ink in (Ink.DIM, Ink.FAINT)}
        assert _inks(app, "sources") - {app.paint.styles["cursor", Ink.DIM].color} <= quiet
        assert "X restart" in read_screen(app).splitlines()[-1]
        # Nothing else acts on a picture that is not the present.
        await pilot.press("F")
        assert app.screen is app.desk

        await pilot.press("X")
        await pilot.pause()
        words = " ".join(text_of(line).strip() for line in app.screen.query_one("#preview").lines)
        assert "given no sign of life for 41 s; it is at test_engine_trouble.py:" in words
        await pilot.press("enter")
        assert app.screen is app.desk
        assert app.feed.snapshot is shown

        await pilot.press("X")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: app.feed.present)
        await _until(pilot, lambda: "demo" in _header(app, read_screen))
        assert app.feed.snapshot.engine.started_at > shown.engine.started_at
        assert sum(isinstance(event, EngineStarted) for event in app.feed.events) == 2
        await _until(pilot, lambda: "X restart" not in read_screen(app))
        assert _inks(app, "sources") - quiet


async def test_a_loop_that_goes_on_by_itself_is_told_too(make_app, clock, read_screen) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _is_up(app, pilot)
        app.link.block()
        app.beat()
        clock.now_s += 5.0
        app.beat()
        app.link.let_go()
        await _until(pilot, lambda: app.feed.present)
        assert [note.message for note in app._notifications] == [
            "no sign of life for 5 s; what you see is as old",
            "is back: what you see is the present",
        ]


@pytest.mark.parametrize("size", SIZES)
async def test_a_killed_thread_is_said_and_begun_anew(make_app, read_screen, size) -> None:
    app = make_app(bell=True)
    async with app.run_test(size=size, notifications=True) as pilot:
        await _is_up(app, pilot)
        began_at = app.feed.snapshot.engine.started_at
        await asyncio.to_thread(app.link.kill)
        app.beat()
        await pilot.pause()
        assert "engine stopped" in _header(app, read_screen)
        assert all(pane.faded for pane in app.desk.panes)
        (note,) = (note for note in app._notifications if note.title == "engine")
        assert note.message == "the engine died: SystemExit; the log has more"
        await pilot.press("X")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        # A last picture of the one before may still have come.
        await _until(pilot, lambda: app.feed.present and app.feed.snapshot.engine.started_at > began_at)
        result = await asyncio.wrap_future(app.link.send(Pin(route="NSE/quote", source="yahoo", by="asha")))
        assert result.accepted
        await _until(pilot, lambda: any(isinstance(event, CommandApplied) for event in app.feed.events))
        assert not any(pane.faded for pane in app.desk.panes)


async def test_read_only_offers_no_restart(make_app, clock, read_screen) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await _is_up(app, pilot)
        app.link.block()
        app.beat()
        clock.now_s += 5.0
        app.beat()
        await pilot.press("X")
        assert app.screen is app.desk


async def test_what_was_asked_of_a_blocked_engine_and_given_up_is_not_done_later(
    make_app, monkeypatch, clock
) -> None:
    monkeypatch.setattr("mds_tui.acting.ANSWER_WITHIN_S", 0.05)
    app = make_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _is_up(app, pilot)
        app.link.block()
        app.submit(Pin(route="NSE/quote", source="yahoo", by="asha"))
        await _until(pilot, lambda: any(note.title == "not done" for note in app._notifications))
        app.link.let_go()
        before = app.feed.snapshot
        await _until(pilot, lambda: app.feed.snapshot is not before)
        result = await asyncio.wrap_future(app.link.send(Pin(route="NSE/bars", source="yahoo", by="asha")))
        assert result.accepted
        await _until(pilot, lambda: any(isinstance(event, CommandApplied) for event in app.feed.events))
        assert app.view().snapshot.route("NSE/quote").pinned is None


async def test_losses_stand_in_the_header_where_there_is_room(console, link, times, read_screen) -> None:
    engine = msgspec.structs.replace(link.picture.engine, ticks_dropped=12, ticks_conflated=3400)
    link.picture = msgspec.structs.replace(link.picture, engine=engine)
    app = console()
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        times.monotonic += 1.0
        app.beat()
        await pilot.pause()
        assert "dropped 12  conflated 3,400" in _header(app, read_screen)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "conflated" not in _header(app, read_screen)
        assert "demo" in _header(app, read_screen)
