"""Identical concurrent requests share one call."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

_MUCH = 2.0
"""A follower with more than so many times the time that the caller had calls again itself."""


class _Seat(Generic[T]):
    """One follower: what it waits for, and until when."""

    __slots__ = ("deadline", "future")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()


class Coalescer(Generic[T]):
    """The first of several identical requests makes the call, the others take its answer or its failure.

    A caller that is alone pays for one dictionary entry. Nobody suffers for
    another's impatience: when the one that makes the call is cancelled, or
    fails having had much less time than a follower has left, the next one
    makes the call.
    """

    __slots__ = ("_flights",)

    def __init__(self) -> None:
        self._flights: dict[Hashable, list[_Seat[T]] | None] = {}
        """By key: the followers, None while there are none. A cancelled seat says: try yourself."""

    async def run(
        self, key: Hashable, call: Callable[[], Awaitable[T]], *, deadline: float, now: Callable[[], float]
    ) -> T:
        """The answer of `call()`, or of the identical call that is under way.

        Raises TimeoutError for a follower whose deadline (monotonic) passes first.
        """
        flights = self._flights
        while key in flights:
            seat = self._take_seat(key, deadline)
            async with asyncio.timeout(max(0.0, deadline - now())):
                await asyncio.wait((seat.future,))
            if not seat.future.cancelled():
                return seat.future.result()
        flights[key] = None
        began = now()
        try:
            answer = await call()
        except Exception as error:
            self._fail(key, error, patient_until=now() + _MUCH * (deadline - began))
            raise
        except BaseException:
            for seat in self._seats(key):
                seat.future.cancel()
            raise
        if flights[key] is None:
            del flights[key]
        else:
            for seat in self._seats(key):
                seat.future.set_result(answer)
        return answer

    def _fail(self, key: Hashable, error: Exception, *, patient_until: float) -> None:
        """Share a failure with those who had hardly more time than the one who met it."""
        for seat in self._seats(key):
            if seat.deadline > patient_until:
                seat.future.cancel()
            else:
                seat.future.set_exception(error)
                seat.future.exception()  # whoever waits will see it; nobody need be told that it was not

    def _take_seat(self, key: Hashable, deadline: float) -> _Seat[T]:
        seats = self._flights[key]
        if seats is None:
            seats = self._flights[key] = []
        seat: _Seat[T] = _Seat(deadline)
        seats.append(seat)
        return seat

    def _seats(self, key: Hashable) -> list[_Seat[T]]:
        """Clear the flight; the seats of those who still wait."""
        return [seat for seat in self._flights.pop(key) or () if not seat.future.done()]
