"""The console for browsers: pages, the way to each tab's process, and who may come in."""

import asyncio
import importlib.resources
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from mds_engine.attached_server import AttachedScreens, Visitor
from textual_serve.server import Server

from mds_tui.web.guard import Guard, is_our_page
from mds_tui.web.tab_process import TabProcess
from mds_tui.web.tab_settings import TabSettings

MOST_TABS = 12
"""Each is a process of some 45 MB."""
NOT_LET_IN = "No token: open the address that `mds-tui web` printed, with its token."
NOT_OUR_PAGE = "Not from here: only the page of this server may open its console."
TOO_MANY = f"Too many tabs: {MOST_TABS} consoles are open already; close one, and load this page again."
_MOST_MESSAGE_BYTES = 1 << 20
_MOST_CELLS = 1000
_HEARTBEAT_S = 15.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES = {"page.css": "text/css", "page.js": "text/javascript"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebConsole(Server):
    """Serves the console of one engine to those who have the token; a process for each tab.

    Of textual-serve it is the terminal in the browser, the packets and the
    downloads. Its page asks the internet for a font, and it knows no token: page,
    routes and middleware are ours.
    """

    def __init__(
        self, screens: AttachedScreens, guard: Guard, settings: TabSettings, *, may_act: bool
    ) -> None:
        super().__init__("mds-tui")
        self.guard = guard
        self._screens = screens
        self._settings = settings
        self._may_act = may_act
        self._tabs: dict[TabProcess, web.WebSocketResponse] = {}
        self._folder = importlib.resources.files("mds_tui.web")

    def application(self) -> web.Application:
        """Everything, for a runner."""
        app = web.Application(middlewares=[self._admit])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", Path(str(importlib.resources.files("textual_serve") / "static"))),
                *(web.get(f"/{name}", self._file) for name in _FILES),
            ]
        )
        return app

    async def end_tabs(self) -> None:
        """End the processes of all tabs, and wait for them."""
        tabs = dict(self._tabs)
        await asyncio.gather(*(tab.stop() for tab in tabs))
        await asyncio.gather(*(socket.close() for socket in tabs.values()), return_exceptions=True)

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        cookie = _cookie_name(request)
        if request.path == "/" and self.guard.knows_token(request.query.get("token")):
            # The token goes from the address line, and so from the browser's history and bookmarks.
            answer: web.StreamResponse = web.Response(status=303, headers={**_HEADERS, "Location": "/"})
            answer.set_cookie(cookie, self.guard.cookie.reveal(), httponly=True, samesite="Lax", path="/")
            return answer
        if not self.guard.knows_cookie(request.cookies.get(cookie)):
            return _refusal(403, NOT_LET_IN)
        if request.path == "/ws" and not is_our_page(request.headers):
            return _refusal(403, NOT_OUR_PAGE)
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(_HEADERS)
        return answer

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        if len(self._tabs) >= MOST_TABS:
            return _refusal(503, TOO_MANY)
        return web.Response(text=(self._folder / "page.html").read_text("utf-8"), content_type="text/html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.path.removeprefix("/")
        return web.Response(text=(self._folder / name).read_text("utf-8"), content_type=_FILES[name])

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One tab, from its opening to its end."""
        websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MOST_MESSAGE_BYTES)
        await websocket.prepare(request)
        if len(self._tabs) >= MOST_TABS:
            await websocket.close()
            return websocket

        async def close() -> None:
            await websocket.close()

        visitor = Visitor(f"web {request.remote}", self._may_act)
        tab = TabProcess(
            self._screens,
            visitor,
            msgspec.structs.replace(self._settings, operator=visitor.who, read_only=not visitor.may_act),
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        self._tabs[tab] = websocket
        try:
            await tab.start(_cells(request.query.get("width"), 80), _cells(request.query.get("height"), 24))
            async for message in websocket:
                if message.type is WSMsgType.TEXT:
                    await _take(message.data, websocket, tab)
        finally:
            await tab.stop()
            del self._tabs[tab]
        return websocket


async def _take(data: str, websocket: web.WebSocketResponse, tab: TabProcess) -> None:
    """One message of the terminal in the browser; what is none of its messages ends it."""
    try:
        message = json.loads(data)
    except ValueError:
        message = None
    match message:
        case ["stdin", str(text)]:
            await tab.send_bytes(text.encode(errors="replace"))
        case ["resize", {"width": int(width), "height": int(height)}]:
            await tab.set_terminal_size(_cells(width, 80), _cells(height, 24))
        case ["ping", said]:
            await websocket.send_json(["pong", said])
        case ["blur"]:
            await tab.blur()
        case ["focus"]:
            await tab.focus()
        case _:
            await websocket.close(code=WSCloseCode.UNSUPPORTED_DATA)


def _cells(said: str | int | None, otherwise: int) -> int:
    """A width or height that can be drawn."""
    try:
        return min(max(int(said or otherwise), 2), _MOST_CELLS)
    except ValueError:
        return otherwise


def _cookie_name(request: web.Request) -> str:
    # A browser sends the cookies of one port of a machine to the others too.
    assert request.transport is not None
    return f"mds_tui_{request.transport.get_extra_info('sockname')[1]}"


def _refusal(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=f"{sentence}\n", headers=_HEADERS)
