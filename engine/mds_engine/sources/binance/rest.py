"""Binance spot over REST: quotes and bars, and what its headers say about our use."""

import json
import math
from collections.abc import Mapping, Sequence

from mds_engine.errors import InvalidPayload, NotFound, SourceError
from mds_engine.model import Bars, Capability, Instrument, Quote, Tick
from mds_engine.policy.limiter import LimitWindow
from mds_engine.sources.binance.decode_rest import Kline, bars_of, decode_limits, decode_tickers, read_klines
from mds_engine.sources.binance.errors import INVALID_SYMBOL, classify, refusal_code
from mds_engine.sources.binance.settings import BinanceSettings
from mds_engine.sources.binance.stream import BinanceStream, stream_limits
from mds_engine.sources.binance.symbols import from_symbol, is_binance, vendor_interval
from mds_engine.sources.binance.trades import fetch_trades, history_of, numbering_of
from mds_engine.sources.contract import (
    BarsRequest,
    Deliver,
    EndpointState,
    RequestCost,
    Source,
    SourceContext,
    TradesRequest,
)
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.http import HttpShell, Reply

WEIGHT = "default"
"""The one group: Binance counts weight per address. RAW_REQUESTS (61000 in 5 minutes) can not be
reached within it, since nothing that we send weighs less than one."""

_MINUTE_S = 60.0
_WEIGHT_A_MINUTE = 6000
_TICKERS_A_REQUEST = 20
_TICKER_WEIGHT = 2
_KLINES_A_REQUEST = 1000
_KLINES_WEIGHT = 2
_EXCHANGE_INFO_WEIGHT = 20
_LIMITS_HOLD_S = 86400.0
_UNKNOWN_HOLDS_S = 600.0
_NS_A_MS = 1_000_000


