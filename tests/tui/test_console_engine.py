"""The console's keys on a real engine with simulated vendors over real sockets."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC

import pytest
from mds_engine.config.simulated import demo_config
from mds_engine.control.events import CommandApplied, FailedOver
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.settings import ConsoleSettings

SIZE = (120, 40)
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


@pytest.fixture
def app(simulator: SimulatorProcess) -> Iterator[ConsoleApp]:
    def build() -> Engine:
        vendors = InstalledVendors()
        return Engine(demo_config(vendors, simulator.address), vendors, seed=5)

    link = EmbeddedLink(build)
    settings = ConsoleSettings(operator="asha", zone=UTC, fps=20.0)
    # On a busy machine an engine may be silent for a while; the keys are not to be greyed for it here.
    yield ConsoleApp(link, settings=settings, now=lambda: 100.0)
    link.close()


async def _until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


def _route(app: ConsoleApp, key: str):
    return app.view().snapshot.route(key)


async def test_force_give_back_and_disable_through_the_keys(app, read_screen) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: (route := _route(app, "NSE/quote")) and route.active == "zerodha")
        await pilot.press("2")
        await _until(pilot, lambda: app.desk.subject().route == "NSE/quote")

        await pilot.press("F")
        app.screen.query_one("#choice-how").focus()
        await pilot.press("right", "shift+tab", "shift+tab", "shift+tab", *"lags")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _route(app, "NSE/quote").pinned == "yahoo")
        await _until(pilot, lambda: "yahoo" in read_screen(app) and "1 forced" in read_screen(app))
        applied = next(event for event in app.feed.events if isinstance(event, CommandApplied))
        assert applied.command.by == "asha"

        await pilot.press("u")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _route(app, "NSE/quote").pinned is None)

        await pilot.press("1", "g", "E")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _route(app, "NSE/quote").active == "yahoo")
        await _until(pilot, lambda: any(isinstance(event, FailedOver) for event in app.feed.events))
        assert "disabled" in read_screen(app)


def _limit(app: ConsoleApp) -> tuple[int, int | None]:
    view = next(one for one in app.view().snapshot.source("zerodha").limiters if one.group == "historical")
    return view.limit, view.published


def _messages(app: ConsoleApp) -> list[str]:
    return [event.message for event in app.feed.events if isinstance(event, CommandApplied)]


async def test_limits_restarts_and_checks_through_the_keys(app) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: (route := _route(app, "NSE/ticks")) and route.instruments)
        await pilot.press("1", "g")
        await _until(pilot, lambda: app.desk.subject().source == "zerodha")
        assert _limit(app) == (3, 3)

        await pilot.press("M")
        await pilot.pause()
        app.screen.query_one("#choice-window").focus()
        await pilot.pause()
        await pilot.press("right", "down", "2", "enter", "enter")
        await _until(pilot, lambda: _limit(app) == (2, 3))
        await pilot.press("u")
        await pilot.pause()
        app.screen.query_one("#do").focus()
        await pilot.pause()
        await pilot.press("enter")
        await _until(pilot, lambda: _limit(app) == (3, 3))

        await _until(
            pilot,
            lambda: any(view.has for view in _route(app, "NSE/ticks").coverage if view.source == "yahoo"),
        )
        await pilot.press("N")
        await pilot.pause()
        app.screen.query_one("#do").focus()
        await pilot.pause()
        await pilot.press("enter")
        await _until(pilot, lambda: "zerodha was restarted and answers" in _messages(app))
        await _until(
            pilot, lambda: (stream := app.view().snapshot.source("zerodha").stream) and stream.connections
        )

        await pilot.press("c")
        await _until(pilot, lambda: "zerodha answers" in _messages(app))


async def test_an_engine_that_ends_is_said_in_words(app, read_screen) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: app.feed.snapshot is not None)
        await asyncio.to_thread(app.link.close)
        await _until(pilot, lambda: "engine stopped" in read_screen(app) or "silent" in read_screen(app))
