"""Zerodha Kite over REST: quotes, bars, and the list of instruments."""

from collections.abc import Iterator, Mapping, Sequence
from weakref import WeakSet

from mds_engine.errors import AuthRequired, InvalidPayload, NotFound
from mds_engine.model import Bars, Capability, Instrument, Interval, Quote
from mds_engine.policy.limiter import LimitWindow
from mds_engine.sources.contract import (
    BarsRequest,
    Deliver,
    EndpointState,
    RequestCost,
    Source,
    SourceContext,
)
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.http import HttpShell, Reply
from mds_engine.sources.kite.decode_rest import (
    Candle,
    bars_of,
    decode_quote_tokens,
    decode_quotes,
    is_success,
    read_candles,
)
from mds_engine.sources.kite.errors import classify
from mds_engine.sources.kite.exchanges import HAS_OPEN_INTEREST, is_kite
from mds_engine.sources.kite.instruments import InstrumentList
from mds_engine.sources.kite.settings import KiteSettings
from mds_engine.sources.kite.stream import STREAM_LIMITS, KiteStream
from mds_engine.sources.kite.times import to_text

_LIMITS = {
    "quote": (LimitWindow(1, 1.0),),
    "historical": (LimitWindow(3, 1.0),),
    "default": (LimitWindow(10, 1.0),),
}
_GROUPS = {Capability.QUOTE: "quote", Capability.BARS: "historical", Capability.TICKS: "default"}
_QUOTES_A_REQUEST = 500
_NS_A_S = 1_000_000_000
_NS_A_DAY = 86_400 * _NS_A_S


class _Page:
    """Kite's name of an interval, and how many days of it one request may span."""

    __slots__ = ("name", "span_ns")

    def __init__(self, name: str, days: int) -> None:
        self.name = name
        self.span_ns = days * _NS_A_DAY


_PAGES = {
    Interval.M1: _Page("minute", 60),
    Interval.M3: _Page("3minute", 100),
    Interval.M5: _Page("5minute", 100),
    Interval.M10: _Page("10minute", 100),
    Interval.M15: _Page("15minute", 200),
    Interval.M30: _Page("30minute", 200),
    Interval.H1: _Page("60minute", 400),
    Interval.D1: _Page("day", 2000),
}


