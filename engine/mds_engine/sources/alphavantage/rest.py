"""Alpha Vantage as a source: one symbol a call, and few calls a day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from mds_engine.errors import AuthRequired, InvalidPayload, NotFound, SourceError, Throttled
from mds_engine.model import Bars, Capability, Instrument, Interval, Quote
from mds_engine.policy.limiter import LimitWindow
from mds_engine.policy.retry_after import parse_retry_after
from mds_engine.sources.alphavantage.decode import decode_quote, decode_series
from mds_engine.sources.alphavantage.errors import EASTERN, mask_key, refusal
from mds_engine.sources.alphavantage.settings import AlphaVantageSettings
from mds_engine.sources.alphavantage.symbols import served_exchanges, to_symbol
from mds_engine.sources.contract import (
    BarsRequest,
    EndpointState,
    RequestCost,
    Source,
    SourceContext,
)
from mds_engine.sources.http import HttpShell, Reply, classify_status

_BURST_LIMIT = LimitWindow(1, 1.0)
_COST = RequestCost()

_INTRADAY = {
    Interval.M1: "1min",
    Interval.M5: "5min",
    Interval.M15: "15min",
    Interval.M30: "30min",
    Interval.H1: "60min",
}
_LONGER = {
    Interval.D1: "TIME_SERIES_DAILY",
    Interval.W1: "TIME_SERIES_WEEKLY",
    Interval.MO1: "TIME_SERIES_MONTHLY",
}
_COMPACT_BARS = 100
_SECOND_NS = 1_000_000_000
_PROBE = "IBM"
_DAY_S = 86400.0


class AlphaVantageSource(Source):
    """Quotes and bars over HTTP; there is no stream, so quotes are polled in its place."""

    capabilities = frozenset({Capability.QUOTE, Capability.BARS})
    polls = True

    def __init__(self, settings: AlphaVantageSettings, context: SourceContext) -> None:
        self._settings = settings
        self._context = context
        self._served = served_exchanges(settings.nse_suffix)
        self._key_refused = False
        self._http = HttpShell(
            context,
            settings.endpoints or AlphaVantageSettings().endpoints,
            timeout_s=settings.timeout_s,
            connections=settings.connections,
            secrets=(settings.api_key,),
        )

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        """One request a second; the plan's day is a quota, not a window (`calls_per_day`)."""
        return {"default": (_BURST_LIMIT,)}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        """Every request costs one."""
        return _COST

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        """By exchange."""
        return capability in self.capabilities and instrument.exchange in self._served

    async def connect(self) -> None:
        """Build the pool. There is no login."""
        await self._http.connect()

    async def close(self) -> None:
        """End the connections."""
        await self._http.close()

    async def check(self) -> None:
        """Ask without a key: the vendor refuses that, which proves that it answers, and no call of the
        plan's 25 a day is spent. Only after it has refused our key is the key itself tried."""
        query = {"function": "GLOBAL_QUOTE", "symbol": _PROBE}
        if self._key_refused:
            await self._context.pay(_COST)
            await self._ask(query)
            return
        await self._context.pay(_COST._replace(counted=False))
        reply = await self._http.get("/query", query)
        failed = self._failure(reply)
        if failed is not None and not isinstance(failed, AuthRequired):
            raise failed
        if failed is None and not _is_object(reply.body):
            raise InvalidPayload(
                "Alpha Vantage's answer to a question without a key is not JSON",
                raw=self._http.scrub(reply.body),
            )

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        """One request an instrument, each but the first paid for here.

        What was had before a failure is not thrown away: it cost calls of the plan.
        """
        quotes: dict[Instrument, Quote] = {}
        unknown: NotFound | None = None
        sent = 0
        for instrument in dict.fromkeys(instruments):
            try:
                symbol = to_symbol(instrument, self._settings.nse_suffix)
                if sent:
                    await self._context.pay(_COST)
                sent += 1
                body = await self._ask({"function": "GLOBAL_QUOTE", "symbol": symbol})
                quotes[instrument] = decode_quote(body, instrument, wall=self._context.clock.wall())
            except NotFound as error:
                error.local = error.local and not sent  # what was asked before it was sent, and counts
                unknown = error
            except SourceError as error:
                if not quotes:
                    raise self._scrubbed(error) from None
                break
        if not quotes:
            raise self._scrubbed(unknown or NotFound("no instrument was asked for"))
        return quotes

    async def bars(self, request: BarsRequest) -> Bars:
        """One request: the latest hundred bars where they suffice, else one month, or everything."""
        params = self._series(request)
        params["symbol"] = to_symbol(request.instrument, self._settings.nse_suffix)
        wall = self._context.clock.wall()
        try:
            bars = decode_series(await self._ask(params), request.instrument, wall=wall)
        except SourceError as error:
            raise self._scrubbed(error) from None
        if bars.interval is not request.interval:
            raise InvalidPayload(
                f"Alpha Vantage sent {bars.interval} bars where {request.interval} were asked"
            )
        bars = bars.between(request.start_ns, request.end_ns)
        if not len(bars):
            raise NotFound(
                f"Alpha Vantage has no {request.interval} bars of {request.instrument} in that span"
            )
        return bars

    def endpoints(self) -> tuple[EndpointState, ...]:
        """The state of each base URL."""
        return self._http.endpoints()

    def _series(self, request: BarsRequest) -> dict[str, str]:
        """The query for the smallest answer that holds the bars.

        `outputsize=full` is for paid plans in places; the compact answer is not.
        """
        age_s = self._context.clock.wall() - request.start_ns / _SECOND_NS
        if (function := _LONGER.get(request.interval)) is not None:
            if request.interval is not Interval.D1:
                return {"function": function}
            # Five trading days a week at most.
            compact = age_s <= _COMPACT_BARS * _DAY_S * 7 / 5
            return {"function": function, "outputsize": "compact" if compact else "full"}
        if (interval := _INTRADAY.get(request.interval)) is None:
            raise NotFound(f"Alpha Vantage has no {request.interval} bars")
        query = {"function": "TIME_SERIES_INTRADAY", "interval": interval, "extended_hours": "false"}
        # Nights and weekends only make a hundred bars reach further back.
        if age_s <= _COMPACT_BARS * request.interval.seconds:
            return query | {"outputsize": "compact"}
        if age_s <= 29 * _DAY_S:
            return query | {"outputsize": "full"}
        return query | {"outputsize": "full", "month": self._month(request)}

    def _month(self, request: BarsRequest) -> str:
        """The one month in which the bars are. Alpha Vantage gives intraday history a month at a time."""
        first, last = (
            datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).astimezone(EASTERN)
            for at_ns in (request.start_ns, request.end_ns - 1)
        )
        if (first.year, first.month) != (last.year, last.month):
            raise NotFound("Alpha Vantage gives old intraday bars one calendar month a request")
        return f"{first:%Y-%m}"

    async def _ask(self, params: Mapping[str, str]) -> bytes:
        query = {**params, "apikey": self._settings.api_key.reveal()}
        reply = await self._http.get("/query", query)
        failed = self._failure(reply)
        self._key_refused = isinstance(failed, AuthRequired)
        if failed is not None:
            raise self._scrubbed(failed)
        return reply.body

    def _failure(self, reply: Reply) -> SourceError | None:
        """What an answer refuses, whatever its status: the words say more than a 429 or a 200 does."""
        wall = self._context.clock.wall()
        refused = refusal(reply.body, wall)
        if refused is None:
            return classify_status(reply, wall=wall, scrub=self._http.scrub)
        if isinstance(refused, Throttled) and (after := reply.headers.get("retry-after")):
            refused.retry_after_s = parse_retry_after(after, wall) or refused.retry_after_s
        return refused

    def _scrubbed(self, error: SourceError) -> SourceError:
        """The same error, fit to be shown. Its cause has the vendor's words too, and is left behind."""
        error.raw = mask_key(self._http.scrub(error.raw))
        error.message = mask_key(self._http.scrub(error.message))
        error.args = (error.message,)
        error.__cause__ = None
        return error


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except msgspec.DecodeError:
        return False


def create(settings: AlphaVantageSettings, context: SourceContext) -> Source:
    """The source of one `[sources.NAME]` block. No I/O."""
    return AlphaVantageSource(settings, context)
