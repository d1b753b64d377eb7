"""Yahoo Finance as a source."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import msgspec
import numpy as np

from mds_engine.errors import NotFound
from mds_engine.model import Bars, Capability, Instrument, Interval, Quote
from mds_engine.policy.limiter import LimitWindow
from mds_engine.sources.contract import (
    BarsRequest,
    Deliver,
    EndpointState,
    RequestCost,
    Source,
    SourceContext,
    TickStream,
)
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.yahoo.decode_chart import GRANULARITIES, decode_chart
from mds_engine.sources.yahoo.decode_quote import decode_quotes
from mds_engine.sources.yahoo.settings import YahooSettings
from mds_engine.sources.yahoo.stream import YahooStream
from mds_engine.sources.yahoo.symbols import SERVED_EXCHANGES, to_symbol
from mds_engine.sources.yahoo.transport import YahooTransport

_HOUR_LIMIT = LimitWindow(2000, 3600.0)
"""What Yahoo's users have found an address to be allowed; Yahoo publishes nothing."""

_SYMBOLS_A_QUERY = 100
"""Keeps the URL below 2 kB."""

_COST = RequestCost()
_SECOND_NS = 1_000_000_000
_MINUTE_BARS_NS = 7 * 86400 * _SECOND_NS
"""Yahoo gives at most 8 days of one-minute bars to a request."""

_PROBE = "^GSPC"


class YahooSource(Source):
    """Quotes and bars through yfinance, ticks from the streamer."""

    capabilities = frozenset({Capability.QUOTE, Capability.BARS, Capability.TICKS})

    def __init__(self, settings: YahooSettings, context: SourceContext) -> None:
        self._settings = settings
        self._context = context
        self._transport = YahooTransport(
            context,
            settings.endpoints or YahooSettings().endpoints,
            timeout_s=settings.timeout_s,
            connections=settings.connections,
        )
        self._stream_endpoints = Endpoints(
            context, settings.stream_endpoints or YahooSettings().stream_endpoints
        )

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        """One group for all requests; cookies and crumbs count too."""
        return {"default": (_HOUR_LIMIT,)}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        """Every request costs one."""
        return _COST

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        """By exchange."""
        return capability in self.capabilities and self._knows(instrument)

    async def connect(self) -> None:
        """Load yfinance, off the event loop."""
        await self._transport.connect()

    async def close(self) -> None:
        """End every request and thread."""
        await self._transport.close()

    async def check(self) -> None:
        """One chart of one day: it needs no crumb."""
        await self._context.pay(_COST)
        body = await self._chart(_PROBE, {"interval": "1d", "range": "1d"})
        try:
            decode_chart(body)
        except NotFound:
            # A chart without bars, as on a holiday, is an answer too.
            return

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        """One request for up to a hundred instruments."""
        symbols = {instrument: to_symbol(instrument) for instrument in instruments if self._knows(instrument)}
        wanted = sorted(set(symbols.values()))
        found: dict[str, Quote] = {}
        for first in range(0, len(wanted), _SYMBOLS_A_QUERY):
            if first:
                await self._context.pay(_COST)
            params = {"symbols": ",".join(wanted[first : first + _SYMBOLS_A_QUERY])}
            body = await self._transport.get("/v7/finance/quote", params, _COST, needs_crumb=True)
            try:
                found.update(decode_quotes(body))
            except NotFound:
                continue
        quotes = {
            instrument: msgspec.structs.replace(found[symbol], instrument=instrument)
            for instrument, symbol in symbols.items()
            if symbol in found
        }
        if not quotes:
            raise NotFound(f"Yahoo knows none of {', '.join(map(str, instruments))}")
        return quotes

    async def bars(self, request: BarsRequest) -> Bars:
        """One request, and for one-minute bars one for each week."""
        granularity = GRANULARITIES.get(request.interval)
        if granularity is None:
            raise NotFound(f"Yahoo has no {request.interval} bars")
        symbol = to_symbol(request.instrument)
        parts: list[Bars] = []
        for start_ns, end_ns in _spans(request):
            if start_ns != request.start_ns:
                await self._context.pay(_COST)
            params = {
                "period1": str(start_ns // _SECOND_NS),
                "period2": str(-(-end_ns // _SECOND_NS)),
                "interval": granularity,
                "includePrePost": "false",
                "events": "div,splits,capitalGains",
            }
            try:
                body = await self._chart(symbol, params)
                part = decode_chart(body, request.instrument, request.interval).between(start_ns, end_ns)
            except NotFound:
                if end_ns == request.end_ns and not parts:
                    raise
                continue
            if len(part):
                parts.append(part)
        if not parts:
            raise NotFound(f"Yahoo has no {request.interval} bars of {request.instrument} in that span")
        return parts[0] if len(parts) == 1 else _joined(parts)

    def stream(self, deliver: Deliver) -> TickStream:
        """A connection to the streamer."""
        return YahooStream(
            self._context,
            self._stream_endpoints,
            deliver,
            timeout_s=self._settings.timeout_s,
            subscribe_every_s=self._settings.subscribe_every_s,
        )

    def endpoints(self) -> tuple[EndpointState, ...]:
        """Those for requests, then those for streams."""
        return self._transport.endpoints() + self._stream_endpoints.states()

    def _knows(self, instrument: Instrument) -> bool:
        return instrument.exchange in SERVED_EXCHANGES

    async def _chart(self, symbol: str, params: dict[str, str]) -> bytes:
        return await self._transport.get(
            f"/v8/finance/chart/{quote(symbol, safe='')}", params, _COST, needs_crumb=False
        )


def create(settings: YahooSettings, context: SourceContext) -> Source:
    """The source of one `[sources.NAME]` block. No I/O."""
    return YahooSource(settings, context)


def _spans(request: BarsRequest) -> Iterator[tuple[int, int]]:
    step_ns = _MINUTE_BARS_NS if request.interval is Interval.M1 else request.end_ns - request.start_ns
    start_ns = request.start_ns
    while start_ns < request.end_ns:
        end_ns = min(start_ns + step_ns, request.end_ns)
        yield start_ns, end_ns
        start_ns = end_ns


def _joined(parts: Sequence[Bars]) -> Bars:
    first = parts[0]
    names = ("open", "high", "low", "close", "volume")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    shared = set(first.extra).intersection(*(part.extra for part in parts))
    columns |= {name: np.concatenate([part.extra[name] for part in parts]) for name in sorted(shared)}
    time_ns = np.concatenate([part.time_ns for part in parts])
    return Bars.from_rows(first.instrument, first.interval, time_ns, columns)
