"""One reader of live ticks, with a bounded queue of its own: a slow reader hurts only itself."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Self

from mds_engine.model import Instrument, Tick


class TickReader:
    """Iterate it for ticks: `async with engine.ticks([...]) as ticks: async for tick in ticks: ...`.

    When the reader falls behind by more than its queue holds, the oldest ticks
    are dropped and counted in `missed`. It ends when it is closed.
    """

    def __init__(
        self, instruments: Iterable[Instrument], capacity: int, on_close: Callable[["TickReader"], None]
    ) -> None:
        self.instruments = frozenset(instruments)
        self.missed = 0
        """Ticks dropped because this reader was too slow."""
        self._queue: deque[Tick] = deque()
        self._capacity = capacity
        self._wake: asyncio.Future[None] | None = None
        self._closed = False
        self._on_close = on_close

    def put(self, tick: Tick) -> None:
        """Take one tick, dropping the oldest where there is no room."""
        if len(self._queue) >= self._capacity:
            self._queue.popleft()
            self.missed += 1
        self._queue.append(tick)
        self._notify()

    def close(self) -> None:
        """End the iteration and give the subscriptions back. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._on_close(self)
            self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Tick:
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None
        return self._queue.popleft()