class BinanceSource(Source):
    """Public market data of Binance spot. Weights are taken from its documentation of July 2026."""

    capabilities = frozenset({Capability.QUOTE, Capability.BARS, Capability.TICKS})

    def __init__(self, settings: BinanceSettings, context: SourceContext) -> None:
        self._settings = settings
        self._context = context
        self._http = HttpShell(
            context,
            settings.endpoints,
            timeout_s=settings.timeout_s,
            connections=settings.connections,
        )
        self._stream_endpoints = Endpoints(context, settings.stream_endpoints)
        self.stream_limits = stream_limits(settings)
        self._unknown_until: dict[str, float] = {}
        self._limits_due_at = -math.inf
        self.numbering = numbering_of(settings.stream_kinds)
        self._history = history_of(settings.stream_kinds)
        self.has_trades = self._history is not None

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        return {WEIGHT: (LimitWindow(_WEIGHT_A_MINUTE, _MINUTE_S),)}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        return RequestCost(WEIGHT, _KLINES_WEIGHT if capability is Capability.BARS else _TICKER_WEIGHT)

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return capability in self.capabilities and is_binance(instrument)

    async def connect(self) -> None:
        await self._http.connect()

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> None:
        """A ping; once a day the published limits instead."""
        if self._context.clock.now() < self._limits_due_at:
            await self._context.pay(RequestCost(WEIGHT, 1))
            reply = await self._get("/api/v3/ping", {})
            if reply.body.strip() != b"{}":
                raise InvalidPayload(
                    "Binance's answer to a ping is not its own", raw=self._http.scrub(reply.body)
                )
            return
        await self._context.pay(RequestCost(WEIGHT, _EXCHANGE_INFO_WEIGHT))
        # One symbol only: the whole list is megabytes, and the limits are the same.
        reply = await self._get("/api/v3/exchangeInfo", {"symbol": self._settings.probe_symbol})
        for window in decode_limits(reply.body):
            self._context.set_limit(WEIGHT, window.window_s, window.limit)
        self._limits_due_at = self._context.clock.now() + _LIMITS_HOLD_S

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        """By /ticker/24hr, twenty symbols at a time: up to twenty weigh as little as one."""
        now = self._context.clock.now()
        self._unknown_until = {symbol: until for symbol, until in self._unknown_until.items() if until > now}
        wanted = [
            symbol for symbol in dict.fromkeys(one.symbol for one in instruments) if self._known(symbol)
        ]
        batches = [
            wanted[start : start + _TICKERS_A_REQUEST] for start in range(0, len(wanted), _TICKERS_A_REQUEST)
        ]
        found: dict[Instrument, Quote] = {}
        for number, batch in enumerate(batches):
            if number:
                await self._context.pay(RequestCost(WEIGHT, _TICKER_WEIGHT))
            found.update(await self._tickers(batch))
        if not found:
            raise NotFound(f"Binance knows no {', '.join(map(str, instruments))}")
        return found

    async def bars(self, request: BarsRequest) -> Bars:
        """By /klines, a thousand at a time. The last bar may still be open."""
        interval = vendor_interval(request.interval)
        if interval is None:
            raise NotFound(f"Binance has no bars of {request.interval}")
        # Both ends of Binance's span are inclusive, in milliseconds.
        next_ms = -(-request.start_ns // _NS_A_MS)
        last_ms = (request.end_ns - 1) // _NS_A_MS
        rows: list[Kline] = []
        while next_ms <= last_ms:
            if rows:
                await self._context.pay(RequestCost(WEIGHT, _KLINES_WEIGHT))
            reply = await self._get(
                "/api/v3/klines",
                {
                    "symbol": request.instrument.symbol,
                    "interval": interval,
                    "startTime": str(max(0, next_ms)),
                    "endTime": str(last_ms),
                    "limit": str(_KLINES_A_REQUEST),
                },
            )
            page = read_klines(reply.body)
            rows += page
            if len(page) < _KLINES_A_REQUEST:
                break
            next_ms = page[-1].open_time + 1
        bars = bars_of(rows, request.instrument, request.interval).between(request.start_ns, request.end_ns)
        if not len(bars):
            raise NotFound(f"Binance has no {request.interval} bars of {request.instrument} in that span")
        return bars

    async def trades(self, request: TradesRequest) -> list[Tick]:
        """By /aggTrades or /historicalTrades, as the stream is configured; pays for every request."""
        if self._history is None:
            return await super().trades(request)
        return await fetch_trades(self._history, request, self._get, self._context, WEIGHT)

    def stream(self, deliver: Deliver) -> BinanceStream:
        return BinanceStream(self._settings, self._context, self._stream_endpoints, deliver)

    def endpoints(self) -> tuple[EndpointState, ...]:
        return self._http.endpoints() + self._stream_endpoints.states()

    def _known(self, symbol: str) -> bool:
        return symbol not in self._unknown_until

    async def _tickers(self, symbols: Sequence[str]) -> dict[Instrument, Quote]:
        """The quotes of at most twenty symbols, for which one request has been paid.

        One symbol that Binance does not know spoils the whole batch and is not
        named: the batch is halved until it is found, and then not asked for
        again for a while.
        """
        query = (
            {"symbol": symbols[0]}
            if len(symbols) == 1
            else {"symbols": json.dumps(symbols, separators=(",", ":"), ensure_ascii=False)}
        )
        reply = await self._exchange("/api/v3/ticker/24hr", query)
        if refusal_code(reply) != INVALID_SYMBOL:
            self._raise_for(reply)
            asked = {from_symbol(symbol) for symbol in symbols}
            return {
                quote.instrument: quote for quote in decode_tickers(reply.body) if quote.instrument in asked
            }
        if len(symbols) == 1:
            self._unknown_until[symbols[0]] = self._context.clock.now() + _UNKNOWN_HOLDS_S
            return {}
        found: dict[Instrument, Quote] = {}
        middle = len(symbols) // 2
        for half in (symbols[:middle], symbols[middle:]):
            try:
                await self._context.pay(RequestCost(WEIGHT, _TICKER_WEIGHT))
                found.update(await self._tickers(half))
            except SourceError:
                if found:
                    # The good ones still come; what is missing is asked for again next time.
                    return found
                raise
        return found

    async def _get(self, path: str, query: Mapping[str, str]) -> Reply:
        reply = await self._exchange(path, query)
        self._raise_for(reply)
        return reply

    async def _exchange(self, path: str, query: Mapping[str, str]) -> Reply:
        reply = await self._http.get(path, query)
        used = reply.headers.get("x-mbx-used-weight-1m", "")
        if used.isdecimal():
            self._context.observe_usage(WEIGHT, _MINUTE_S, used=int(used))
        return reply

    def _raise_for(self, reply: Reply) -> None:
        error = classify(reply, wall=self._context.clock.wall(), scrub=self._http.scrub)
        if error is not None:
            raise error
