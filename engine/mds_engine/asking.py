"""Questions for data: which route, which deadline, and one call for all that ask the same."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from mds_engine.bars_answer import BarsAnswer
from mds_engine.clock import Clock
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import AllSourcesFailedError, InvalidRequest, UnknownSourceError
from mds_engine.model import Capability, Decision, Instrument, Interval, Quote
from mds_engine.routing.coalesce import Coalescer
from mds_engine.routing.requests import BarsCall, QuoteRequest
from mds_engine.routing.route import Route
from mds_engine.routing.router import Router
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import BarsRequest

T = TypeVar("T")


def as_instrument(item: str | Instrument) -> Instrument:
    """An instrument from its text, or as it is. Raises InvalidRequest."""
    return Instrument.parse(item) if isinstance(item, str) else item


class Asking:
    """What `Engine.quote`, `quotes` and `bars` do; see there for what they promise."""

    def __init__(
        self,
        router: Router,
        sources: Mapping[str, SourceRuntime],
        *,
        route_of: Callable[[RouteKey], Route],
        clock: Clock,
        deadline_s: float,
        bars_deadline_s: float,
    ) -> None:
        self._router = router
        self._sources = sources
        self._route_of = route_of
        self._now = clock.now
        self._wall = clock.wall
        self._deadline_s = deadline_s
        self._bars_deadline_s = bars_deadline_s
        self._quotes: Coalescer[Quote] = Coalescer()
        self._bars: Coalescer[BarsAnswer] = Coalescer()

    def use(self, *, deadline_s: float, bars_deadline_s: float) -> None:
        """Go by other deadlines from now on, in seconds."""
        self._deadline_s, self._bars_deadline_s = deadline_s, bars_deadline_s

    async def quote(self, item: str | Instrument, source: str | None, deadline_s: float | None) -> Quote:
        """One quote."""
        instrument = as_instrument(item)
        deadline = self._now() + (self._deadline_s if deadline_s is None else deadline_s)
        route = self._route_of(RouteKey(Capability.QUOTE, instrument.exchange))
        only = self._only(route, source)

        async def ask() -> Quote:
            request = QuoteRequest((instrument,))
            found, unit, decision = await self._router.call(route, request, deadline=deadline, only=only)
            return _signed(found[instrument], unit, decision)

        return await self._together(self._quotes, (instrument, source), route, str(instrument), deadline, ask)

    async def quotes(
        self, items: Iterable[str | Instrument], source: str | None, deadline_s: float | None
    ) -> dict[str, Quote]:
        """Many quotes, exchange by exchange, side by side."""
        asked = list(dict.fromkeys(as_instrument(item) for item in items))
        by_exchange: dict[str, list[Instrument]] = {}
        for instrument in asked:
            by_exchange.setdefault(instrument.exchange, []).append(instrument)
        deadline = self._now() + (self._deadline_s if deadline_s is None else deadline_s)
        results = await asyncio.gather(
            *(self._quotes_of(group, source, deadline) for group in by_exchange.values()),
            return_exceptions=True,
        )
        found: dict[Instrument, Quote] = {}
        failure: AllSourcesFailedError | None = None
        for result in results:
            if isinstance(result, AllSourcesFailedError):
                failure = failure or result
            elif isinstance(result, BaseException):
                raise result
            else:
                found.update(result)
        if failure is not None and not found:
            raise failure
        return {str(item): found[item] for item in asked if item in found}

    async def _quotes_of(
        self, instruments: list[Instrument], source: str | None, deadline: float
    ) -> dict[Instrument, Quote]:
        """The quotes of one exchange: what one source does not know is asked of the others, one by one."""
        route = self._route_of(RouteKey(Capability.QUOTE, instruments[0].exchange))
        only = self._only(route, source)
        found, unit, decision = await self._router.call(
            route, QuoteRequest(tuple(instruments)), deadline=deadline, only=only
        )
        quotes = {instrument: _signed(quote, unit, decision) for instrument, quote in found.items()}
        others = () if only is not None else tuple(other for other in route.order if other is not unit)
        while others:
            missing = tuple(instrument for instrument in instruments if instrument not in quotes)
            if not missing:
                break
            try:
                found, unit, decision = await self._router.call(
                    route, QuoteRequest(missing), deadline=deadline, among=others
                )
            except AllSourcesFailedError:
                break  # what nobody knows is absent from the answer
            quotes |= {instrument: _signed(quote, unit, decision) for instrument, quote in found.items()}
            others = others[others.index(unit) + 1 :]
        return quotes

    async def bars(
        self,
        item: str | Instrument,
        interval: str | Interval,
        span: tuple[datetime, datetime],
        source: str | None,
        deadline_s: float | None,
    ) -> BarsAnswer:
        """Bars as columns."""
        instrument = as_instrument(item)
        start, end = span
        if start.tzinfo is None or end.tzinfo is None:
            raise InvalidRequest("start and end need a time zone, as datetime(2026, 1, 2, tzinfo=UTC)")
        if start >= end:
            raise InvalidRequest(
                f"the start {start:%Y-%m-%d %H:%M} is not before the end {end:%Y-%m-%d %H:%M}"
            )
        request = BarsRequest(instrument, Interval.parse(interval), _epoch_ns(start), _epoch_ns(end))
        call = BarsCall(request)
        deadline = self._now() + (self._bars_deadline_s if deadline_s is None else deadline_s)
        route = self._route_of(RouteKey(Capability.BARS, instrument.exchange))
        only = self._only(route, source)

        async def ask() -> BarsAnswer:
            bars, unit, decision = await self._router.call(route, call, deadline=deadline, only=only)
            return BarsAnswer(bars, unit.name, decision)

        return await self._together(self._bars, (request, source), route, call.subject, deadline, ask)

    async def _together(
        self,
        flights: Coalescer[T],
        key: tuple[object, ...],
        route: Route,
        subject: str,
        deadline: float,
        call: Callable[[], Awaitable[T]],
    ) -> T:
        """One call for all that ask the same at the same time."""
        try:
            return await flights.run(key, call, deadline=deadline, now=self._now)
        except TimeoutError:
            decision = Decision(0, route.text, subject, self._wall(), 0.0, None, ())
            raise AllSourcesFailedError(
                f"the call for {subject} that this one shared was not answered by its deadline",
                decision=decision,
            ) from None

    def _only(self, route: Route, source: str | None) -> Unit | None:
        if source is None:
            return None
        runtime = self._sources.get(source)
        if runtime is None:
            raise UnknownSourceError(f"there is no source {source!r}; known are {', '.join(self._sources)}")
        unit = runtime.units.get(route.key.capability)
        if unit is None:
            raise InvalidRequest(f"{source} does not serve {route.key.capability.value}")
        return unit


def _signed(quote: Quote, unit: Unit, decision: Decision) -> Quote:
    """The quote with its source and decision. It is fresh from the decoder, and nobody else has it yet."""
    msgspec.structs.force_setattr(quote, "source", unit.name)
    msgspec.structs.force_setattr(quote, "decision", decision)
    return quote


def _epoch_ns(moment: datetime) -> int:
    """UTC nanoseconds since the epoch, exact to the microsecond."""
    return (moment - _EPOCH) // _MICROSECOND * 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
