"""Drills through the real keys, on a real engine with simulated vendors over real sockets."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest
from mds_engine.config.simulated import demo_config
from mds_engine.control.drill import DrillPhase
from mds_engine.control.events import DrillEnded
from mds_engine.drills.live import LiveDrills
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.screens.acting import FormDialog
from mds_tui.screens.drilling_page import DrillPage
from mds_tui.settings import ConsoleSettings

SIZE = (120, 40)
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


@pytest.fixture
def app_with(simulator: SimulatorProcess) -> Iterator[Callable[..., ConsoleApp]]:
    def build() -> Engine:
        vendors = InstalledVendors()
        return Engine(demo_config(vendors, simulator.address), vendors, seed=5, rehearsals=LiveDrills)

    link = EmbeddedLink(build)

    def make(**more: object) -> ConsoleApp:
        settings = ConsoleSettings(**{"operator": "asha", "zone": UTC, "fps": 20.0, **more})
        # On a busy machine an engine may be silent for a while; the keys are not to be greyed for it here.
        return ConsoleApp(link, settings=settings, now=lambda: 100.0)

    yield make
    link.close()


async def _until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


async def _ready(app: ConsoleApp, pilot) -> None:
    """Until zerodha's ticks flow and the cursor stands on it."""

    def is_ready() -> bool:
        source = app.view().snapshot.source("zerodha")
        return source is not None and source.ticks_per_s > 0 and app.desk.subject().source == "zerodha"

    await _until(pilot, is_ready)


async def _start(app: ConsoleApp, pilot) -> None:
    """`D`, the reason, and the button that starts it."""
    await pilot.press("D")
    assert isinstance(app.screen, FormDialog)
    await pilot.press("up", *"rehearsal", "enter", "enter")
    await _until(pilot, lambda: isinstance(app.screen, DrillPage))


def _said(app: ConsoleApp) -> str:
    """What the dialog says will happen."""
    return " ".join(app.screen.sentences())


def _only_text(folder: Path) -> str:
    (file,) = folder.iterdir()
    return file.read_text(encoding="utf-8")


def _drill(app: ConsoleApp):
    return app.view().snapshot.drill


async def test_a_drill_from_its_dialog_to_its_file(app_with, read_screen, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app = app_with()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _ready(app, pilot)
        await pilot.press("D")
        assert "NSE/ticks" in _said(app)
        assert "should move to yahoo." in _said(app)
        assert (
            "The fault is made on our side of the connection; the simulated vendor is left alone."
            in _said(app)
        )
        await _until(pilot, lambda: "[refused]" in read_screen(app) and "our side" in read_screen(app))
        assert app.screen.focused.id == "cancel"
        await pilot.press("enter")
        assert app.screen is app.desk
        assert _drill(app) is None

        await _start(app, pilot)
        assert _drill(app).target == "zerodha"
        await _until(pilot, lambda: "the fault stands" in read_screen(app))
        await _until(pilot, lambda: _drill(app).figures.moved_after_s is not None)

        await pilot.press("escape")
        assert app.screen is app.desk
        await _until(pilot, lambda: "DRILL zerodha refused" in read_screen(app).splitlines()[0])
        await pilot.press("D")
        assert isinstance(app.screen, DrillPage)
        await _until(pilot, lambda: "what it brought about" in read_screen(app))

        await pilot.press("w")  # there is no result yet
        for phase in (DrillPhase.RECOVERY, None):
            await pilot.press("E")
            await pilot.pause()
            app.screen.query_one("#do").focus()
            await pilot.press("enter")
            await _until(pilot, lambda phase=phase: (_drill(app) and _drill(app).phase) is phase)
        await _until(pilot, lambda: any(isinstance(event, DrillEnded) for event in app.feed.events))
        await _until(pilot, lambda: "scorecard" in read_screen(app) and "asha ended it" in read_screen(app))

        await pilot.press("w")
        exports = tmp_path / "mds-tui" / "exports"
        await _until(pilot, lambda: exports.exists() and [*exports.iterdir()])
        await _until(
            pilot, lambda: any("drill-refused-zerodha" in told.message for told in app._notifications)
        )
        text = _only_text(exports)
        assert text.startswith("# Drill refused of zerodha: ")
        assert "- by asha: rehearsal" in text

        await pilot.press("escape")
        await _until(pilot, lambda: "DRILL" not in read_screen(app).splitlines()[0])
        await pilot.press("6", "g")
        await _until(pilot, lambda: "drill: " in read_screen(app))
        await pilot.press("D")
        assert isinstance(app.screen, FormDialog)
        await pilot.press("escape", *":scorecard", "enter")
        await _until(pilot, lambda: isinstance(app.screen, DrillPage))


async def test_what_would_be_lost_is_asked_for(app_with, read_screen) -> None:
    app = app_with()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _ready(app, pilot)
        await pilot.press(*":drill binance stream-mute", "enter")
        await _until(pilot, lambda: isinstance(app.screen, FormDialog))
        assert "BINANCE/ticks (2 live instruments) would be down: no other source can take over." in _said(
            app
        )
        await _until(pilot, lambda: "[refuse it]" in read_screen(app) and "[stream-mute]" in read_screen(app))
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: "would be lost" in read_screen(app))
        assert _drill(app) is None


async def test_who_may_only_look_starts_none(app_with) -> None:
    app = app_with(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _ready(app, pilot)
        await pilot.press("D")
        assert app.screen is app.desk


async def test_the_drill_goes_on_while_another_theme_is_taken(app_with, read_screen) -> None:
    app = app_with()
    async with app.run_test(size=(80, 24)) as pilot:
        await _ready(app, pilot)
        await _start(app, pilot)
        app.theme = next(name for name in app.themes.palettes if "light" in name)
        await pilot.pause()
        await _until(pilot, lambda: "the fault stands" in read_screen(app))
        assert app.screen._paint is app.paint
