"""An engine under load that then tells what its readers got: `python -m benchmarks.load_process URL COUNT`.

Three readers of `COUNT` instruments: two count, one stands still. It ends when
its standard input does, once what is on the way has come.
"""

import asyncio
import json
import logging
import sys
from collections import Counter

import structlog
from mds_engine.engine import Engine
from mds_engine.model import Tick
from mds_engine.sources.binance import plugin
from mds_engine.streams.reader import TickReader

from benchmarks.memory import resident_mb
from benchmarks.stream_frames import trade_number
from benchmarks.stream_receivers import binance_at

_EVERY_S = 1.0
_DRAIN_S = 1.0


class _Accounts:
    """What one reader got."""

    def __init__(self) -> None:
        self.ticks: Counter[str] = Counter()
        self.disordered = 0
        self.others = 0
        """Misses and gaps that it was told of."""

    async def keep(self, reader: TickReader) -> None:
        """Count until the reader is closed."""
        async for item in reader:
            if not isinstance(item, Tick):
                self.others += 1
                continue
            symbol, sequence = item.instrument.symbol, item.sequence
            if sequence is None or trade_number(sequence) != self.ticks[symbol]:
                self.disordered += 1
            self.ticks[symbol] += 1


async def _main(url: str, count: int) -> None:
    instruments = [f"BINANCE:{symbol}" for symbol in load_symbols(count)]
    resident: list[float] = []
    async with Engine(binance_at(url), {"binance": plugin}) as engine:
        stalled = engine.ticks(instruments, name="stalls")
        accounts = [_Accounts(), _Accounts()]
        readers = [engine.ticks(instruments, name=f"keeps up {number}") for number in range(2)]
        keeping = [
            asyncio.create_task(account.keep(reader), name=reader.name)
            for account, reader in zip(accounts, readers, strict=True)
        ]
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        while not ended.done():
            await asyncio.wait((ended,), timeout=_EVERY_S)
            resident.append(resident_mb())
        await asyncio.sleep(_DRAIN_S)
        for reader in (stalled, *readers):
            reader.close()
        await asyncio.gather(*keeping)
    figures = {
        "resident_mb": resident,
        "ticks": [account.ticks for account in accounts],
        "disordered": sum(account.disordered for account in accounts),
        "told": sum(account.others for account in accounts),
        "stalled_missed": stalled.missed,
    }
    print(json.dumps(figures), flush=True)


def load_symbols(count: int) -> list[str]:
    """So many symbols, of usual length."""
    return [f"L{number:04}USDT" for number in range(count)]


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
