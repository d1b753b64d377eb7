"""Binance's live streams: one combined connection, subscribed in batches."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable

from mds_engine.errors import InvalidRequest
from mds_engine.model import Instrument
from mds_engine.model.tick_read import TickRead
from mds_engine.sources.binance.decode_read import ReadDecoder
from mds_engine.sources.binance.settings import BinanceSettings
from mds_engine.sources.binance.symbols import stream_name
from mds_engine.sources.contract import Deliver, SourceContext, StreamLimits, TickStream
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.websocket import WebSocketShell

_STREAMS_A_CONNECTION = 1024
_STREAMS_A_MESSAGE = 100
# Binance takes five messages a second, pings and pongs included, and ends the connection at the sixth.
# Three leave room for a pong and a ping of ours.
_MESSAGES_A_SECOND = 3
_SECOND_S = 1.25
"""On the way, messages that left a second apart may come closer together."""
_CONNECTION_LIFE_S = 23.75 * 3600
"""Binance cuts every connection at 24 hours; we leave while there is time to change over."""
_CONNECTIONS = 10
"""Binance sets no bound but 300 attempts in five minutes. So many carry all its symbols, and a change-over of
all of them at once stays far below."""


class BinanceStream(TickStream):
    """Trades and best prices of the instruments that are asked for.

    Subscribing to a symbol that does not exist succeeds silently: it just never
    ticks. What one read of the socket brings is delivered at once, and bears one
    time: a frame each is too little to hand on when they come by the hundred.
    """

    def __init__(
        self, settings: BinanceSettings, context: SourceContext, endpoints: Endpoints, deliver: Deliver
    ) -> None:
        self._kinds = settings.stream_kinds
        self._clock = context.clock
        self._deliver = deliver
        self._decoder = ReadDecoder(context.name)
        self._socket = WebSocketShell(
            context.clock, endpoints, timeout_s=settings.timeout_s, tap=context.frame_tap()
        )
        self._came: list[bytes] = []
        self._subscribed: set[str] = set()
        self._sending = asyncio.Lock()
        self._sent_at: deque[float] = deque(maxlen=_MESSAGES_A_SECOND)
        self._messages = 0

    async def open(self) -> None:
        await self._socket.open("/stream")
        self.last_frame_at = self._clock.now()
        self.renew_at = self.last_frame_at + _CONNECTION_LIFE_S

    async def run(self) -> None:
        await self._socket.pump_bytes(self._came.append, self._hand_on)

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        """Raises InvalidRequest beyond 1024 streams a connection, and then asks for none."""
        names = [name for name in self._names(instruments) if name not in self._subscribed]
        if len(self._subscribed) + len(names) > _STREAMS_A_CONNECTION:
            most = _STREAMS_A_CONNECTION // len(self._kinds)
            raise InvalidRequest(f"one Binance connection carries at most {most} instruments")
        await self._ask("SUBSCRIBE", names)

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        await self._ask(
            "UNSUBSCRIBE", [name for name in self._names(instruments) if name in self._subscribed]
        )

    async def close(self) -> None:
        await self._socket.close()

    def _hand_on(self) -> None:
        """What one read brought; a ping alone brings nothing."""
        self.last_frame_at = self._clock.now()
        frames = self._came.copy()
        self._came.clear()
        ticks = TickRead()
        try:
            self._decoder.decode(frames, int(self._clock.wall() * 1e9), ticks)
        finally:
            if self._decoder.frames.shutdown_announced:
                self.renew_at = min(self.renew_at, self.last_frame_at)
            if ticks:
                self._deliver(ticks)

    def _names(self, instruments: Iterable[Instrument]) -> list[str]:
        return list(dict.fromkeys(stream_name(one, kind) for one in instruments for kind in self._kinds))

    async def _ask(self, method: str, names: list[str]) -> None:
        async with self._sending:
            for start in range(0, len(names), _STREAMS_A_MESSAGE):
                batch = names[start : start + _STREAMS_A_MESSAGE]
                await self._wait_for_leave()
                self._messages += 1
                message = {"method": method, "params": batch, "id": self._messages}
                await self._socket.send(json.dumps(message, ensure_ascii=False))
                if method == "SUBSCRIBE":
                    self._subscribed.update(batch)
                else:
                    self._subscribed.difference_update(batch)

    async def _wait_for_leave(self) -> None:
        """Return when one more message stays within the vendor's rate, counted over any second of its own."""
        if len(self._sent_at) == _MESSAGES_A_SECOND:
            wait_s = self._sent_at[0] + _SECOND_S - self._clock.now()
            if wait_s > 0:
                await self._clock.sleep(wait_s)
        self._sent_at.append(self._clock.now())


def stream_limits(settings: BinanceSettings) -> StreamLimits:
    """How many instruments a connection carries, with the streams of each, and how many connections."""
    return StreamLimits(_STREAMS_A_CONNECTION // max(1, len(settings.stream_kinds)), _CONNECTIONS)
