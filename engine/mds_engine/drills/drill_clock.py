"""The time of a drill: the machine's or faster, over sockets that are as real as ever."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

_STEP_S = 0.01
_LONGEST_STEP_S = 0.03
"""On this clock. What passes beyond it between two turns of the loop counts only as far as the process itself
was at work: on a loaded machine it waits for its turn, and that is not what is rehearsed."""
_AHEAD_S = 3600.0
"""The engine holds its callers' deadlines against the loop's clock: one that fell behind it would end every
call at once."""


_BEGINS_AT_S = datetime(2026, 3, 4, 6, 0, tzinfo=UTC).timestamp()
"""A Wednesday on which every exchange trades. The simulated market is a function of its time: the same seed
is the same market only at the same time, and one that happens to stand still rehearses no frozen price."""


class DrillClock:
    """A clock that runs `pace` times as fast as the machine's, and stands still while the process does.

    So an hour's habits are learned in minutes, and a loaded machine makes a
    drill longer, not another one. Time passes within `async with`; who still
    sleeps at its end is not woken.
    """

    __slots__ = (
        "_due",
        "_epoch_s",
        "_machine",
        "_now",
        "_numbers",
        "_pace",
        "_stepped_at",
        "_stepping",
        "_work",
        "_worked_s",
    )

    def __init__(
        self,
        pace: float = 1.0,
        machine: Callable[[], float] = time.monotonic,
        work: Callable[[], float] = time.process_time,
    ) -> None:
        """`machine` gives monotonic seconds, `work` the seconds that this process was at work so far."""
        self._pace = pace
        self._machine = machine
        self._work = work
        self._stepped_at = machine()
        self._worked_s = work()
        self._now = self._stepped_at + _AHEAD_S
        self._epoch_s = _BEGINS_AT_S - self._now
        self._stepping: asyncio.Task[None] | None = None
        self._due: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def __aenter__(self) -> Self:
        self._stepped_at, self._worked_s = self._machine(), self._work()
        self._stepping = asyncio.create_task(self._step_on(), name="clock of a drill")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stepping is not None:
            self._stepping.cancel()
            await asyncio.gather(self._stepping, return_exceptions=True)

    def now(self) -> float:
        """Monotonic seconds of this clock."""
        passed_s = self._machine() - self._stepped_at
        if passed_s * self._pace <= _LONGEST_STEP_S:
            return self._now + passed_s * self._pace
        # An engine that holds up its own loop is not let off.
        return self._now + max(_LONGEST_STEP_S, min(passed_s, self._work() - self._worked_s))

    def wall(self) -> float:
        """Epoch seconds, UTC: of a day long chosen, the same for every drill."""
        return self.now() + self._epoch_s

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._due, (self.now() + seconds, next(self._numbers), woken))
        await woken

    async def _step_on(self) -> None:
        while True:
            self._now, self._stepped_at, self._worked_s = self.now(), self._machine(), self._work()
            while self._due and self._due[0][0] <= self._now:
                woken = heapq.heappop(self._due)[2]
                if not woken.done():
                    woken.set_result(None)
            await asyncio.sleep(_STEP_S / self._pace)