class KiteSource(Source):
    """One Kite Connect app with today's access token."""

    capabilities = frozenset({Capability.QUOTE, Capability.BARS, Capability.TICKS})
    stream_limits = STREAM_LIMITS
    tick_time_unit_ns = _NS_A_S

    def __init__(self, settings: KiteSettings, context: SourceContext) -> None:
        self._settings = settings
        self._context = context
        self._streams: WeakSet[KiteStream] = WeakSet()
        self._http = HttpShell(
            context,
            settings.endpoints,
            timeout_s=settings.timeout_s,
            connections=settings.connections,
            headers={"x-kite-version": "3", "authorization": _authorization(settings)},
            secrets=(settings.api_key, settings.api_secret, settings.access_token),
        )
        self._stream_endpoints = Endpoints(context, settings.stream_endpoints)
        self._instruments = InstrumentList(context.clock, self._fetch_instruments, self._ask_tokens)

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        return _LIMITS

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        return RequestCost(_GROUPS[capability])

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return capability in self.capabilities and is_kite(instrument)

    async def connect(self) -> None:
        """Raises AuthRequired without a key and a token; sends nothing."""
        for name, secret in (
            ("api_key", self._settings.api_key),
            ("access_token", self._settings.access_token),
        ):
            if not secret:
                raise AuthRequired(f"Kite needs {name}: log in first")
        await self._http.connect()

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> None:
        """The user's profile: it proves the token, and takes nothing from the one quote a second."""
        await self._context.pay(RequestCost("default"))
        reply = await self._get("/user/profile", {})
        if not is_success(reply.body):
            raise InvalidPayload("Kite's answer is not in its envelope", raw=self._http.scrub(reply.body))

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        """By /quote, five hundred at a time."""
        keys = {str(instrument): instrument for instrument in instruments}
        found: dict[Instrument, Quote] = {}
        for number, batch in enumerate(_batches(list(keys))):
            if number:
                await self._context.pay(RequestCost("quote"))
            reply = await self._get("/quote", batch)
            quotes = decode_quotes(reply.body)
            found.update(
                {keys[key]: quote for key, quote in quotes.items() if key in keys and quote.price > 0}
            )
        if not found:
            raise NotFound(f"Kite knows no {', '.join(keys)}")
        return found

    async def bars(self, request: BarsRequest) -> Bars:
        """By /instruments/historical, in as many requests as the vendor's longest span makes of it."""
        page = _PAGES.get(request.interval)
        if page is None:
            raise NotFound(f"Kite has no bars of {request.interval}")
        instrument = request.instrument
        path = f"/instruments/historical/{await self._instruments.token(instrument)}/{page.name}"
        interest = "1" if instrument.exchange in HAS_OPEN_INTEREST else "0"
        rows: list[Candle] = []
        start_ns, first = request.start_ns, True
        while start_ns < request.end_ns:
            end_ns = min(start_ns + page.span_ns, request.end_ns)
            if not first:
                await self._context.pay(RequestCost("historical"))
            first = False
            reply = await self._get(
                path,
                # Both ends are inclusive, in whole seconds.
                {
                    "from": to_text(-(-start_ns // _NS_A_S) * _NS_A_S),
                    "to": to_text(end_ns - 1),
                    "continuous": "0",
                    "oi": interest,
                },
            )
            rows += read_candles(reply.body)
            start_ns = end_ns
        bars = bars_of(rows, instrument, request.interval).between(request.start_ns, request.end_ns)
        if not len(bars):
            raise NotFound(f"Kite has no {request.interval} bars of {instrument} in that span")
        return bars

    def stream(self, deliver: Deliver) -> KiteStream:
        stream = KiteStream(
            self._settings, self._context, self._stream_endpoints, self._instruments.tokens, deliver
        )
        self._streams.add(stream)
        return stream

    def use_credentials(self, settings: KiteSettings) -> None:
        """Requests carry the new token at once; each stream goes on until another has taken over from it."""
        self._settings = settings
        self._http.set_headers({"authorization": _authorization(settings)})
        self._http.also_scrub((settings.access_token,))
        now = self._context.clock.now()
        for stream in self._streams:
            stream.renew_at = min(stream.renew_at, now)

    def endpoints(self) -> tuple[EndpointState, ...]:
        return self._http.endpoints() + self._stream_endpoints.states()

    async def _fetch_instruments(self, exchange: str) -> bytes:
        await self._context.pay(RequestCost("default"))
        return (await self._get(f"/instruments/{exchange}", {})).body

    async def _ask_tokens(self, instruments: Sequence[Instrument]) -> dict[Instrument, int]:
        keys = {str(instrument): instrument for instrument in instruments}
        found: dict[Instrument, int] = {}
        for batch in _batches(list(keys)):
            await self._context.pay(RequestCost("quote"))
            tokens = decode_quote_tokens((await self._get("/quote", batch)).body)
            found.update({keys[key]: token for key, token in tokens.items() if key in keys})
        return found

    async def _get(self, path: str, query: Mapping[str, str] | Sequence[tuple[str, str]]) -> Reply:
        reply = await self._http.get(path, query)
        error = classify(reply, wall=self._context.clock.wall(), scrub=self._http.scrub)
        if error is not None:
            raise error
        return reply


def _authorization(settings: KiteSettings) -> str:
    return f"token {settings.api_key.reveal()}:{settings.access_token.reveal()}"


def _batches(keys: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """The queries that ask for these keys, as many in each as one request takes."""
    for start in range(0, len(keys), _QUOTES_A_REQUEST):
        yield [("i", key) for key in keys[start : start + _QUOTES_A_REQUEST]]
