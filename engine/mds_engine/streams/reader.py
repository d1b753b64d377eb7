"""One reader of live ticks, with a bounded queue of its own: a slow reader hurts only itself."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Self

from mds_engine.model import Gap, Instrument, Missed, SourceSwitched, StreamItem, Tick
from mds_engine.model.tick_batch import TickBatch
from mds_engine.model.tick_read import TickRead

_MOST_AT_ONCE = 100_000
"""Ticks beyond a queue's bound that may wait where many came at once: no reader is too slow for what was held
back, or asked for afterwards."""
_MANY = frozenset({TickBatch, TickRead, list})
"""What holds several ticks; asked by type, for isinstance would ask the abstract Sequence, which is slow."""
_MOST_NEWS = 256
"""Switches and gaps that outlive the ticks around them when a queue overflows."""


_Waiting = StreamItem | TickBatch | list[Tick]


class TickReader:
    """Iterate it: `async with engine.ticks([...]) as ticks: async for item in ticks: ...`.

    An item is a `Tick`, a `SourceSwitched` or a `Gap`, in order. When the reader
    falls behind by more ticks than its queue holds, the oldest are dropped,
    counted in `missed`, and told by a `Missed` in their place. With `latest`
    only the newest tick of each kind of an instrument waits: what it takes the
    place of is counted in `conflated`, and is no miss. It ends when it is closed.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        capacity: int,
        on_close: Callable[["TickReader"], None],
        *,
        latest: bool = False,
        name: str = "",
    ) -> None:
        self.instruments = frozenset(instruments)
        self.name = name
        self.missed = 0
        """Ticks dropped because this reader was too slow."""
        self.conflated = 0
        """Ticks whose place a newer one took, as this reader asked."""
        self._latest: dict[tuple[Instrument, str], Tick] | None = {} if latest else None
        self._queue: deque[_Waiting] = deque()
        self._news: deque[StreamItem] = deque(maxlen=_MOST_NEWS)
        self._ticks = 0
        self._beyond = 0
        """Ticks that may wait beyond the capacity now."""
        self._untold = 0
        self._opened: Iterator[Tick] | None = None
        self._capacity = capacity
        self._wake: asyncio.Future[None] | None = None
        self._closed = False
        self._on_close = on_close

    @property
    def is_latest(self) -> bool:
        """Whether it keeps only the newest of each."""
        return self._latest is not None

    # --- What comes in --------------------------------------------------------------------------------

    def put(self, item: StreamItem) -> None:
        """Take one item, dropping the oldest ticks where there is no room."""
        if type(item) is Tick:
            if self._latest is not None:
                self._conflate(item)
            else:
                self._queue.append(item)
                self._ticks += 1
                if self._ticks > self._capacity:
                    self._make_room()
        else:
            self._queue.append(item)
            if len(self._queue) > self._capacity + _MOST_NEWS:
                self._make_room()
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def put_all(self, items: Sequence[StreamItem]) -> None:
        """Take what comes at once because it was held back, or waited for: it may go beyond the capacity."""
        if self._ticks <= self._capacity:
            self._beyond = 0
        if len(items) > 1:
            self._beyond = min(self._beyond + len(items), _MOST_AT_ONCE)
        for item in items:
            self.put(item)

    def put_batch(self, ticks: TickBatch | list[Tick]) -> None:
        """Take the ticks of one frame or of one read; what is given is kept as it is."""
        if self._latest is not None:
            for tick in ticks:
                self._conflate(tick)
        else:
            self._queue.append(ticks)
            self._ticks += len(ticks)
            if self._ticks > self._capacity:
                self._make_room()
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def put_newest(self, trades: Mapping[Instrument, Sequence[Tick]]) -> None:
        """Take the last of each instrument's trades, as a reader of the latest does of all of them."""
        latest = self._latest
        assert latest is not None
        for instrument, run in trades.items():
            last = run[-1]
            key = (instrument, last.kind)
            self.conflated += len(run) - (latest.pop(key, None) is None)
            latest[key] = last
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def close(self) -> None:
        """End the iteration and give the subscriptions back. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._on_close(self)
            if self._wake is not None and not self._wake.done():
                self._wake.set_result(None)

    def _conflate(self, tick: Tick) -> None:
        assert self._latest is not None
        key = (tick.instrument, tick.kind)
        if self._latest.pop(key, None) is not None:
            self.conflated += 1
        self._latest[key] = tick

    def _make_room(self) -> None:
        queue, most = self._queue, self._capacity + self._beyond
        while queue and (self._ticks > most or len(queue) > most + _MOST_NEWS):
            gone = queue.popleft()
            excess = self._ticks - most
            if type(gone) in _MANY and 0 < excess < len(gone):  # type: ignore[arg-type]
                queue.appendleft(gone[excess:])  # type: ignore[index]
                gone = gone[:excess]  # type: ignore[index]
            if isinstance(gone, SourceSwitched | Gap):
                self._news.append(gone)
                continue
            number = len(gone) if type(gone) in _MANY else 1  # type: ignore[arg-type]
            self._ticks -= number
            self.missed += number
            self._untold += number

    # --- What goes out --------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamItem:
        while True:
            if self._opened is not None:
                tick = next(self._opened, None)
                if tick is not None:
                    return tick
                self._opened = None
            item = self._next()
            if item is not None:
                if type(item) in _MANY:
                    self._opened = iter(item)  # type: ignore[arg-type]
                else:
                    return item  # type: ignore[return-value]  # it does not narrow by type()
            elif self._closed:
                raise StopAsyncIteration
            else:
                await self._wait()

    async def batches(self) -> AsyncGenerator[Sequence[StreamItem], None]:
        """All that waits, at once: a large frame as the `TickBatch` that it came in, else a list.

        For readers that keep up by working on columns. Use this or plain
        iteration on one reader, not both.
        """
        while True:
            chunk: list[StreamItem] = []
            while (item := self._next()) is not None:
                if type(item) in _MANY:
                    if chunk:
                        yield chunk
                        chunk = []
                    yield item  # type: ignore[misc]
                else:
                    chunk.append(item)  # type: ignore[arg-type]
            if chunk:
                yield chunk
            elif self._closed:
                return
            else:
                await self._wait()

    def _next(self) -> _Waiting | None:
        """The next thing that waits: first what was missed and what outlived it."""
        if self._untold:
            missed, self._untold = Missed(ticks=self._untold), 0
            return missed
        if self._news:
            return self._news.popleft()
        if self._queue:
            item = self._queue.popleft()
            if type(item) is Tick:
                self._ticks -= 1
            elif type(item) in _MANY:
                self._ticks -= len(item)  # type: ignore[arg-type]
            return item
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        return None

    async def _wait(self) -> None:
        if self._queue or self._latest or self._closed:
            return
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None
