"""A desk that asks like one, so that a demonstration has calls to answer and not ticks alone."""

import asyncio
import random as random_module
from datetime import UTC, datetime, timedelta

from mds_engine.clock import Clock, SystemClock
from mds_engine.engine import Engine
from mds_engine.errors import MdsError
from mds_engine.log import get_logger

_log = get_logger(__name__)

_PACE_S = {"NSE": 1.5, "NASDAQ": 4.0, "BINANCE": 0.7}
"""Seconds between two quotes of an exchange: within what its vendors allow on their smallest plans."""

_OTHER_PACE_S = 5.0
_BARS_EVERY_S = 12.0


async def run_desk(engine: Engine, *, clock: Clock | None = None, seed: int = 1) -> None:
    """Ask for quotes and bars of what the engine watches, for ever. Failures are the screen's to show."""
    clock = clock or SystemClock()
    random = random_module.Random(seed)
    by_exchange: dict[str, list[str]] = {}
    for instrument in engine.config.console.watched:
        by_exchange.setdefault(instrument.exchange, []).append(str(instrument))
    async with asyncio.TaskGroup() as group:
        for exchange, instruments in by_exchange.items():
            group.create_task(_ask_quotes(engine, exchange, instruments, clock, random))
            group.create_task(_ask_bars(engine, instruments, clock, random))


async def _ask_quotes(
    engine: Engine, exchange: str, instruments: list[str], clock: Clock, random: random_module.Random
) -> None:
    while True:
        await clock.sleep(_PACE_S.get(exchange, _OTHER_PACE_S) * random.uniform(0.8, 1.2))
        try:
            await engine.quote(random.choice(instruments))
        except MdsError as error:
            _log.info("desk_quote_failed", why=str(error))


async def _ask_bars(
    engine: Engine, instruments: list[str], clock: Clock, random: random_module.Random
) -> None:
    while True:
        await clock.sleep(_BARS_EVERY_S * random.uniform(0.5, 1.5))
        end = datetime.fromtimestamp(clock.wall(), UTC)
        try:
            await engine.fetch_bars(random.choice(instruments), "1m", end - timedelta(hours=2), end)
        except MdsError as error:
            _log.info("desk_bars_failed", why=str(error))
