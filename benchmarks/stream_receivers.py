"""Who receives the frames of a stream benchmark, each in a process of its own:
`python -m benchmarks.stream_receivers NAME URL COUNT`.

Prints a line with the monotonic nanosecond at which each `COUNT` ticks are through;
those whose name ends in `_each` a JSON list with the nanosecond of every one of them.
"""

import asyncio
import gc
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence

import structlog
from mds_engine.config.schema import Config, EngineSettings
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.engine import Engine
from mds_engine.model import Instrument, Tick
from mds_engine.sources.binance import plugin as binance_plugin
from mds_engine.sources.binance.settings import BinanceSettings
from mds_engine.sources.kite import plugin as kite_plugin
from mds_engine.sources.kite.settings import KiteSettings
from mds_engine.streams.board import Board

from benchmarks.stream_frames import SYMBOLS

_KITE_INSTRUMENTS = 500


class Counter:
    """Tells when each `count` ticks are through."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._left = count

    def add(self, ticks: int) -> None:
        """So many more are through."""
        self._left -= ticks
        if self._left <= 0:
            print(time.monotonic_ns(), flush=True)
            self._left += self._count
            gc.collect()
            gc.freeze()


def config_of(source: SourceSettings) -> Config:
    """One source, and nothing that depends on the time of day."""
    return Config(
        engine=EngineSettings(name="bench", state_path=":memory:"),
        streams=StreamSettings(mute_after_s=0.0, regular_hours=False),
        sources={source.kind: source},
    )


def binance_at(url: str) -> Config:
    """A Binance at a `stream_server`."""
    return config_of(
        BinanceSettings(
            kind="binance",
            endpoints=(url.replace("ws:", "http:"),),
            stream_endpoints=(url,),
            stream_kinds=("aggTrade",),
        )
    )


def kite_at(url: str) -> Config:
    """A Kite at a `stream_server`."""
    return config_of(
        KiteSettings(
            kind="kite",
            endpoints=(url.replace("ws:", "http:"),),
            stream_endpoints=(url,),
            api_key=Secret("key"),
            access_token=Secret("token"),
            silence_s=3600.0,
        )
    )


async def _bare(url: str, count: int) -> None:
    """`websockets` alone."""
    from websockets.asyncio.client import connect

    counter = Counter(count)
    async with connect(url, compression=None, ping_interval=None, max_size=None) as connection:
        receive = connection.recv
        while True:
            for _ in range(count):
                await receive()
            counter.add(count)


async def _binance(url: str, count: int) -> None:
    """The whole engine on one Binance, with one reader, tick by tick."""
    counter, left = Counter(count), count
    plugins = {"binance": binance_plugin}
    instruments = [f"BINANCE:{symbol}" for symbol in SYMBOLS]
    async with Engine(binance_at(url), plugins) as engine, engine.ticks(instruments) as ticks:
        async for _ in ticks:
            left -= 1
            if not left:
                counter.add(count)
                left = count


async def _kite(url: str, count: int) -> None:
    """The whole engine on one Kite, with one reader, batch by batch."""
    counter = Counter(count)
    instruments = [f"NSE:S{number}" for number in range(_KITE_INSTRUMENTS)]
    async with Engine(kite_at(url), {"kite": kite_plugin}) as engine, engine.ticks(instruments) as ticks:
        async for batch in ticks.batches():
            counter.add(len(batch))


def _kite_ticker(url: str, count: int) -> None:
    """`KiteTicker` with its parser, on its own reactor."""
    from kiteconnect import KiteTicker

    counter = Counter(count)
    ticker = KiteTicker("key", "token", root=url)
    ticker.on_ticks = lambda _, ticks: counter.add(len(ticks))
    ticker.connect()


async def _bare_each(url: str, count: int) -> None:
    """`websockets` alone: when each frame was received."""
    from websockets.asyncio.client import connect

    async with connect(url, compression=None, ping_interval=None, max_size=None) as connection:
        while True:
            at_ns = []
            for _ in range(count):
                await connection.recv()
                at_ns.append(time.monotonic_ns())
            _tell(at_ns)


async def _binance_each(url: str, count: int) -> None:
    """The whole engine on one Binance: when each tick was on the board, and when its reader had it."""
    plugins = {"binance": binance_plugin}
    instruments = [f"BINANCE:{symbol}" for symbol in SYMBOLS]
    engine = Engine(binance_at(url), plugins)
    board = engine._hub.board = _TimedBoard()  # noqa: SLF001  nobody else says when a tick is there
    async with engine, engine.ticks(instruments) as ticks:
        while True:
            at_ns = []
            for _ in range(count):
                await anext(ticks)
                at_ns.append(time.monotonic_ns())
            told, board.at_ns = board.at_ns, []
            _tell([told, at_ns])


class _TimedBoard(Board):
    __slots__ = ("at_ns",)

    def __init__(self) -> None:
        super().__init__()
        self.at_ns: list[int] = []

    def put(self, tick: Tick, now: float) -> None:
        super().put(tick, now)
        self.at_ns.append(time.monotonic_ns())

    def put_trades(self, trades: Mapping[Instrument, Sequence[Tick]], now: float) -> None:
        super().put_trades(trades, now)
        self.at_ns += [time.monotonic_ns()] * sum(map(len, trades.values()))


def _tell(told: object) -> None:
    print(json.dumps(told), flush=True)
    gc.collect()
    gc.freeze()


_RECEIVERS = {
    "bare": _bare,
    "bare_each": _bare_each,
    "binance": _binance,
    "binance_each": _binance_each,
    "kite": _kite,
}


def main() -> None:
    """Receive for ever."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    name, url, count = sys.argv[1:]
    if name == "kite_ticker":
        _kite_ticker(url, int(count))
    else:
        asyncio.run(_RECEIVERS[name](url, int(count)))


if __name__ == "__main__":
    main()
