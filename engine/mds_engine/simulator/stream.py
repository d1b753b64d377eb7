"""A WebSocket as a vendor's handler sees it, with the faults that stand on it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSMsgType, web

from mds_engine.simulator.faults import ActiveFault, FaultBoard, FaultKind


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
    ) -> None:
        self._socket = socket
        self._request = request
        self._board = board
        self._vendor = vendor
        self._endpoint = endpoint
        self.on_ping: Callable[[bytes], None] | None = None
        """Called for each ping frame from the client, before it is answered."""
        self.on_pong: Callable[[bytes], None] | None = None
        """Called with the payload of each pong frame from the client."""

    async def send(self, frame: str | bytes) -> None:
        """Send text or bytes, unless a fault swallows or shortens it."""
        if self._standing(FaultKind.MUTE_STREAM) or self._standing(FaultKind.HANG):
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

    def stands(self, kind: FaultKind) -> bool:
        """True while such a fault stands on this stream: for what only the vendor can do about it."""
        return self._standing(kind) is not None

    def _standing(self, kind: FaultKind) -> ActiveFault | None:
        return self._board.standing(self._vendor, self._endpoint, kind, self._request.path)


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
