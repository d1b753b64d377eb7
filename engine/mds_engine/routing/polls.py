"""One source that is polled in place of a stream: when it is asked, in whose turn, and the asking itself."""

import asyncio
from collections.abc import Callable, Collection
from math import inf

from mds_engine.errors import NotFound, Throttled, Unavailable
from mds_engine.model import Capability, Instrument, Quote
from mds_engine.policy.limiter_settings import LimitWindow
from mds_engine.policy.pace import polling_pace_s
from mds_engine.routing.requests import QuoteRequest
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import RequestCost

_LOOK_AGAIN_S = 1.0
"""What forbids a poll now is looked at again after so long."""
_MOST_REMEMBERED = 10_000
"""Instruments whose last poll is known: a new stream goes on with the round where the last one was."""
_PATIENCE_S = 60.0
"""Polls give way to calls for so long, or for two of their own paces."""


class Polls:
    """Asks one source at its pace, for as long as the engine lives: streams come and go, the pace stays.

    A poll takes the same way as a call: blocks, breakers, a place in the
    connection pool, the limiter, the plan. It leaves a place to calls, where
    there are two or more, and takes no turn of the limiter while one waits.
    """

    def __init__(self, runtime: SourceRuntime, unit: Unit) -> None:
        """`unit` is that of its ticks: what becomes of polls says nothing of its quotes' breaker."""
        self.name = runtime.name
        self.clock = runtime.clock
        self.trades: Callable[[str], bool] = _always
        """Whether an exchange trades now: what is closed is asked once, and then left alone."""
        self._runtime = runtime
        self._unit = unit
        self._last_at = -inf
        self._not_before = -inf
        self._kept_since: float | None = None
        self._asked: dict[Instrument, float] = {}

    # --- When, and whom -------------------------------------------------------------------------------

    @property
    def pace_s(self) -> float:
        """Seconds between two polls as things stand; infinite if none may be sent any more today."""
        runtime = self._runtime
        if runtime.settings.pace_s is not None:
            return runtime.settings.pace_s
        cost = self._cost(runtime.source.quotes_at_once)
        windows = [
            LimitWindow(use.limit, use.window_s)
            for use in runtime.limiters[cost.group].used(self.clock.now())
        ]
        day = runtime.account.day(self.clock.wall()) if cost.counted else None
        return polling_pace_s(windows, cost.weight, day, paid=runtime.account.paid)

    @property
    def due_in_s(self) -> float:
        """Seconds until the next poll is due, at least 0: on the vendor's next day if that is so."""
        pace_s, now = self.pace_s, self.clock.now()
        if pace_s == inf:
            day = self._runtime.account.day(self.clock.wall())
            return 0.0 if day is None else day.rest_s
        return max(0.0, self._last_at + pace_s - now, self._not_before - now)

    @property
    def refusal(self) -> str:
        """Why it is not polled at all now; empty if it is."""
        day = self._runtime.account.day(self.clock.wall()) if self.pace_s == inf else None
        if day is None or not day.is_over:
            return ""
        return "its polls of today are used; the rest of the plan is kept for calls"

    def turn(self, subscribed: Collection[Instrument]) -> tuple[Instrument, ...]:
        """Who is asked for next: those whose last poll is the longest ago; nobody if all their markets are
        closed, and all were asked for before."""
        if len(self._asked) > _MOST_REMEMBERED:
            self._asked = {one: at for one, at in self._asked.items() if one in subscribed}
        trading = {exchange: self.trades(exchange) for exchange in {one.exchange for one in subscribed}}
        waiting = [one for one in subscribed if one not in self._asked or trading[one.exchange]]
        waiting.sort(key=lambda one: (self._asked.get(one, -inf), one))
        return tuple(waiting[: self._runtime.source.quotes_at_once])

    # --- Asking ---------------------------------------------------------------------------------------

    async def ask(
        self, instruments: tuple[Instrument, ...], *, permitted: bool = False
    ) -> dict[Instrument, Quote] | None:
        """One poll; None if it must wait, and then `due_in_s` says for how long.

        `permitted` says that the caller holds the breakers' permit, and books
        what comes of it. Else a good answer is booked here; a failure is left
        to whoever owns the stream, which it ends. Raises a SourceError.
        """
        runtime, now = self._runtime, self.clock.now()
        if runtime.refusal():
            self._not_before = now + _LOOK_AGAIN_S
            return None
        cost = self._cost(len(instruments))
        limiter = runtime.limiters[cost.group]
        wait_s = limiter.wait_s(cost.weight, now)
        seats = runtime.seats
        if wait_s > 0 or seats.taken > max(0, seats.capacity - 2):
            self._give_way(wait_s, now)
            return None
        seats.take_at_once()
        try:
            permit = None if permitted else runtime.acquire(self._unit, now)
            if permit is None and not permitted:
                self._not_before = now + _LOOK_AGAIN_S
                return None
            limiter.reserve(cost.weight, now, 0.0)
            self._last_at, self._kept_since = now, None
            self._asked.update(dict.fromkeys(instruments, now))
            if cost.counted:
                runtime.spending.count()
            answered = False
            try:
                quotes = await self._send(instruments)
                answered = True
            except Unavailable as error:
                if error.unreachable and cost.counted:
                    runtime.spending.take_back()
                raise
            finally:
                then = self.clock.now()
                if permit is not None and answered:
                    runtime.booking.succeeded(self._unit, permit, then, then - now)
                elif permit is not None:
                    runtime.booking.ignored(self._unit, permit, then)
            return quotes
        finally:
            seats.release()

    async def _send(self, instruments: tuple[Instrument, ...]) -> dict[Instrument, Quote]:
        request, timeout_s = QuoteRequest(instruments), self._runtime.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                quotes = await request.send(self._runtime.source)
            request.verify(quotes)
        except NotFound as error:
            if error.local and self._cost(len(instruments)).counted:
                self._runtime.spending.take_back()
            return {}
        except TimeoutError as error:
            raise Unavailable(f"no answer to a poll within {timeout_s:g} s") from error
        return quotes

    def _give_way(self, wait_s: float, now: float) -> None:
        """Calls have taken all that the source allows now. Raises Throttled when that goes on for long."""
        self._not_before = now + max(_LOOK_AGAIN_S, wait_s)
        if self._kept_since is None:
            self._kept_since = now
        pace_s = self.pace_s
        if now - self._kept_since > max(_PATIENCE_S, 2.0 * pace_s):
            self._kept_since = None
            raise Throttled("calls leave no room for its polls", retry_after_s=pace_s, local=True)

    def _cost(self, instruments: int) -> RequestCost:
        return self._runtime.source.cost(Capability.QUOTE, instruments)


def _always(_exchange: str) -> bool:
    return True
