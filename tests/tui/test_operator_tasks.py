"""The ten tasks of docs/console.md: done by the keys that stand there, on a real engine and simulator."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest
from mds_engine.config.simulated import demo_config
from mds_engine.control.commands import EndDrill
from mds_engine.control.events import StreamLost
from mds_engine.control.snapshot import SourceState
from mds_engine.drills.desk import run_desk
from mds_engine.drills.live import LiveDrills
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.recording.foreign import convert
from mds_engine.recording.reading import Recording
from mds_engine.replay_link import ReplayLink
from mds_engine.simulator.control_client import ControlClient
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.sources.plugins import find_plugins
from textual.events import Paste

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.screens.drilling_page import DrillPage
from mds_tui.screens.login import LoginScreen
from mds_tui.screens.page import Page
from mds_tui.settings import ConsoleSettings

SIZE = (120, 40)
PATIENCE_S = 60.0
DOCS = Path(__file__).parents[2] / "docs" / "console.md"
LOG = "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz"
NAMES = {"⏎": "enter", "↓": "down", "/": "slash", "]": "right_square_bracket"}


def documented() -> list[tuple[str, list[str], int, int]]:
    """Task, keys, presses, and presses before, of each row."""
    section = DOCS.read_text(encoding="utf-8").split("## Ten tasks")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]
    return [
        (task.strip(), re.findall(r"`([^`]+)`", keys), int(presses), int(before))
        for task, keys, presses, before in rows
    ]


def test_the_table_counts_right() -> None:
    assert len(documented()) == 10
    for task, keys, presses, before in documented():
        assert len(keys) == presses, task
        assert presses <= before, task


class Operator:
    """Presses what the docs say for one task, and nothing else."""

    def __init__(self, app: ConsoleApp, pilot, read: Callable[[object], str], task: str) -> None:
        self.app = app
        self._pilot = pilot
        self._read = read
        (self._left,) = (keys for told, keys, *_ in documented() if task in told)

    async def press(self, count: int) -> None:
        """The next keys of the task."""
        for key in self._left[:count]:
            await self._pilot.press(NAMES.get(key, key))
            await self._pilot.pause()
        self._left = self._left[count:]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
                await self._pilot.pause()

    async def reads(self, *words: str) -> None:
        """Until all of that stands on the screen."""
        await self.until(lambda: all(word in self._read(self.app) for word in words))

    async def shows(self, pattern: str) -> None:
        """Until something on the screen is of that form."""
        await self.until(lambda: re.search(pattern, self._read(self.app)))

    def source(self, name: str):
        return self.app.view().snapshot.source(name)

    def route(self, key: str):
        return self.app.view().snapshot.route(key)

    def finished(self) -> bool:
        return not self._left


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


@pytest.fixture
def fail(simulator: SimulatorProcess):
    """Makes a simulated vendor fail, or all well again."""

    async def inject(vendor: str = "", kind: FaultKind = FaultKind.REFUSE, **more: float) -> None:
        async with ControlClient(simulator.address.control) as control:
            await control.clear_all()
            if vendor:
                await control.inject(vendor, Fault(kind=kind, **more))

    return inject


@pytest.fixture
def desk(simulator, fail, read_screen, tmp_path, monkeypatch):
    """Sits an operator down before a task, once ticks flow and the cursor stands on Kite."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # one of the keys writes a file

    def build() -> Engine:
        vendors = InstalledVendors()
        return Engine(demo_config(vendors, simulator.address), vendors, seed=5, rehearsals=LiveDrills)

    @asynccontextmanager
    async def sit(task: str) -> AsyncIterator[Operator]:
        await fail()
        link = EmbeddedLink(build, beside=run_desk)
        settings = ConsoleSettings(operator="asha", zone=UTC, fps=20.0)
        # On a busy machine an engine may be silent for a while; the keys are not to be greyed for it here.
        app = ConsoleApp(link, settings=settings, now=lambda: 100.0)
        try:
            async with app.run_test(size=SIZE, notifications=True) as pilot:
                operator = Operator(app, pilot, read_screen, task)

                def is_ready() -> bool:
                    source = operator.source("zerodha")
                    flows = source is not None and source.ticks_per_s > 0
                    return flows and app.desk.subject().source == "zerodha"

                await operator.until(is_ready)
                yield operator
                assert operator.finished()
        finally:
            link.close()

    return sit


