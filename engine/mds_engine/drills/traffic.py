"""Real callers: they ask at a steady pace, whatever becomes of the calls before."""

import asyncio
import itertools
import math
from collections.abc import Sequence

import msgspec

from mds_engine.clock import Clock
from mds_engine.drills.scorecard import Calls
from mds_engine.engine import Engine
from mds_engine.errors import AllSourcesFailedError, MdsError


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call as its caller saw it."""

    began_at: float
    """Epoch seconds."""
    took_ms: float
    source: str | None
    """None if it failed."""
    error: MdsError | None = None
    expected_to_fail: bool = False


class Traffic:
    """Calls `engine.quote` for one instrument after the other, `per_s` times a second."""

    def __init__(self, engine: Engine, clock: Clock, instruments: Sequence[str], per_s: float) -> None:
        self.calls: list[CallRecord] = []
        self._engine = engine
        self._clock = clock
        self._instruments = itertools.cycle(instruments)
        self._per_s = per_s
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, for_s: float) -> None:
        """Call for so many seconds; does not wait for the last calls."""
        began = self._clock.now()
        for number in itertools.count():
            due = began + number / self._per_s
            if due >= began + for_s:
                break
            await self._clock.sleep(max(0.0, due - self._clock.now()))
            self.call(next(self._instruments))

    def call(self, instrument: str, *, expected_to_fail: bool = False) -> None:
        """Make one call beside the others."""
        task = asyncio.create_task(self._call(instrument, expected_to_fail))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Wait for the calls that are under way."""
        while self._running:
            await asyncio.gather(*self._running)

    async def _call(self, instrument: str, expected_to_fail: bool) -> None:
        began, wall = self._clock.now(), self._clock.wall()
        source, failure = None, None
        try:
            source = (await self._engine.quote(instrument)).source
        except MdsError as error:
            failure = error
        self.calls.append(
            CallRecord(
                began_at=wall,
                took_ms=(self._clock.now() - began) * 1000.0,
                source=source,
                error=failure,
                expected_to_fail=expected_to_fail,
            )
        )

    def between(self, start: float, end: float) -> list[CallRecord]:
        """Calls that began in [start, end), epoch seconds."""
        return [call for call in self.calls if start <= call.began_at < end]

    @property
    def failures(self) -> list[CallRecord]:
        """Calls that failed although they should not have."""
        return [call for call in self.calls if call.error is not None and not call.expected_to_fail]

    @property
    def total_failures(self) -> list[AllSourcesFailedError]:
        """The errors that name every attempt."""
        return [call.error for call in self.calls if isinstance(call.error, AllSourcesFailedError)]

    def summary(self) -> Calls:
        """Counts and quantiles of all calls."""
        ok = [call for call in self.calls if call.error is None]
        return Calls(
            total=len(self.calls),
            ok=len(ok),
            failed=len(self.calls) - len(ok),
            p50_ms=quantile_ms(ok, 0.5),
            p99_ms=quantile_ms(ok, 0.99),
        )


def quantile_ms(calls: Sequence[CallRecord], q: float) -> float | None:
    """The quantile of the calls' durations, None without calls."""
    if not calls:
        return None
    durations = sorted(call.took_ms for call in calls)
    return round(durations[max(0, math.ceil(q * len(durations)) - 1)], 3)
