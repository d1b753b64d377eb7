"""What is asked of a source: one small value per kind of call."""

import math
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from mds_engine.errors import InvalidPayload, NotFound
from mds_engine.model import Bars, Capability, Instrument, Quote
from mds_engine.sources.contract import BarsRequest, Source

T = TypeVar("T")


class Request(Protocol[T]):
    """One question that any source of a route could answer."""

    capability: Capability
    units: int
    """How many instruments it asks for: what the limiter's cost is reckoned from."""
    subject: str
    """What is asked for, in an operator's words."""
    own_timeout: bool
    """Whether one attempt is bounded by the source's timeout as a whole. Where an answer takes
    several HTTP requests, each of them is bounded instead, by the source itself."""

    def send(self, source: Source) -> Awaitable[T]:
        """Ask one source."""
        ...

    def verify(self, answer: T) -> None:
        """Raise NotFound for an empty answer, InvalidPayload for an impossible one."""
        ...

    def probe(self) -> "Request[T]":
        """The same question made as cheap as it can be, to find out whether a source is well."""
        ...


class QuoteRequest:
    """The latest quotes of some instruments of one exchange."""

    __slots__ = ("instruments", "subject", "units")

    capability = Capability.QUOTE
    own_timeout = True

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self.instruments = instruments
        self.units = units = len(instruments)
        exchange, symbol = instruments[0]
        self.subject = f"{exchange}:{symbol}" if units == 1 else f"{exchange}:{symbol} +{units - 1}"

    def send(self, source: Source) -> Awaitable[dict[Instrument, Quote]]:
        """Ask one source for them."""
        return source.quotes(self.instruments)

    def verify(self, answer: dict[Instrument, Quote]) -> None:
        """Refuse an answer without what was asked for, and prices that are no numbers."""
        if self.instruments[0] not in answer and not any(item in answer for item in self.instruments):
            raise NotFound(f"has no quote for {self.subject}")
        for quote in answer.values():
            if not math.isfinite(quote.price):
                raise InvalidPayload(f"the price of {quote.instrument} is {quote.price}")

    def probe(self) -> "QuoteRequest":
        """One instrument will do."""
        return QuoteRequest(self.instruments[:1])


class BarsCall:
    """Bars of one instrument in a span."""

    __slots__ = ("request", "subject")

    capability = Capability.BARS
    units = 1
    own_timeout = False

    def __init__(self, request: BarsRequest) -> None:
        self.request = request
        self.subject = f"{request.instrument} {request.interval.value}"

    def send(self, source: Source) -> Awaitable[Bars]:
        """Ask one source for them."""
        return source.bars(self.request)

    def verify(self, answer: Bars) -> None:
        """Refuse an empty answer, times that do not ascend, and a high below a low."""
        if not len(answer):
            raise NotFound(f"has no bars of {self.subject} in that span")
        if (answer.time_ns[1:] <= answer.time_ns[:-1]).any():
            raise InvalidPayload(f"the times of {self.subject} do not ascend")
        if (answer.high < answer.low).any():
            raise InvalidPayload(f"a bar of {self.subject} has its high below its low")

    def probe(self) -> "BarsCall":
        """The last bars of the span will do."""
        request = self.request
        shortest_ns = 10 * request.interval.seconds * 1_000_000_000
        return BarsCall(request._replace(start_ns=max(request.start_ns, request.end_ns - shortest_ns)))
