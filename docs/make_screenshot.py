"""Makes the pictures of the README and of docs/console.md, on the demo's vendors: `make screenshots`.

.venv/bin/python docs/make_screenshot.py [FOLDER]
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from mds_engine.config.file import ConfigFile
from mds_engine.config.simulated import DEMO, at_simulator
from mds_engine.config.versions import Versions
from mds_engine.control.commands import Login, ResetBreaker, StartDrill
from mds_engine.control.events import DrillEnded
from mds_engine.control.snapshot import SourceState
from mds_engine.drills.desk import run_desk
from mds_engine.drills.live import LiveDrills
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.recording.reading import Recording
from mds_engine.recording.recorder import black_box
from mds_engine.replay_link import ReplayLink
from mds_engine.secret import Secret
from mds_engine.simulator.control_client import ControlClient
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.sources.plugins import find_plugins
from textual.pilot import Pilot

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.configuring.screen import ConfigScreen
from mds_tui.screens.login import LoginScreen
from mds_tui.settings import ConsoleSettings

SIZE = (140, 40)
PAGE_SIZE = (120, 36)
WARM_S = 60
DOWN_S = 9
SETTLED_S = 1.5
DRILL_S = 20.0
PATIENCE_S = 240
OPERATOR = "asha"


class Album:
    """Takes pictures of one console."""

    def __init__(self, folder: Path, app: ConsoleApp, pilot: Pilot[None]) -> None:
        self._folder = folder
        self._app = app
        self._pilot = pilot

    async def take(self, name: str) -> None:
        """The screen as it is."""
        await asyncio.sleep(SETTLED_S)
        (self._folder / f"{name}.svg").write_text(
            self._app.export_screenshot(title="mds-tui"), encoding="utf-8"
        )
        sys.stderr.write(f"{name}.svg\n")

    async def press(self, *keys: str) -> None:
        """Keys, one after the other has been seen."""
        for key in keys:
            await self._pilot.press(key)
            await self._pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that the engine does."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - the engine runs in another thread
                await asyncio.sleep(0.1)


def is_in(app: ConsoleApp, name: str, state: SourceState) -> bool:
    """Whether that is a source's state."""
    source = app.view().snapshot.source(name)
    return source is not None and source.state is state


async def live(folder: Path, app: ConsoleApp, control: str) -> None:
    """What happens in the demo when its vendors fail."""
    async with app.run_test(size=PAGE_SIZE, notifications=False) as pilot, ControlClient(control) as vendors:
        album = Album(folder, app, pilot)
        await asyncio.sleep(WARM_S)
        await album.press("2", "F", "F")
        await album.take("console-force")
        await album.press("escape", "1", "g")

        await vendors.inject("kite", Fault(kind=FaultKind.REFUSE))
        await asyncio.sleep(DOWN_S)
        await pilot.resize_terminal(*SIZE)
        await album.take("console")
        await pilot.resize_terminal(*PAGE_SIZE)
        await asyncio.sleep(SETTLED_S)
        await album.press("enter")
        await album.take("console-source")
        await album.press("escape")

        await vendors.clear("kite")
        await vendors.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))
        app.link.send(ResetBreaker(source="zerodha", by=OPERATOR))
        await album.until(lambda: is_in(app, "zerodha", SourceState.LOGIN))
        await album.press("L")
        await album.until(lambda: isinstance(app.screen, LoginScreen))
        await album.take("console-login")
        await album.press("escape")
        await vendors.clear("kite")
        await asyncio.wrap_future(
            app.link.send(Login(source="zerodha", by=OPERATOR, answer=Secret("simulated")))
        )

        await album.press("C")
        screen = app.screen
        assert isinstance(screen, ConfigScreen)
        screen.draft.set(("sources", "yahoo", "priority"), 5)
        screen.draft.set(("routes", "NASDAQ", "standby"), value=True)
        screen.settle()
        await album.press("ctrl+s")
        await album.take("console-configuration")
        await album.press("escape", "escape", "down", "enter")

        await album.press("1", "g", "R", "down", "enter")
        await album.until(
            lambda: all(route.active == route.sources[0] for route in app.view().snapshot.routes)
        )
        app.link.send(
            StartDrill(
                scenario="refused", target="zerodha", duration_s=DRILL_S, by=OPERATOR, why="before the open"
            )
        )
        await album.until(lambda: any(isinstance(event, DrillEnded) for event in app.feed.events))
        await album.press("colon", *"scorecard", "enter")
        await album.take("console-drill")


async def recorded(folder: Path, app: ConsoleApp, link: ReplayLink) -> None:
    """The same, played again from the black box."""
    async with app.run_test(size=PAGE_SIZE, notifications=False) as pilot:
        album = Album(folder, app, pilot)
        await album.until(lambda: (played := link.playback()) is not None and played.surveyed == 1.0)
        await album.press(*["right_square_bracket"] * 2)
        await asyncio.sleep(SETTLED_S)
        await album.until(lambda: (played := link.playback()) is not None and played.seeking is None)
        await album.take("console-replay")


def main(folder: Path) -> None:
    """One session for all of them, in a folder that is thrown away."""
    vendors = InstalledVendors()
    with SimulatorProcess(seed=1) as simulator, tempfile.TemporaryDirectory() as scratch:
        address = simulator.address
        os.chdir(scratch)  # the configuration's name in the picture is short, and nobody's
        os.environ["XDG_STATE_HOME"] = scratch
        path = Path("config.toml")
        path.write_text(DEMO, encoding="utf-8")
        file = ConfigFile(path, vendors, {}, turn=lambda config: at_simulator(config, address))
        config = file.load().config

        def build() -> Engine:
            recorder = black_box(config.recording, config.engine.name)
            return Engine(config, vendors, seed=1, recorder=recorder, rehearsals=LiveDrills, file=file)

        versions = Versions(Path("versions"), path)
        settings = ConsoleSettings(operator=OPERATOR, config=file, config_versions=versions)
        link = EmbeddedLink(build, beside=run_desk)
        try:
            asyncio.run(live(folder, ConsoleApp(link, settings=settings), address.control))
        finally:
            link.close()
        box = config.recording.folder(config.engine.name)
        replay = ReplayLink(lambda: Recording(box), find_plugins)
        replay.pause()
        try:
            asyncio.run(
                recorded(folder, ConsoleApp(replay, settings=ConsoleSettings(operator=OPERATOR)), replay)
            )
        finally:
            replay.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(__file__).resolve().parent)
