"""A screen on an engine under load: `python -m benchmarks.console_process WHICH URL INSTRUMENTS SOURCES`.

`WHICH` is `desk` (the console), `demo` (with all of the demo's sources beside the
loaded one), `watch` (its watch pane alone, over the whole screen) or `table` (the
same rows in a Textual `DataTable`). What it measured
goes as JSON to the file that the environment's `BENCH_REPORT` names, when a
SIGTERM ends it.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from mds_engine.config.schema import Config
from mds_engine.config.simulated import demo_config
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control.snapshot import WatchRow
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.sources.binance import plugin
from textual.app import App, ComposeResult
from textual.widgets import DataTable

import mds_tui.app
from benchmarks.load_process import load_symbols
from benchmarks.memory import resident_mb
from benchmarks.null_source import PLUGINS
from benchmarks.stream_receivers import binance_at
from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.format.numbers import age, change, compact, price
from mds_tui.interpreter import spare_what_lasts, take_short_turns
from mds_tui.settings import ConsoleSettings
from mds_tui.widgets.live_grid import LiveGrid

_FPS = 10.0
_SAMPLE_S = 1.0


class Gauge:
    """What one screen costs and how soon it answers a key."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, float]] = []
        """When each began, and the milliseconds of the screen's own thread from it to the next."""
        self.keys: list[float] = []
        """When the screen went to the terminal for the first time since a key moved the cursor."""
        self.samples: list[tuple[float, float, float]] = []
        """Once a second: time, seconds of CPU without the engine's thread and this gauge's, resident MB."""
        self._worked_s = 0.0
        self._moves = 0

    def beat(self) -> None:
        """A frame begins."""
        worked_s = time.thread_time()
        if self._worked_s:
            self.frames.append((time.monotonic(), (worked_s - self._worked_s) * 1e3))
        self._worked_s = worked_s

    def moved(self) -> None:
        """A key moves the cursor."""
        self._moves += 1

    def written(self) -> None:
        """The screen was sent."""
        if self._moves:
            self.keys += [time.monotonic()] * self._moves
            self._moves = 0

    def sample(self) -> None:
        """Measure until the process ends. Runs in a thread of its own."""
        engine = next(thread for thread in threading.enumerate() if thread.name == "mds-engine")
        assert engine.ident is not None
        clock = time.pthread_getcpuclockid(engine.ident)
        while engine.is_alive():
            spent_s = time.process_time() - time.clock_gettime(clock) - time.thread_time()
            self.samples.append((time.monotonic(), spent_s, resident_mb()))
            time.sleep(_SAMPLE_S)

    def watch_driver(self, app: App[Any]) -> None:
        """See what goes to the terminal; begin to sample."""
        driver = app._driver  # noqa: SLF001 - no event tells of it
        assert driver is not None
        write = driver.write

        def watched(data: str) -> None:
            write(data)
            self.written()

        driver.write = watched  # type: ignore[method-assign]
        threading.Thread(target=self.sample, daemon=True).start()


class MeasuredConsole(ConsoleApp):
    """The console, measured."""

    CSS_PATH = Path(mds_tui.app.__file__).with_name("console.tcss")

    def __init__(self, link: EmbeddedLink, gauge: Gauge, *, zoomed: bool) -> None:
        settings = ConsoleSettings(fps=_FPS, toasts=False)
        super().__init__(link, settings=settings, when_steady=spare_what_lasts)
        self._gauge = gauge
        self._zoomed = zoomed

    def _begin(self) -> None:
        super()._begin()
        self._gauge.watch_driver(self)
        self.desk.action_pane(5)
        if self._zoomed:
            self.desk.action_zoom()

    def beat(self) -> None:
        self._gauge.beat()
        super().beat()


