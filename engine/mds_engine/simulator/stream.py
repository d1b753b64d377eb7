"""A WebSocket as a vendor's handler sees it, with the faults that stand on it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import WSMsgType, web

from mds_engine.clock import Clock
from mds_engine.simulator.faults import ActiveFault, FaultBoard, FaultKind
from mds_engine.simulator.frame_faults import Due, Frame, FrameFaults
from mds_engine.simulator.push_log import Push, PushLog, Told

Payload = TypeVar("Payload")

_GOING_AWAY = 1001


class Stream:
    """One open WebSocket of one client.

    Sending raises ConnectionResetError once the client has gone; handlers let
    it pass, and the endpoint ends the stream quietly.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        board: FaultBoard,
        vendor: str,
        endpoint: int,
        *,
        clock: Clock,
        pushes: PushLog,
    ) -> None:
        self._socket = socket
        self._request = request
        self._board = board
        self._clock = clock
        self._pushes = pushes
        self.number = pushes.opened()
        """Counts the vendor's streams in the order in which they were opened."""
        self._faults = FrameFaults(board, vendor, endpoint, request.path, self.number)
        self._later: set[asyncio.Task[None]] = set()
        self.on_ping: Callable[[bytes], None] | None = None
        """Called for each ping frame from the client, before it is answered."""
        self.on_pong: Callable[[bytes], None] | None = None
        """Called with the payload of each pong frame from the client."""
        self.on_shutdown: Callable[[], Awaitable[None]] | None = None
        """Sends the vendor's announcement that the stream will be closed; None where there is none."""

    async def send(self, frame: Frame) -> None:
        """Send what is no market data (answers, greetings, heartbeats), unless a fault swallows it."""
        await self._send_due((*self._faults.release(), Due(frame)))

    async def push(
        self, parts: Sequence[tuple[Told, Payload]], compose: Callable[[list[Payload]], Frame]
    ) -> bool:
        """Send market data as one frame, and note what each part tells; parts that a fault mutes stay out.

        False if nothing was sent, so that a vendor with heartbeats goes on with them.
        """
        now, muted, silent = self._clock.wall(), self._faults.muted(), self._faults.silent()
        kept = [payload for told, payload in parts if told.instrument not in muted]
        heard = {told.instrument for told, _ in parts} - muted
        is_sent = bool(kept) and not silent and not self._faults.drops(heard)
        for told, _ in parts:
            self._pushes.note(Push(now, self.number, told, is_sent and told.instrument in heard))
        if is_sent:
            await self._send_due(self._faults.pass_on(compose(kept), heard))
        return is_sent

    async def replay(self, frame: Frame) -> None:
        """Send a recorded frame of market data; what it tells is not noted."""
        if not self._faults.drops(()):
            await self._send_due(self._faults.pass_on(frame, ()))

    async def _send_due(self, frames: Iterable[Due]) -> None:
        for frame, delay_s in frames:
            if delay_s > 0:
                self._do_later(self._send_after(delay_s, frame))
            else:
                await self._send(frame)

    async def _send_after(self, delay_s: float, frame: Frame) -> None:
        with suppress(ConnectionResetError):
            await self._clock.sleep(delay_s)
            await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        if self._faults.silent():
            return
        if self._standing(FaultKind.TRUNCATED_FRAMES):
            frame = frame[: len(frame) // 2]
        if isinstance(frame, str):
            await self._socket.send_str(frame)
        else:
            await self._socket.send_bytes(frame)

    async def receive(self) -> str | bytes | None:
        """The client's next text or binary message; None once it has gone. Answers pings meanwhile."""
        while True:
            message = await self._socket.receive()
            hang = self._standing(FaultKind.HANG)
            if hang is not None:
                await self._board.cleared(hang)
            if message.type is WSMsgType.TEXT:
                return str(message.data)
            if message.type is WSMsgType.BINARY:
                return bytes(message.data)
            if message.type is WSMsgType.PING:
                if self.on_ping is not None:
                    self.on_ping(bytes(message.data))
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                if self.on_pong is not None:
                    self.on_pong(bytes(message.data))
            else:
                return None

    async def ping(self, payload: bytes) -> None:
        """Send a ping frame; a hung stream sends none."""
        if not self._standing(FaultKind.HANG):
            await self._socket.ping(payload)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with the WebSocket handshake."""
        await self._socket.close(code=code, message=reason.encode())

    def abort(self) -> None:
        """Reset the connection, without any goodbye."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def shut_down(self, announced: ActiveFault) -> None:
        """Announce the end, and close when the fault's delay is over, if it stands until then."""
        self._do_later(self._shut_down(announced))

    async def _shut_down(self, announced: ActiveFault) -> None:
        with suppress(ConnectionResetError):
            if self.on_shutdown is not None:
                await self.on_shutdown()
            await self._clock.sleep(announced.fault.delay_s)
            if any(active is announced for active in self._board):
                await self.close(_GOING_AWAY, "going away")

    async def end(self) -> None:
        """Give up what was to be done later. For the endpoint, when the handler has returned."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    def _do_later(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def stands(self, kind: FaultKind, since: float = 0.0) -> bool:
        """True while such a fault, injected from `since` (epoch seconds) on, stands on this stream: for what
        only the vendor can do about it."""
        active = self._standing(kind)
        return active is not None and active.injected_at >= since

    def _standing(self, kind: FaultKind) -> ActiveFault | None:
        return self._faults.standing(kind)


async def until_first_ends(*loops: Coroutine[Any, Any, None]) -> None:
    """Run loops side by side until one returns or fails, then cancel the rest. Failures are raised."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
