"""Yahoo's streamer: the whole subscription again every 15 seconds keeps it alive."""

import asyncio
from collections.abc import Iterable

import msgspec

from mds_engine.model import Instrument
from mds_engine.sources.contract import Deliver, SourceContext, TickStream
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.websocket import WebSocketShell
from mds_engine.sources.yahoo.read_stream import stream_reader
from mds_engine.sources.yahoo.symbols import to_symbol


class YahooStream(TickStream):
    """One connection. Yahoo acknowledges nothing and passes over symbols that it does not know."""

    def __init__(
        self,
        context: SourceContext,
        endpoints: Endpoints,
        deliver: Deliver,
        *,
        timeout_s: float,
        subscribe_every_s: float,
    ) -> None:
        self._name = context.name
        self._clock = context.clock
        self._deliver = deliver
        self._subscribe_every_s = subscribe_every_s
        self._shell = WebSocketShell(context.clock, endpoints, timeout_s=timeout_s, tap=context.frame_tap())
        self._read = stream_reader(context.name)
        self._wanted: dict[bytes, list[Instrument]] = {}
        """By symbol as messages bear it."""

    async def open(self) -> None:
        """Connect. There is no login."""
        await self._shell.open()
        self.last_frame_at = self._clock.now()

    async def run(self) -> None:
        """Deliver ticks until the connection ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_alive(), name=f"{self._name}: keep-alive")
                await self._shell.pump(self._take)
        except ExceptionGroup as failures:
            # Both tasks fail by the same end of the connection: the first one tells why.
            raise failures.exceptions[0] from None

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        """Ask for instruments."""
        added: list[bytes] = []
        for instrument, symbol in _with_symbols(instruments):
            wanted = self._wanted.setdefault(symbol, [])
            if not wanted:
                added.append(symbol)
            if instrument not in wanted:
                wanted.append(instrument)
        if added:
            await self._send("subscribe", added)

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        """Ask for them no more."""
        removed: list[bytes] = []
        for instrument, symbol in _with_symbols(instruments):
            wanted = self._wanted.get(symbol, [])
            if instrument in wanted:
                wanted.remove(instrument)
            if symbol in self._wanted and not wanted:
                del self._wanted[symbol]
                removed.append(symbol)
        if removed:
            await self._send("unsubscribe", removed)

    async def close(self) -> None:
        """End the connection."""
        await self._shell.close()

    def _take(self, frame: str | bytes) -> None:
        received_ns = int(self._clock.wall() * 1e9)
        self.last_frame_at = self._clock.now()
        ticks = self._read(frame, self._wanted, received_ns)
        if ticks:
            self._deliver(ticks)

    async def _keep_alive(self) -> None:
        while True:
            await self._clock.sleep(self._subscribe_every_s)
            if self._wanted:
                await self._send("subscribe", list(self._wanted))

    async def _send(self, what: str, symbols: list[bytes]) -> None:
        names = [symbol.decode() for symbol in symbols]
        await self._shell.send(msgspec.json.encode({what: names}).decode())


def _with_symbols(instruments: Iterable[Instrument]) -> list[tuple[Instrument, bytes]]:
    """All of them before the first is taken: one that Yahoo does not know changes nothing."""
    return [(instrument, to_symbol(instrument).encode()) for instrument in instruments]
