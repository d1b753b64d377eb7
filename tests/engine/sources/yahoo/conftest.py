"""A small Yahoo on loopback: cookie, crumb, chart, quote; every request is written down."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse] | web.StreamResponse]

CRUMB = "haT3oykhHqZ"


def chart_body(
    symbol: str = "AAPL", granularity: str = "1d", start: int = 1_577_975_400, rows: int = 3
) -> bytes:
    """A chart of `rows` bars a day apart, float32 noise and all."""
    close = [244.47000122070312 + number for number in range(rows)]
    quote = dict.fromkeys(("volume", "close", "open", "low", "high"), close)
    result = {
        "meta": {"symbol": symbol, "exchangeName": "NMS", "dataGranularity": granularity},
        "timestamp": [start + number * 86400 for number in range(rows)],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": close}]},
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def error_body(envelope: str, code: str, description: str) -> bytes:
    error = {"code": code, "description": description}
    return json.dumps({envelope: {"result": None, "error": error}}).encode()


class SmallYahoo:
    """Answers as Yahoo does; `answers` replaces the answer of a path."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, Answer] = {}
        self.crumb = CRUMB

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, dict(request.query)))
        for prefix, answer in self.answers.items():
            if request.path == prefix or (len(prefix) > 1 and request.path.startswith(prefix)):
                answered = answer(request)
                return answered if isinstance(answered, web.StreamResponse) else await answered
        return self.usual(request)

    def usual(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            # fc.yahoo.com answers 404, and the cookie is all that it is asked for. No expiry here.
            return web.Response(status=404, headers={"Set-Cookie": "A3=d=AQAB; Path=/"})
        if request.path == "/v1/test/getcrumb":
            if "A3" not in request.cookies:
                return json_response(error_body("finance", "Unauthorized", "Invalid Cookie"), 401)
            return web.Response(text=self.crumb)
        if request.path.startswith("/v8/finance/chart/"):
            return json_response(chart_body(request.path.rpartition("/")[2]))
        if request.path == "/v7/finance/quote":
            if request.query.get("crumb") != self.crumb:
                return json_response(error_body("finance", "Unauthorized", "Invalid Crumb"), 401)
            known = [symbol for symbol in request.query["symbols"].split(",") if "NONE" not in symbol]
            items: list[dict[str, Any]] = [{"symbol": name, "regularMarketPrice": 244.6} for name in known]
            return json_response(json.dumps({"quoteResponse": {"result": items, "error": None}}).encode())
        return web.Response(status=404, text="<html>nothing here</html>", content_type="text/html")


def json_response(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


@pytest.fixture
async def yahoo() -> AsyncIterator[SmallYahoo]:
    small = SmallYahoo()
    runner = web.ServerRunner(web.Server(small.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    small.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield small
    await runner.cleanup()
