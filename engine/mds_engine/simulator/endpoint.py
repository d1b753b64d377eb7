"""One listening port of one vendor: faults first, then the vendor's own answer, all of it counted."""

import asyncio
import socket
from functools import partial

from aiohttp import web

from mds_engine.clock import Clock
from mds_engine.simulator.faults import VIEW_KINDS, ActiveFault, Fault, FaultBoard, FaultKind
from mds_engine.simulator.market import Market
from mds_engine.simulator.ports import bound_socket
from mds_engine.simulator.push_log import PushLog
from mds_engine.simulator.recorded import Recording
from mds_engine.simulator.stream import Stream, until_first_ends
from mds_engine.simulator.vendor import HTML_PAGE, Call, Route, Vendor
from mds_engine.simulator.wire_log import WireEntry, WireLog

_ANSWERED_BY_VENDOR = frozenset(
    {
        FaultKind.STATUS,
        FaultKind.THROTTLE,
        FaultKind.BAN,
        FaultKind.TOKEN_EXPIRED,
        FaultKind.ERROR_IN_200,
        FaultKind.QUOTA,
    }
)

_LONGEST_LINE = 65_536
"""Bytes. Some vendors take hundreds of instruments in one URL, far more than a web server likes."""


class Endpoint:
    """A port on loopback that can be closed and opened again without changing its number."""

    def __init__(
        self,
        vendor: Vendor,
        index: int,
        market: Market,
        board: FaultBoard,
        log: WireLog,
        clock: Clock,
        pushes: PushLog,
    ) -> None:
        self.index = index
        self.port = 0
        self._vendor = vendor
        self._market = market
        self._board = board
        self._log = log
        self._clock = clock
        self._pushes = pushes
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._held: socket.socket | None = None
        self._streams: set[Stream] = set()

    @property
    def http(self) -> str:
        """Base URL for requests."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """URL for streams, with the vendor's path."""
        return f"ws://127.0.0.1:{self.port}{self._vendor.websocket_path}"

    @property
    def streams(self) -> int:
        """WebSockets that are open now."""
        return len(self._streams)

    async def start(self, port: int) -> None:
        """Listen; port 0 lets the system choose."""
        application = web.Application()
        for route in self._vendor.routes():
            application.router.add_route(route.method, route.path, partial(self._serve, route))
        application.router.add_route("*", "/{path:.*}", partial(self._serve, None))
        self._runner = web.AppRunner(
            application,
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=0.1,
            max_line_size=_LONGEST_LINE,
        )
        await self._runner.setup()
        self._hold(port)
        await self.listen()

    async def stop(self) -> None:
        """Close the port and everything on it."""
        for stream in tuple(self._streams):
            stream.abort()
        if self._held is not None:
            self._held.close()
            self._held = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def listen(self) -> None:
        """Accept connections (again)."""
        if self._held is None or self._runner is None:
            return
        self._site = web.SockSite(self._runner, self._held, backlog=512)
        self._held = None
        await self._site.start()

    async def refuse(self) -> None:
        """Close the listening socket and reset every connection; the port stays ours."""
        if self._site is None or self._runner is None:
            return
        await self._site.stop()
        self._site = None
        self.reset_connections()
        # Bound but not listening: the kernel refuses, and nobody else can take the port meanwhile.
        self._hold(self.port)

    def reset_connections(self) -> None:
        """Reset every live connection, requests in flight and streams alike."""
        if self._runner is None or self._runner.server is None:
            return
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
                self._log.resets += 1

    def cut_streams(self) -> None:
        """Reset every open WebSocket."""
        for stream in tuple(self._streams):
            stream.abort()
            self._log.resets += 1

    def shut_down_streams(self, announced: ActiveFault) -> None:
        """Announce to every open WebSocket that it will be closed, as the fault says."""
        for stream in tuple(self._streams):
            stream.shut_down(announced)

    def _hold(self, port: int) -> None:
        held = bound_socket(port)
        self.port = held.getsockname()[1]
        self._held = held

    async def _serve(self, route: Route | None, request: web.Request) -> web.StreamResponse:
        entry = self._log.arrived(
            self.index,
            request.method,
            request.path,
            request.query_string,
            "" if route is None else route.group,
        )
        is_stream = route is not None and route.stream is not None
        hits = self._board.hit(self._vendor.name, self.index, request.path, is_stream=is_stream)
        call = Call(
            request=request,
            endpoint=self.index,
            market=self._view([active for active in hits if active.fault.kind in VIEW_KINDS]),
            clock=self._clock,
            market_now=partial(self._view_now, request.path),
        )
        hits = [active for active in hits if not self._is_spared(active, call)]
        entry.faults = [str(active.fault.kind) for active in hits]
        call.faults = frozenset(active.fault.kind for active in hits)
        try:
            return await self._answer(route, call, hits, entry)
        except asyncio.CancelledError:
            if entry.status == 0 and entry.outcome == "answered":
                entry.outcome = "abandoned"
            raise

    def _is_spared(self, active: ActiveFault, call: Call) -> bool:
        return active.fault.kind is FaultKind.TOKEN_EXPIRED and self._vendor.logged_in_since(
            call, active.injected_at
        )

    async def _answer(
        self, route: Route | None, call: Call, hits: list[ActiveFault], entry: WireEntry
    ) -> web.StreamResponse:
        response = await self._failure(call, hits, entry)
        if response is None and route is not None and route.stream is not None:
            return await self._open_stream(route, call, entry)
        if response is None:
            response = await self._from_vendor(route, call)
        self._vendor.decorate(call, response)
        entry.status = response.status
        self._log.touch()
        truncated = _first(hits, FaultKind.TRUNCATE)
        if truncated is not None:
            return await self._truncate(call.request, response, truncated, entry)
        return response

    async def _failure(self, call: Call, hits: list[ActiveFault], entry: WireEntry) -> web.Response | None:
        for active in hits:
            if active.fault.kind is FaultKind.SLOW:
                await self._clock.sleep(active.fault.delay_s)
            elif active.fault.kind is FaultKind.HANG:
                entry.outcome = "hung"
                self._log.touch()
                await self._board.cleared(active)
                entry.outcome = "answered"
        for active in hits:
            if active.fault.kind in _ANSWERED_BY_VENDOR:
                return self._vendor.fault_response(active.fault, call)
            if active.fault.kind is FaultKind.HTML:
                return web.Response(text=HTML_PAGE, content_type="text/html")
        return None

    async def _from_vendor(self, route: Route | None, call: Call) -> web.Response:
        if route is None or route.handler is None:
            return self._vendor.not_found(call)
        refusal = await self._vendor.before_handler(call, route.group)
        if refusal is not None:
            return refusal
        folder = self._vendor.folder
        if folder is not None and route.needs_recording:
            recording = self._recording(call)
            if recording is None:
                return self._vendor.not_found(call)
            return web.Response(
                body=recording.read_body(folder),
                status=recording.status,
                headers={**recording.headers, "Content-Type": recording.content_type},
            )
        response = await route.handler(call)
        if not isinstance(response, web.Response):
            raise TypeError(
                f"{route.path} answered with {type(response).__name__}, not with a plain response"
            )
        return response

    def _recording(self, call: Call) -> Recording | None:
        folder = self._vendor.folder
        if folder is None:
            return None
        return self._vendor.recordings().find(folder, call.request.path, call.query)

    async def _truncate(
        self, request: web.Request, response: web.Response, fault: Fault, entry: WireEntry
    ) -> web.StreamResponse:
        body = bytes(response.body) if isinstance(response.body, bytes | bytearray) else b""
        half = body[: len(body) // 2]
        if not fault.cut_connection:
            response.body = half
            return response
        broken = web.StreamResponse(status=response.status, headers=response.headers)
        broken.content_length = len(body)
        await broken.prepare(request)
        await broken.write(half)
        entry.outcome = "cut"
        if request.transport is not None:
            request.transport.close()
        return broken

    async def _open_stream(self, route: Route, call: Call, entry: WireEntry) -> web.StreamResponse:
        request = call.request
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._refusal(call, self._vendor.not_found(call), entry)
        if route.admit is not None:
            refusal = await route.admit(call)
            if refusal is not None:
                return self._refusal(call, refusal, entry)
        call.recording = self._recording(call)
        websocket = web.WebSocketResponse(autoping=False, compress=False)
        await websocket.prepare(request)
        entry.status, entry.outcome = 101, "stream"
        self._log.touch()
        stream = Stream(
            websocket,
            request,
            self._board,
            self._vendor.name,
            self.index,
            clock=self._clock,
            pushes=self._pushes,
        )
        self._streams.add(stream)
        try:
            await self._run_stream(route, call, stream)
        except ConnectionResetError:
            pass  # the client went away, or a fault cut it
        finally:
            self._streams.discard(stream)
            await stream.end()
        if not websocket.closed and request.transport is not None:
            await websocket.close()
        return websocket

    async def _run_stream(self, route: Route, call: Call, stream: Stream) -> None:
        if route.stream is None:
            return
        cut = self._board.standing(self._vendor.name, self.index, FaultKind.CUT_STREAM, call.request.path)
        if cut is None or cut.fault.delay_s <= 0:
            await route.stream(call, stream)
            return
        await until_first_ends(_as_task(route, call, stream), self._cut_later(stream, cut.fault.delay_s))

    async def _cut_later(self, stream: Stream, age_s: float) -> None:
        await self._clock.sleep(age_s)
        stream.abort()
        self._log.resets += 1

    def _refusal(self, call: Call, response: web.Response, entry: WireEntry) -> web.Response:
        self._vendor.decorate(call, response)
        entry.status = response.status
        return response

    def _view_now(self, path: str) -> Market:
        standing = self._board.on_streams(self._vendor.name, self.index, path)
        return self._view([active for active in standing if active.fault.kind in VIEW_KINDS])

    def _view(self, faults: list[ActiveFault]) -> Market:
        market = self._market
        for active in faults:
            if active.fault.kind is FaultKind.WRONG_PRICE:
                market = market.distorted(factor=active.fault.factor)
            else:
                market = market.distorted(frozen_at=active.injected_at)
        return market


def _first(hits: list[ActiveFault], kind: FaultKind) -> Fault | None:
    return next((active.fault for active in hits if active.fault.kind is kind), None)


async def _as_task(route: Route, call: Call, stream: Stream) -> None:
    if route.stream is not None:
        await route.stream(call, stream)
