"""Identical concurrent requests share one call."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Coalescer(Generic[T]):
    """The first of several identical requests makes the call, the others take its answer or its failure.

    A caller that is alone pays for one dictionary entry. Nobody suffers for
    another's impatience: when the one that makes the call is cancelled, or its
    deadline ends it, the next one makes the call.
    """

    __slots__ = ("_flights",)

    def __init__(self) -> None:
        self._flights: dict[Hashable, list[asyncio.Future[T]] | None] = {}
        """By key: the followers' seats, None while there are none. A cancelled seat says: try yourself."""

    async def run(
        self, key: Hashable, call: Callable[[], Awaitable[T]], *, deadline: float, now: Callable[[], float]
    ) -> T:
        """The answer of `call()`, or of the identical call that is under way.

        Raises TimeoutError for a follower whose deadline (monotonic) passes first.
        """
        flights = self._flights
        while key in flights:
            seat = self._take_seat(key)
            async with asyncio.timeout(max(0.0, deadline - now())):
                await asyncio.wait((seat,))
            if not seat.cancelled():
                return seat.result()
        flights[key] = None
        try:
            answer = await call()
        except Exception as error:
            hasty = now() >= deadline
            for seat in self._seats(key):
                if hasty:
                    seat.cancel()
                else:
                    seat.set_exception(error)
                    seat.exception()
            raise
        except BaseException:
            for seat in self._seats(key):
                seat.cancel()
            raise
        if flights[key] is None:
            del flights[key]
        else:
            for seat in self._seats(key):
                seat.set_result(answer)
        return answer

    def _take_seat(self, key: Hashable) -> asyncio.Future[T]:
        seats = self._flights[key]
        if seats is None:
            seats = self._flights[key] = []
        seat: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        seats.append(seat)
        return seat

    def _seats(self, key: Hashable) -> list[asyncio.Future[T]]:
        """Clear the flight; the seats of those who still wait."""
        return [seat for seat in self._flights.pop(key) or () if not seat.done()]