class TableApp(App[None]):
    """The watch pane's rows in Textual's own widget: only cells that changed are set."""

    def __init__(self, link: EmbeddedLink, gauge: Gauge) -> None:
        super().__init__()
        self._link = link
        self._gauge = gauge
        self._shown: dict[str, tuple[str, ...]] = {}

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for name in _COLUMNS:
            table.add_column(name, key=name)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self._link.start()
        self._gauge.watch_driver(self)
        self.set_interval(1 / _FPS, self._beat)

    def _beat(self) -> None:
        self._gauge.beat()
        snapshot, table = self._link.snapshot(), self.query_one(DataTable)
        for row in snapshot.watch if snapshot is not None else ():
            cells, before = _cells(row), self._shown.get(row.instrument)
            if before is None:
                table.add_row(*cells, key=row.instrument)
            else:
                for name, cell, old in zip(_COLUMNS, cells, before, strict=True):
                    if cell != old:
                        table.update_cell(row.instrument, name, cell)
            self._shown[row.instrument] = cells


_COLUMNS = ("INSTRUMENT", "LAST", "CHANGE", "SOURCE", "AGE", "VOLUME")


def _cells(row: WatchRow) -> tuple[str, ...]:
    return (
        row.instrument,
        price(row.price),
        change(row.change_percent),
        row.source or "",
        age(row.age_s),
        compact(row.volume) if row.volume is not None else "",
    )


def _config(url: str, instruments: int, sources: int) -> Config:
    config = binance_at(url)
    names = tuple(f"BINANCE:{symbol}" for symbol in load_symbols(instruments))
    more = {f"null-{number:03}": SourceSettings(kind="null") for number in range(sources - 1)}
    return msgspec.structs.replace(
        config,
        sources={**config.sources, **more},
        console=msgspec.structs.replace(config.console, watch=names),
        streams=StreamSettings(mute_after_s=0.0, instrument_mute_after_s=3600.0, regular_hours=False),
    )


@contextmanager
def _desk_of(which: str, url: str, instruments: int, sources: int) -> Iterator[tuple[Config, Any]]:
    """The configuration and the vendors."""
    if which != "demo":
        yield _config(url, instruments, sources), {"binance": plugin, **PLUGINS}
        return
    loaded, vendors = _config(url, instruments, sources), InstalledVendors()
    with SimulatorProcess(seed=1) as simulator:
        demo = demo_config(vendors, simulator.address)
        watch = tuple(name for name in demo.console.watch if not name.startswith("BINANCE:"))
        yield (
            msgspec.structs.replace(
                demo,
                sources={**demo.sources, **loaded.sources},
                console=msgspec.structs.replace(demo.console, watch=(*loaded.console.watch, *watch)),
                engine=msgspec.structs.replace(demo.engine, state_path=":memory:"),
            ),
            vendors,
        )


def _watch_cursors(gauge: Gauge) -> None:
    """See when a key moves one."""
    move, down, up = LiveGrid.action_move, DataTable.action_cursor_down, DataTable.action_cursor_up

    def moved(grid: LiveGrid[Any], by: int) -> None:
        gauge.moved()
        move(grid, by)  # which may paint at once

    def went_down(table: DataTable[Any]) -> None:
        gauge.moved()
        down(table)

    def went_up(table: DataTable[Any]) -> None:
        gauge.moved()
        up(table)

    LiveGrid.action_move = moved  # type: ignore[method-assign]
    DataTable.action_cursor_down = went_down  # type: ignore[method-assign]
    DataTable.action_cursor_up = went_up  # type: ignore[method-assign]


def _main(which: str, url: str, instruments: int, sources: int) -> None:
    gauge = Gauge()
    _watch_cursors(gauge)
    with _desk_of(which, url, instruments, sources) as (config, vendors):
        link = EmbeddedLink(lambda: Engine(config, vendors), interval_s=1 / _FPS)
        try:
            if which == "table":
                TableApp(link, gauge).run()
            else:
                take_short_turns()
                MeasuredConsole(link, gauge, zoomed=which == "watch").run()
        finally:
            link.close()
    figures = {"frames": gauge.frames, "keys": gauge.keys, "samples": gauge.samples}
    Path(os.environ["BENCH_REPORT"]).write_text(json.dumps(figures))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
