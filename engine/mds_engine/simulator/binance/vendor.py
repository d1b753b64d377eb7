"""The vendor: routes, weights, headers, and the door to streams and archives."""

import math
from collections.abc import Sequence

from aiohttp import web

from mds_engine.simulator.binance import recordings
from mds_engine.simulator.binance.errors import BinanceError, for_fault, invalid_symbol, json_response
from mds_engine.simulator.binance.limits import WEIGHT_LIMIT, WeightLimiter, weight_of
from mds_engine.simulator.binance.rest import GROUPS, Rest
from mds_engine.simulator.binance.streams import Connection, StreamRules
from mds_engine.simulator.binance.vision import archive
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.recorded import Recordings
from mds_engine.simulator.stream import Stream
from mds_engine.simulator.vendor import Call, Route, Vendor, VendorContext

_API = "/api/v3/"


class BinanceVendor(Vendor):
    """Binance spot on three endpoints that share one weight limit, as one address does.

    `listed` symbols make up the exchange; `rules` are the streams' side of the
    contract, to be shortened in tests and drills.
    """

    name = "binance"
    endpoint_count = 3

    def __init__(
        self,
        context: VendorContext,
        *,
        listed: int = 200,
        rules: StreamRules | None = None,
        weight_limit: int = WEIGHT_LIMIT,
    ) -> None:
        super().__init__(context)
        self._listed = listed
        self._rules = StreamRules() if rules is None else rules
        self._limiter = WeightLimiter(weight_limit)

    def routes(self) -> Sequence[Route]:
        """REST, streams and archives."""
        rest = [
            Route(f"{_API}{endpoint}", group, handler=self._rest, needs_recording=endpoint != "ping")
            for endpoint, group in GROUPS.items()
        ]
        streams = [
            Route(path, "ticks", stream=self._serve_stream) for path in ("/ws", "/ws/{streams:.*}", "/stream")
        ]
        return [*rest, *streams, Route("/data/spot/{file:.*}", "archive", handler=self._archive)]

    def fault_response(self, fault: Fault, call: Call) -> web.Response:
        """Binance's words for a fault."""
        return for_fault(fault, call.clock.wall(), self._limiter.limit)

    def not_found(self, call: Call) -> web.Response:
        """Unknown paths get the site's page, unknown archives the bucket's XML, the rest -1121."""
        path = call.request.path
        if path.startswith("/data/"):
            return _no_such_key(path)
        if path.startswith(_API) and path.removeprefix(_API) in GROUPS:
            return invalid_symbol().response()
        return web.Response(text="<html><body><h2>404 Not found</h2></body></html>", status=404)

    def recordings(self) -> Recordings:
        """See the table in `recordings`."""
        return recordings.table()

    async def before_handler(self, call: Call, group: str) -> web.Response | None:
        """Count the weight of REST requests."""
        if group == "archive":
            return None
        refusal = self._limiter.spend(weight_of(call.request.path, call.query), call.clock.wall())
        if refusal is None:
            return None
        error, wait_s = refusal
        response = error.response()
        response.headers["Retry-After"] = str(max(math.ceil(wait_s), 1))
        return response

    def decorate(self, call: Call, response: web.Response) -> None:
        """The weight used so far, on every REST answer."""
        if call.request.path.startswith(_API):
            used = str(self._limiter.used)
            response.headers["X-MBX-USED-WEIGHT"] = used
            response.headers["X-MBX-USED-WEIGHT-1M"] = used

    async def _rest(self, call: Call) -> web.Response:
        micro = call.request.headers.get("X-MBX-TIME-UNIT", "").upper() == "MICROSECOND"
        rest = Rest(call.market, 1_000_000 if micro else 1_000, self._listed)
        endpoint = call.request.path.removeprefix(_API)
        try:
            answer = rest.answer(endpoint, call.query)
            if FaultKind.NO_TRADES in call.faults and GROUPS[endpoint] == "trades":
                answer = []
            return json_response(answer)
        except BinanceError as error:
            return error.response()

    async def _serve_stream(self, call: Call, stream: Stream) -> None:
        await Connection(self, call, stream, self._rules, self._listed).serve()

    async def _archive(self, call: Call) -> web.Response:
        content = archive(call.request.path, call.market)
        if content is None:
            return _no_such_key(call.request.path)
        kind = "application/zip" if call.request.path.endswith(".zip") else "binary/octet-stream"
        return web.Response(body=content, content_type=kind)


def _no_such_key(path: str) -> web.Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"
        f"<Key>{path.lstrip('/')}</Key></Error>"
    )
    return web.Response(text=body, status=404, content_type="application/xml")
