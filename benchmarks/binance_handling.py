"""An engine that takes Binance's frames from memory: decoder, hub, board and reader without a socket.

`python -m benchmarks.binance_handling WAY COUNT` has the next COUNT trades handled for each line that it
reads, and prints the nanoseconds that they took: a process of its own, as cryptofeed's handler has.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from mds_engine.config.schema import Config, EngineSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.engine import Engine
from mds_engine.model import Capability, Instrument, StreamItem
from mds_engine.model.tick_read import TickRead
from mds_engine.policy.limiter import LimitWindow
from mds_engine.sources.binance.decode_read import ReadDecoder
from mds_engine.sources.contract import Deliver, RequestCost, Source, SourceContext, SourcePlugin, TickStream
from mds_engine.streams.reader import TickReader

from benchmarks.stream_frames import SYMBOLS, aggregate_trades
from benchmarks.timing import quiet_heap

_A_READ = 280
"""Frames that one read of 64 KiB brings in a flood."""

Round = Callable[[], Awaitable[int]]
Take = Callable[[TickReader, int], Awaitable[None]]


async def _one_by_one(ticks: TickReader, count: int) -> None:
    """Take so many ticks, each awaited by itself."""
    for _ in range(count):
        await anext(ticks)


async def _at_once(ticks: TickReader, count: int) -> None:
    """Take so many ticks as they wait, and keep the latest of each instrument."""
    latest: dict[Instrument, StreamItem] = {}
    async with aclosing(ticks.batches()) as batches:
        async for batch in batches:
            for tick in batch:
                latest[tick.instrument] = tick  # type: ignore[union-attr]  # nothing is missed here
            count -= len(batch)
            if not count:
                return


class _MemoryStream(TickStream):
    """Decodes what it is given as Binance's stream does what one read brings."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._decode = ReadDecoder("binance").decode
        self._given: asyncio.Queue[list[bytes]] = asyncio.Queue()

    async def open(self) -> None:
        return

    async def run(self) -> None:
        while True:
            frames = await self._given.get()
            for start in range(0, len(frames), _A_READ):
                received_ns = int(time.time() * 1e9)
                came = TickRead()
                self._decode(frames[start : start + _A_READ], received_ns, came)
                self._deliver(came)
                await asyncio.sleep(0)

    def give(self, frames: list[bytes]) -> None:
        self._given.put_nowait(frames)

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:  # noqa: ARG002
        return

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:  # noqa: ARG002
        return

    async def close(self) -> None:
        return


class _MemorySource(Source):
    capabilities = frozenset({Capability.TICKS})

    def __init__(self, opened: list[_MemoryStream]) -> None:
        self._opened = opened

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        return {"default": (LimitWindow(60_000_000, 60.0),)}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        return RequestCost()

    def serves(self, capability: Capability, instrument: Instrument) -> bool:  # noqa: ARG002
        return True

    async def connect(self) -> None:
        return

    async def close(self) -> None:
        return

    async def check(self) -> None:
        return

    def stream(self, deliver: Deliver) -> TickStream:
        self._opened.append(_MemoryStream(deliver))
        return self._opened[-1]


@asynccontextmanager
async def _handle_in_memory(count: int, take: Take) -> AsyncIterator[Round]:
    """Calls that have the next trades handled; each returns the nanoseconds until a reader had the last.

    `take` is how the reader takes them.
    """
    opened: list[_MemoryStream] = []

    def create(_settings: SourceSettings, _context: SourceContext) -> Source:
        return _MemorySource(opened)

    plugin = SourcePlugin(kind="memory", title="Memory", settings=SourceSettings, create=create)
    config = Config(
        engine=EngineSettings(name="bench", state_path=":memory:"),
        streams=StreamSettings(mute_after_s=0.0, regular_hours=False),
        sources={"binance": SourceSettings(kind="memory")},
    )
    instruments = [Instrument("BINANCE", symbol) for symbol in SYMBOLS]
    async with Engine(config, {"memory": plugin}) as engine, engine.ticks(instruments) as ticks:
        while not opened:  # noqa: ASYNC110  a stream has nothing to wait for
            await asyncio.sleep(0.01)
        first = 0

        async def one_round() -> int:
            nonlocal first
            frames = list(aggregate_trades(first, count))
            first += count
            with quiet_heap():
                began_ns = time.perf_counter_ns()
                opened[-1].give(frames)
                await take(ticks, count)
                return time.perf_counter_ns() - began_ns

        yield one_round


@asynccontextmanager
async def _decode_in_memory(count: int) -> AsyncIterator[Round]:
    """As `_handle_in_memory`, from frames to Tick objects and no further."""
    decode, frames = ReadDecoder("binance").decode, list(aggregate_trades(0, count))

    async def one_round() -> int:
        with quiet_heap():
            began_ns = time.perf_counter_ns()
            for start in range(0, count, _A_READ):
                decode(frames[start : start + _A_READ], 1, TickRead())
            return time.perf_counter_ns() - began_ns

    yield one_round


_WAYS: Mapping[str, Callable[[int], AbstractAsyncContextManager[Round]]] = {
    "at once": lambda count: _handle_in_memory(count, _at_once),
    "one by one": lambda count: _handle_in_memory(count, _one_by_one),
    "decoder": _decode_in_memory,
}


async def _main(way: str, count: int) -> None:
    async with _WAYS[way](count) as one_round:
        while await asyncio.to_thread(sys.stdin.readline):
            print(await one_round(), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
