"""How many requests one source may have in flight, and who waits for the next place.

Waiting for a place is nobody's illness: it happens before the breaker's permit
and before the stopwatch, so that a burst of our own callers is never taken for
a slow source.
"""

import asyncio
from collections import deque


class Seats:
    """A counter with a queue, first come first served. Belongs to one event loop."""

    __slots__ = ("_waiting", "capacity", "taken")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.taken = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        """Futures of those who wait: True when they get a place, False when their time is over."""

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    def take_at_once(self) -> bool:
        """Take a place if one is free."""
        if self.taken < self.capacity:
            self.taken += 1
            return True
        return False

    async def take(self, longest_s: float) -> bool:
        """Take a place, waiting at most `longest_s` seconds for it. False if none came free."""
        loop = asyncio.get_running_loop()
        seat: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(seat)
        timer = loop.call_later(longest_s, self._give_up, seat)
        try:
            return await seat
        except asyncio.CancelledError:
            if seat.cancelled():
                self._forget(seat)
            elif seat.result():
                self.release()
            raise
        finally:
            timer.cancel()

    def release(self) -> None:
        """Give a place back: to the one that has waited longest, if anyone has."""
        while self._waiting:
            seat = self._waiting.popleft()
            if not seat.done():
                seat.set_result(True)
                return
        self.taken -= 1

    def _give_up(self, seat: "asyncio.Future[bool]") -> None:
        if not seat.done():
            seat.set_result(False)
            self._forget(seat)

    def _forget(self, seat: "asyncio.Future[bool]") -> None:
        if seat in self._waiting:
            self._waiting.remove(seat)
