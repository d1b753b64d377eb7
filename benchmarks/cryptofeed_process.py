"""cryptofeed on the frames of a stream benchmark, with the Python of its own environment:
`python benchmarks/cryptofeed_process.py URL COUNT`, or `- COUNT` for its handler without a socket.

Prints a line with the monotonic nanosecond at which each `COUNT` trades are through; without a socket the
nanoseconds that they took, for each line that it reads.
"""

import asyncio
import gc
import sys
import time
from pathlib import Path
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.defines import TRADES
from cryptofeed.exchanges import Binance
from cryptofeed.symbols import Symbols

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.stream_frames import SYMBOLS, aggregate_trades

_STANDARD = {f"{symbol.removesuffix('USDT')}-USDT": symbol for symbol in SYMBOLS}
_THEIRS = "wss://stream.binance.com:9443"


class _AtLoopback(Binance):
    url = ""

    def connect(self) -> list[Any]:
        made = super().connect()
        for connection, *_ in made:
            connection.address = connection.address.replace(_THEIRS, self.url)
        return made


class _Reader:
    """The latest of each symbol, and a count: what our board and reader come to."""

    def __init__(self, count: int) -> None:
        self.latest: dict[str, object] = {}
        self._count = self._left = count

    async def __call__(self, trade: Any, received_at: float) -> None:  # noqa: ARG002
        self.latest[trade.symbol] = trade
        self._left -= 1
        if not self._left:
            print(time.monotonic_ns(), flush=True)
            self._left = self._count
            gc.collect()
            gc.freeze()


def _feed(count: int, url: str = "") -> _AtLoopback:
    Symbols.set(Binance.id, _STANDARD, {"instrument_type": dict.fromkeys(_STANDARD, "spot")})
    feed = _AtLoopback(symbols=list(_STANDARD), channels=[TRADES], callbacks={TRADES: _Reader(count)})
    feed.url = url
    return feed


async def _handle(feed: _AtLoopback, frames: list[str]) -> None:
    handle = feed.message_handler
    for frame in frames:
        await handle(frame, None, 0.0)


def _without_a_socket(count: int) -> None:
    feed, first = _feed(0), 0  # a count that is never reached
    for _ in sys.stdin:
        frames = [frame.decode() for frame in aggregate_trades(first, count)]
        first += count
        gc.collect()
        gc.freeze()
        began_ns = time.perf_counter_ns()
        asyncio.run(_handle(feed, frames))
        print(time.perf_counter_ns() - began_ns, flush=True)


if __name__ == "__main__":
    where, count = sys.argv[1], int(sys.argv[2])
    if where == "-":
        _without_a_socket(count)
    else:
        handler = FeedHandler(config={"log": {"filename": "/dev/null", "level": "ERROR", "disabled": False}})
        handler.add_feed(_feed(count, where))
        handler.run()
