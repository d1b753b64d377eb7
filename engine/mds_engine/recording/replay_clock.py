"""A clock that shows a recording's time."""

import asyncio
import heapq
import itertools

_BEGIN = 1000.0
"""Monotonic time at the first frame: the same in every replay, and not 0.0, which is "never" in places."""


class ReplayClock:
    """Stands still until it is moved on, from one thing that happens to the next. A `Clock`.

    Wall and monotonic time go together, so that ages are what they were. Every
    sleep on it ends when it has come so far, and at no other time than that if
    it is never moved past `next_alarm`: so a replay goes the same way each time,
    however fast it goes.
    """

    def __init__(self, first_ns: int) -> None:
        """`first_ns` is the time that it shows first, UTC nanoseconds."""
        self._first_ns = first_ns
        self._now = _BEGIN
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Monotonic seconds of the recording."""
        return self._now

    def wall(self) -> float:
        """The recording's time, epoch seconds UTC."""
        return self._now - _BEGIN + self._first_ns / 1e9

    def when(self, wall: float) -> float:
        """The monotonic time of a wall time in epoch seconds."""
        return wall - self._first_ns / 1e9 + _BEGIN

    def when_ns(self, wall_ns: int) -> float:
        """The monotonic time of a wall time in nanoseconds, as exactly as can be."""
        return (wall_ns - self._first_ns) / 1e9 + _BEGIN

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been moved on by so many seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._numbers), woken))
        await woken

    @property
    def next_alarm(self) -> float:
        """The monotonic time at which the first sleep ends; infinite while nobody sleeps."""
        sleepers = self._sleepers
        while sleepers and sleepers[0][2].done():
            heapq.heappop(sleepers)
        return sleepers[0][0] if sleepers else float("inf")

    def move_to(self, now: float) -> None:
        """Go forward to a monotonic time, and end every sleep until then; a clock that is past it stays."""
        self._now = max(self._now, now)
        sleepers = self._sleepers
        while sleepers and sleepers[0][0] <= self._now:
            woken = heapq.heappop(sleepers)[2]
            if not woken.done():
                woken.set_result(None)