async def test_is_my_data_good_and_why_from_them(desk) -> None:
    async with desk("Is my data good") as operator:
        await operator.reads("▲ active", "NSE:RELIANCE", "zerodha")
        await operator.press(2)
        await operator.reads("candidates, in order", "zerodha is active", "if zerodha fails now")


async def test_a_slow_vendor_is_understood_forced_away_from_and_taken_back(desk, fail) -> None:
    async with desk("Kite is slow") as operator:
        await fail("kite", FaultKind.SLOW, delay_s=1.2)

        def is_slow() -> bool:
            quote = next(one for one in operator.source("zerodha").capabilities if one.capability == "quote")
            return quote.p99_ms is not None and quote.p99_ms >= 1000

        await operator.until(is_slow)
        await operator.press(2)
        await operator.reads("NSE/quote")
        # By 1.2 s at least: a busy machine adds what it likes.
        await operator.shows(r"p99 \d,\d{3}")
        await operator.press(2)
        assert "Held for 15 min, then automatic." in operator.app.screen.sentences()
        assert operator.route("NSE/quote").pinned is None, "nothing before it is confirmed"
        await operator.press(2)
        await operator.until(lambda: operator.route("NSE/quote").pinned == "yahoo")
        assert isinstance(operator.app.screen, Page), "where the effect is seen"
        await operator.until(lambda: "undo" in operator.app.screen.query_one("#page").border_subtitle)
        await operator.press(3)
        await operator.until(lambda: operator.route("NSE/quote").pinned is None)


async def test_an_ended_token_is_replaced(desk, fail) -> None:
    async with desk("token has ended") as operator:
        await fail("kite", FaultKind.TOKEN_EXPIRED)
        await operator.until(lambda: operator.source("zerodha").state is SourceState.LOGIN)
        await operator.press(1)
        await operator.until(lambda: isinstance(operator.app.screen, LoginScreen))
        await operator.reads("Log in on this page")
        operator.app.post_message(Paste("simulated"))
        await operator.until(lambda: operator.app.focused is not None and operator.app.focused.id == "do")
        await operator.press(1)
        await operator.until(lambda: operator.source("zerodha").state is not SourceState.LOGIN)


async def test_a_source_whose_quota_goes_is_taken_out(desk) -> None:
    async with desk("about to be spent") as operator:
        await operator.press(3)
        await operator.reads("calls per day", "/25", "resets 05:00:00")
        await operator.press(3)
        await operator.until(lambda: not operator.source("alphavantage").enabled)
        await operator.reads("alphavantage disabled")


async def test_an_open_breaker_is_understood_checked_and_reset(desk, fail) -> None:
    async with desk("breaker is open") as operator:
        await fail("kite", FaultKind.REFUSE)

        def is_open() -> bool:
            return any(view.breaker.state == "open" for view in operator.source("zerodha").capabilities)

        await operator.until(is_open)
        await operator.press(1)
        await operator.reads("breaker timeline", "next probe", "refused the connection")
        await fail()
        await operator.press(1)
        await operator.reads("zerodha answers")
        await operator.press(3)
        await operator.until(lambda: not is_open())


async def test_who_lies_stands_on_the_instrument_s_page(desk, fail) -> None:
    async with desk("price looks wrong") as operator:
        await fail("kite", FaultKind.WRONG_PRICE, factor=1.02)

        def is_apart() -> bool:
            rows = operator.app.view().snapshot.watch
            row = next((one for one in rows if one.instrument == "NSE:RELIANCE"), None)
            prices = [] if row is None else [one.price for one in row.prices]
            return len(prices) == 2 and max(prices) / min(prices) > 1.019

        await operator.until(is_apart)
        await operator.press(2)
        await operator.reads("NSE:RELIANCE", "at its sources", "bps apart", "zerodha", "yahoo")


