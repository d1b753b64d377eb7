"""Planned renewal over real sockets: the simulated Binance cuts its connections, and no trade is missed."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import msgspec
from mds_engine.config.schema import ConsoleSettings
from mds_engine.config.simulated import SimulatorAddress, demo_config
from mds_engine.control import events
from mds_engine.engine import Engine
from mds_engine.model import Tick, TickKind
from mds_engine.simulator.binance.streams import StreamRules
from mds_engine.simulator.binance.vendor import BinanceVendor
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 30.0


@asynccontextmanager
async def binance_alone(rules):
    """An engine on a Binance whose connections live by these rules."""
    plugins = find_plugins()
    vendor = partial(BinanceVendor, rules=rules)
    async with Simulator(vendors=(vendor,), trades_per_s=50.0) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = msgspec.structs.replace(demo_config(plugins, address), console=ConsoleSettings())
        async with Engine(config, plugins, seed=1) as engine, asyncio.timeout(PATIENCE_S):
            yield engine


def told(engine, kind):
    return [event for event in engine.events() if isinstance(event, kind)]


async def test_connections_that_end_are_renewed_and_every_trade_comes_once():
    rules = StreamRules(longest_connection_s=4.0, shutdown_notice_s=3.0)
    async with binance_alone(rules) as engine, engine.ticks(["BINANCE:BTCUSDT"]) as items:
        numbers, last = [], None
        async for item in items:
            if not isinstance(item, Tick) or item.kind is not TickKind.TRADE:
                continue
            numbers.append(item.sequence)
            if last is None and len(told(engine, events.StreamRenewed)) >= 3:
                last = item.sequence + 10
            if last is not None and item.sequence >= last:
                break
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert told(engine, events.StreamLost) == []
        assert told(engine, events.TicksGapped) == told(engine, events.TicksFilled) == []
        assert len(told(engine, events.StreamConnected)) == 1
