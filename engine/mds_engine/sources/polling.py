"""Live ticks of a vendor that has no stream: its quotes, asked for again and again.

A source opts in by `polls = True`. The engine does the rest: when it may be
asked, in whose turn, and what that takes from its limits and its plan.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from mds_engine.clock import Clock
from mds_engine.model import Instrument, Quote, Tick, TickFlag, TickKind
from mds_engine.sources.contract import Deliver, TickStream

_LOOK_AGAIN_S = 10.0
"""The pace changes with what is left of the plan, and markets open: so it is looked at this often."""
_SOONEST_S = 0.001


class Asking(Protocol):
    """What the engine lends to the streams of one polled source."""

    name: str
    clock: Clock

    @property
    def due_in_s(self) -> float:
        """Seconds until the next poll is due, at least 0."""
        ...

    def turn(self, subscribed: Collection[Instrument]) -> tuple[Instrument, ...]:
        """Who is asked for next; nobody if nothing can have changed."""
        ...

    async def ask(
        self, instruments: tuple[Instrument, ...], *, permitted: bool = False
    ) -> dict[Instrument, Quote] | None:
        """One poll; None if it must wait. `permitted` says that the breakers were asked already. Those that
        the vendor does not know are missing from the answer. Raises a SourceError."""
        ...


class PollingStream(TickStream):
    """Polls as a stream: it ends with the first poll that fails, as a connection does."""

    def __init__(self, asking: Asking, deliver: Deliver) -> None:
        self._asking = asking
        self._clock = asking.clock
        self._deliver = deliver
        self._subscribed: set[Instrument] = set()
        self._last: dict[Instrument, Tick] = {}
        self._first: list[Tick] | None = None
        self._unknown: set[Instrument] = set()
        self._told_unknown: set[Instrument] = set()

    async def open(self) -> None:
        """There is nothing to connect to: the first poll, in `subscribe`, shows if the vendor answers."""

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        """Take these into the round. The first time, polls at once if a poll is due. Raises a SourceError."""
        self._subscribed.update(instruments)
        if self._first is None:
            self._first = []
            if turn := self._turn():
                self._first = await self._poll(turn, permitted=True)

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        """Ask for them no more."""
        for instrument in instruments:
            self._subscribed.discard(instrument)
            self._last.pop(instrument, None)
            self._unknown.discard(instrument)
            self._told_unknown.discard(instrument)

    async def run(self) -> None:
        """Poll at the source's pace until a poll fails, which raises its SourceError."""
        if self._first:
            self._deliver(self._first)
        while True:
            due_in_s = self._asking.due_in_s or _LOOK_AGAIN_S
            await self._clock.sleep(min(_LOOK_AGAIN_S, max(_SOONEST_S, due_in_s)))
            if (turn := self._turn()) and (ticks := await self._poll(turn)):
                self._deliver(ticks)

    async def close(self) -> None:
        """There is nothing to give back."""

    def newly_unknown(self) -> frozenset[Instrument]:
        """Those that the vendor does not have: they are asked for no more."""
        new = self._unknown - self._told_unknown
        self._told_unknown |= new
        return frozenset(new)

    def _turn(self) -> tuple[Instrument, ...]:
        """Who is asked for now; nobody if no poll is due."""
        return () if self._asking.due_in_s else self._asking.turn(self._subscribed - self._unknown)

    async def _poll(self, instruments: tuple[Instrument, ...], *, permitted: bool = False) -> list[Tick]:
        """Those of these quotes that have changed."""
        quotes = await self._asking.ask(instruments, permitted=permitted)
        if quotes is None:
            return []
        self.last_frame_at = self._clock.now()
        received_ns = int(self._clock.wall() * 1e9)
        ticks = []
        for instrument in instruments:
            quote = quotes.get(instrument)
            if quote is None:
                self._unknown.add(instrument)
            elif (tick := _tick(quote, self._asking.name)) != self._last.get(instrument):
                self._last[instrument] = tick
                ticks.append(msgspec.structs.replace(tick, received_ns=received_ns))
        return ticks


def _tick(quote: Quote, source: str) -> Tick:
    return Tick(
        instrument=quote.instrument,
        kind=TickKind.QUOTE,
        price=quote.price,
        time_ns=quote.time_ns,
        volume=quote.volume,
        bid=quote.bid,
        bid_size=quote.bid_size,
        ask=quote.ask,
        ask_size=quote.ask_size,
        open=quote.open,
        high=quote.high,
        low=quote.low,
        previous_close=quote.previous_close,
        open_interest=quote.open_interest,
        source=source,
        flags=int(TickFlag.POLLED),
    )
