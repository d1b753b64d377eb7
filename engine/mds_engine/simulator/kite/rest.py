"""Kite's REST calls that bring market data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from aiohttp import web

from mds_engine.simulator.kite import bodies
from mds_engine.simulator.kite.historical import DAY_S, HistoricalError, read_span
from mds_engine.simulator.kite.instruments import EXCHANGES, KiteInstruments
from mds_engine.simulator.kite.picture import Picture, picture
from mds_engine.simulator.kite.replies import input_error, json_response
from mds_engine.simulator.vendor import Call, Route

_QUOTE_INSTRUMENTS = 500
_SHORT_QUOTE_INSTRUMENTS = 1_000


class MarketDataCalls:
    """Quotes, the instrument dump, and candles."""

    def __init__(self, instruments: KiteInstruments) -> None:
        self._instruments = instruments

    def routes(self) -> Sequence[Route]:
        """Their paths."""
        return (
            Route("/quote", "quote", self._quote),
            Route("/quote/ohlc", "quote", self._ohlc),
            Route("/quote/ltp", "quote", self._ltp),
            Route("/instruments", "instruments", self._all_instruments),
            Route("/instruments/{exchange}", "instruments", self._instruments_of),
            Route("/instruments/historical/{token}/{interval}", "historical", self._historical),
        )

    async def _quote(self, call: Call) -> web.Response:
        return self._quotes(call, bodies.quote, _QUOTE_INSTRUMENTS, with_book=True)

    async def _ohlc(self, call: Call) -> web.Response:
        return self._quotes(call, bodies.ohlc, _SHORT_QUOTE_INSTRUMENTS, with_book=False)

    async def _ltp(self, call: Call) -> web.Response:
        return self._quotes(call, bodies.ltp, _SHORT_QUOTE_INSTRUMENTS, with_book=False)

    def _quotes(
        self, call: Call, entry: Callable[[Picture], dict[str, Any]], limit: int, *, with_book: bool
    ) -> web.Response:
        asked = call.request.query.getall("i", [])
        if not asked:
            return input_error("No instruments given: use the parameter `i`")
        if len(asked) > limit:
            return input_error(f"Too many instruments: at most {limit} in one request")
        data: dict[str, Mapping[str, Any]] = {}
        for key in asked:
            instrument = self._instruments.find(key)
            if instrument is not None:  # Kite leaves out what it does not know, and says nothing
                data[key] = entry(picture(call.market, instrument, with_book=with_book))
        return json_response(bodies.success(data))

    async def _all_instruments(self, call: Call) -> web.Response:
        return self._dump(call, None)

    async def _instruments_of(self, call: Call) -> web.Response:
        exchange = call.request.match_info["exchange"]
        return self._dump(call, exchange) if exchange in EXCHANGES else input_error("invalid exchange")

    def _dump(self, call: Call, exchange: str | None) -> web.Response:
        response = web.Response(text=self._instruments.csv(exchange), content_type="text/csv")
        if "gzip" in call.request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _historical(self, call: Call) -> web.Response:
        found = call.request.match_info
        instrument = self._instruments.find(found["token"]) if found["token"].isdigit() else None
        if instrument is None:
            return input_error("invalid token")
        try:
            span = read_span(found["interval"], call.query)
        except HistoricalError as refusal:
            return input_error(str(refusal))
        candles = call.market.candles(instrument.key, span.interval.seconds, span.start, span.end + 1)
        if span.interval.seconds == DAY_S:
            # Kite stamps a day with its midnight, whenever its session began.
            midnights = [call.market.day_start(instrument.key, at) for at in candles.start.tolist()]
            candles = replace(candles, start=np.array(midnights, dtype=np.int64))
        with_open_interest = call.query.get("oi") == "1"
        return json_response(bodies.success(bodies.candles(candles, with_open_interest=with_open_interest)))
