"""An engine that is called and then tells its memory: `python -m benchmarks.engine_process ADDRESS`."""

import asyncio
import json
import logging
import sys
import time

import structlog
from mds_engine.config.load import parse_config
from mds_engine.config.simulated import SimulatorAddress, at_simulator
from mds_engine.engine import Engine
from mds_engine.errors import AllSourcesFailedError
from mds_engine.sources.plugins import find_plugins

from benchmarks.memory import CALLERS, CALLS, FOR_S, HEAVY, INSTRUMENTS, resident_mb

_CONFIG = """\
[engine]
name = "bench"
state_path = ":memory:"

[streams]
regular_hours = false

[sources.zerodha]
kind = "kite"

[sources.binance]
kind = "binance"

[routes.NSE]
sources = ["zerodha"]

[routes.BINANCE]
sources = ["binance"]
"""


async def _main(address: str) -> None:
    plugins = find_plugins(("binance", "kite"))
    config = at_simulator(
        parse_config(_CONFIG, plugins, {}, name="bench").config, SimulatorAddress.read(address)
    )
    async with Engine(config, plugins) as engine:
        for instrument in INSTRUMENTS:
            await engine.quote(instrument)
        started_mb = resident_mb()
        began = time.perf_counter()
        ticks = asyncio.create_task(_count_ticks(engine))
        asked = (_on_binance(engine, number) for number in range(CALLERS))
        answered = sum(await asyncio.gather(_on_kite(engine, began + FOR_S), *asked))
        took_s = time.perf_counter() - began
        ticks.cancel()
        await asyncio.wait((ticks,))
        figures = {
            "rss_mb": resident_mb(),
            "started_mb": started_mb,
            "answered": answered,
            "ticks": sum(runtime.ticks for runtime in engine.sources.values()),
            "took_s": took_s,
            "heavy": [name for name in HEAVY if name in sys.modules],
        }
    print(json.dumps(figures))


async def _on_binance(engine: Engine, number: int) -> int:
    calls = CALLS // CALLERS
    for turn in range(calls):
        await engine.quote(INSTRUMENTS[(number + turn) % 2])
    return calls


async def _on_kite(engine: Engine, until: float) -> int:
    answered = 0
    while time.perf_counter() < until:
        try:
            await engine.quote(INSTRUMENTS[2 + answered % 2])
        except AllSourcesFailedError:
            continue  # over a limit: what is measured is memory
        answered += 1
    return answered


async def _count_ticks(engine: Engine) -> None:
    async with engine.ticks(INSTRUMENTS) as ticks:
        async for _ in ticks:
            pass


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(_main(sys.argv[1]))
