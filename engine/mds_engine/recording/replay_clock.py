"""A clock that shows a recording's time."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable


class ReplayClock:
    """Runs `rate` times as fast as real time, can be moved forward, and can be stopped. A `Clock`.

    Wall and monotonic time go together, so that ages are what they were. Every
    sleep on it ends when it has come so far, however it came there.
    """

    def __init__(self, wall: float, *, rate: float = 1.0, real: Callable[[], float] = time.monotonic) -> None:
        """`wall` is the time that it shows first, epoch seconds."""
        self._real = real
        self._rate = rate
        self._real_then = real()
        self._then = self._real_then
        self._offset = wall - self._then
        self._running = True
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Monotonic seconds of the recording."""
        if not self._running:
            return self._then
        return self._then + (self._real() - self._real_then) * self._rate

    def wall(self) -> float:
        """The recording's time, epoch seconds UTC."""
        return self.now() + self._offset

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has gone on for so many seconds. On a stopped clock: never."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now() + seconds, next(self._numbers), woken))
        self._set_timer()
        await woken

    def show(self, wall: float) -> None:
        """Let the wall time be `wall`, while monotonic time goes on as it did."""
        self._offset = wall - self.now()

    def move_to(self, wall: float) -> None:
        """Go forward to `wall` at once; a clock that is past it stays."""
        ahead = wall - self.wall()
        if ahead > 0:
            self._then, self._real_then = self.now() + ahead, self._real()
            if self._sleepers and self._sleepers[0][0] <= self._then:
                self._wake()

    def stop(self) -> None:
        """Stand still from now on."""
        self._then, self._running = self.now(), False
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sleepers and self._running:
            wait_s = max(0.0, self._sleepers[0][0] - self.now()) / self._rate
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def _wake(self) -> None:
        now = self.now()
        while self._sleepers and (self._sleepers[0][0] <= now or self._sleepers[0][2].done()):
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
        self._set_timer()