async def test_a_fault_is_rehearsed_and_its_scorecard_kept(desk, tmp_path) -> None:
    async with desk("Rehearse") as operator:
        await operator.press(3)
        await operator.until(lambda: isinstance(operator.app.screen, DrillPage))
        await operator.until(lambda: operator.app.view().snapshot.drill.figures.moved_after_s is not None)
        # In place of the minutes that it takes.
        while operator.app.view().snapshot.drill is not None:
            phase = operator.app.view().snapshot.drill.phase
            operator.app.link.send(EndDrill(by="the test"))
            await operator.until(
                lambda phase=phase: (
                    (drill := operator.app.view().snapshot.drill) is None or drill.phase is not phase
                )
            )
        await operator.reads("scorecard")
        await operator.press(1)
        exports = tmp_path / "mds-tui" / "exports"
        await operator.until(lambda: exports.exists() and [*exports.iterdir()])


async def test_a_limit_is_set_and_taken_back(desk) -> None:
    async with desk("900 calls an hour") as operator:

        def limit() -> int:
            return operator.source("yahoo").limiters[0].limit

        usual = limit()
        await operator.press(6)
        assert limit() == usual
        await operator.press(1)
        await operator.until(lambda: limit() == 900)
        await operator.until(lambda: operator.app.desk._reversible is not None)
        await operator.press(3)
        await operator.until(lambda: limit() == usual)


async def test_an_event_is_found_and_leads_to_what_it_is_about(desk, fail) -> None:
    async with desk("stream was lost") as operator:
        await fail("kite", FaultKind.REFUSE)
        await operator.until(lambda: any(isinstance(event, StreamLost) for event in operator.app.feed.events))
        await operator.press(7)
        await operator.reads("stream lost", "/lost")
        await operator.press(1)
        await operator.reads("event", "stream-lost")
        await operator.press(1)
        await operator.until(lambda: operator.app.desk.subject().source == "zerodha")
        await operator.press(1)
        await operator.reads("breaker timeline", "zerodha")


def _with_an_outage(log: Path, into: Path) -> Path:
    """The same traffic without 40 of its seconds."""
    lines = gzip.decompress(log.read_bytes()).decode().splitlines(keepends=True)
    times = [float(found[0]) if (found := re.findall(r"\d{10}\.\d+", line)) else 0.0 for line in lines]
    start = min(at for at in times if at)
    kept = [line for line, at in zip(lines, times, strict=True) if not start + 10 < at < start + 50]
    into.write_bytes(gzip.compress("".join(kept).encode()))
    return into


async def test_an_outage_is_gone_to_in_its_recording(recordings: Path, tmp_path, read_screen) -> None:
    log = _with_an_outage(recordings / "binance" / LOG, tmp_path / LOG)
    convert(log, tmp_path / "spot", source="binance", kind="binance")
    link = ReplayLink(lambda: Recording(tmp_path / "spot"), find_plugins, interval_s=0.01)
    link.pause()
    settings = ConsoleSettings(operator="asha", zone=UTC, fps=50.0)
    app = ConsoleApp(link, settings=settings, now=lambda: 100.0)
    try:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            operator = Operator(app, pilot, read_screen, "in its recording")
            await operator.until(
                lambda: (played := link.playback()) and played.surveyed == 1.0 and app.feed.snapshot
            )
            start = link.playback().at
            await operator.press(1)
            await operator.until(
                lambda: (
                    link.playback().seeking is None
                    and link.playback().at > start
                    and app.desk.sight.snapshot.at == link.playback().at
                )
            )
            await operator.press(1)
            await operator.reads("REPLAY, not live", "binance", "capabilities")
            assert operator.finished()
    finally:
        link.close()
