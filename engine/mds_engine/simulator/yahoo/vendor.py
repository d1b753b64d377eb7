"""Yahoo as the simulator knows it: all of its hosts on one port."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from aiohttp import web

from mds_engine.simulator.faults import Fault
from mds_engine.simulator.recorded import Recordings
from mds_engine.simulator.stream import Stream
from mds_engine.simulator.vendor import Call, Route, Vendor, VendorContext
from mds_engine.simulator.yahoo import quote, replies, symbols
from mds_engine.simulator.yahoo.access import Crumbs, looks_like_a_script
from mds_engine.simulator.yahoo.bars import chart_bars
from mds_engine.simulator.yahoo.chart import chart
from mds_engine.simulator.yahoo.hours import Hours
from mds_engine.simulator.yahoo.recordings import STREAM_PATH, recordings
from mds_engine.simulator.yahoo.span import SpanError, read_span
from mds_engine.simulator.yahoo.streamer import Streamer

_NEEDS_CRUMB = frozenset({"quote", "summary"})


class YahooVendor(Vendor):
    """query1, query2, fc and the streamer."""

    name: ClassVar[str] = "yahoo"
    websocket_path: ClassVar[str] = f"{STREAM_PATH}?version=2"
    lag_s: ClassVar[float] = 1.0
    noise_steps: ClassVar[int] = 1

    def __init__(self, context: VendorContext) -> None:
        super().__init__(context)
        self._crumbs = Crumbs(context.seed)
        self._shuffle = random.Random(context.seed)

    def routes(self) -> Sequence[Route]:
        """Cookie and crumb, charts, quotes, what `Ticker.info` asks besides, and the stream."""
        return (
            Route("/", "cookie", self._cookie, needs_recording=False),
            Route("/v1/test/getcrumb", "crumb", self._crumb, needs_recording=False),
            Route("/v8/finance/chart/{symbol}", "chart", self._chart),
            Route("/v7/finance/quote", "quote", self._quotes),
            Route("/v10/finance/quoteSummary/{symbol}", "summary", self._summary),
            Route(
                "/ws/fundamentals-timeseries/v1/finance/timeseries/{symbol}",
                "fundamentals",
                self._fundamentals,
                needs_recording=False,
            ),
            Route(STREAM_PATH, "ticks", stream=self._stream),
        )

    def fault_response(self, fault: Fault, call: Call) -> web.Response:
        """Yahoo's words for a fault."""
        return replies.fault_response(fault, call.request.path, call.clock.wall())

    def not_found(self, call: Call) -> web.Response:
        """404; but unknown symbols are only missing from a list of quotes."""
        if call.request.path == "/v7/finance/quote":
            return replies.json_response(quote.quotes([]))
        return replies.not_found(call.request.path)

    def recordings(self) -> Recordings:
        """Real charts, quotes and stream messages."""
        return recordings()

    async def before_handler(self, call: Call, group: str) -> web.Response | None:
        """Scripts are turned away; quotes need a crumb, unless they are recorded ones."""
        if looks_like_a_script(call.request.headers.get("User-Agent", "")):
            return replies.too_many_requests()
        if group in _NEEDS_CRUMB and self.folder is None:
            cookies, crumb = call.request.cookies, call.query.get("crumb", "")
            if not self._crumbs.fits(cookies, crumb):
                return replies.unauthorized(call.request.path)
        return None

    async def _cookie(self, call: Call) -> web.Response:
        # The real page is a 404, too: what counts is its header.
        headers = {"Set-Cookie": self._crumbs.set_cookie(call.request.cookies, call.clock.wall())}
        return web.Response(text="Not Found\n", status=404, content_type="text/html", headers=headers)

    async def _crumb(self, call: Call) -> web.Response:
        crumb = self._crumbs.crumb(call.request.cookies)
        if crumb is None:
            return replies.unauthorized(call.request.path)
        return web.Response(text=crumb)

    async def _chart(self, call: Call) -> web.Response:
        market, path = call.market, call.request.path
        symbol = symbols.find(market, call.request.match_info["symbol"])
        if symbol is None:
            return self.not_found(call)
        hours = Hours(market, symbol)
        last_trade = market.snapshot(symbol.instrument).last_time
        try:
            span = read_span(call.query, symbol, market.now(), last_trade, weekends=hours.never_closes)
        except SpanError as refusal:
            code = "Unprocessable Entity" if refusal.status == 422 else "Bad Request"
            return replies.error(path, refusal.status, code, str(refusal))
        bars = chart_bars(market, symbol, hours, span)
        if "div" not in call.query.get("events", ""):
            bars = replace(bars, dividends=())
        return replies.json_response(chart(market, symbol, hours, span, bars, self._shuffle))

    async def _quotes(self, call: Call) -> web.Response:
        wanted = [text for text in call.query.get("symbols", "").split(",") if text]
        if not wanted:
            return replies.error(call.request.path, 400, "argument-error", 'Missing value for "symbols"')
        found = [symbols.find(call.market, text) for text in wanted]
        known = [symbol for symbol in found if symbol is not None]
        return replies.json_response(quote.quotes([quote.quote(call.market, symbol) for symbol in known]))

    async def _summary(self, call: Call) -> web.Response:
        symbol = symbols.find(call.market, call.request.match_info["symbol"])
        if symbol is None:
            return self.not_found(call)
        modules = call.query.get("modules", "").split(",")
        return replies.json_response(quote.summary(call.market, symbol, modules))

    async def _fundamentals(self, call: Call) -> web.Response:
        # The market has no books; this is Yahoo's answer for a series without figures.
        types = call.query.get("type", "").split(",")
        meta = {"symbol": [call.request.match_info["symbol"]], "type": types}
        return replies.json_response({"timeseries": {"result": [{"meta": meta}], "error": None}})

    async def _stream(self, call: Call, stream: Stream) -> None:
        streamer = Streamer()
        if call.recording is not None and self.folder is not None:
            await streamer.replay(call, stream, call.recording.read_frames(self.folder))
        else:
            await streamer.run(call, stream)
