"""Active health checks: finds out that a source is ill before a caller does, and that it is well again."""

import asyncio
from typing import Any

from mds_engine.clock import Clock
from mds_engine.errors import InvalidPayload, InvalidRequest, NotFound, SourceError, Throttled, Unavailable
from mds_engine.log import get_logger
from mds_engine.model import Capability
from mds_engine.policy.breaker import BreakerState
from mds_engine.routing.deadlines import Deadline, DeadlineSweeper
from mds_engine.routing.requests import Request
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import RequestCost, Source

_log = get_logger(__name__)


_CHECK_GROUP = RequestCost().group
"""What checks are paid from, where a vendor has it; else from its first group."""

_FIRST_AFTER_S = 1.0
"""An engine that lives no longer, as one verb's, has real calls to learn from and checks nobody."""


class Caretaker:
    """Checks each source in turns: seldom while all is well, often while there is doubt.

    A source whose plan is metered is checked only while it is out, and never
    often: its calls are the operator's money.
    """

    def __init__(self, *, clock: Clock, sweeper: DeadlineSweeper) -> None:
        self._clock = clock
        self._sweeper = sweeper

    async def watch(self, runtime: SourceRuntime) -> None:
        """Check one source for ever, soon for the first time. Ends only by cancellation."""
        wait_s = min(_FIRST_AFTER_S, runtime.health.settings.interval_s)
        while True:
            await self._clock.sleep(wait_s)
            await runtime.until_connected(runtime.timeout_s)
            if self._needs_check(runtime):
                try:
                    await self.check(runtime)
                except SourceError as error:
                    _log.info("check_failed", source=runtime.name, why=error.message)
            wait_s = runtime.health.next_check_in_s(self._clock.now())
            if runtime.is_metered:
                wait_s = max(wait_s, runtime.health.settings.interval_s)

    def _needs_check(self, runtime: SourceRuntime) -> bool:
        if not runtime.blocks.keys() <= {"login"}:
            return False
        now = self._clock.now()
        if self._in_doubt(runtime, now) or runtime.blocks:
            return True
        if runtime.is_metered:
            return False
        if runtime.last_good_at is None:
            return True
        if now - runtime.last_good_at < runtime.health.settings.interval_s:
            runtime.health.check_passed(now)
            return self._owes_proof(runtime)
        return True

    def _owes_proof(self, runtime: SourceRuntime) -> bool:
        """Whether a capability was not good often enough to be given its routes back: ticks that flow prove
        nothing for calls that go elsewhere."""
        return any(
            unit.recovery.good_checks < unit.recovery.settings.good_checks
            for unit in runtime.units.values()
            if unit.capability is not Capability.TICKS
        )

    def _in_doubt(self, runtime: SourceRuntime, now: float) -> bool:
        return any(
            breaker.state(now) in _DOUBTFUL
            for breaker in (runtime.whole, *(unit.breaker for unit in runtime.units.values()))
        )

    async def check(self, runtime: SourceRuntime) -> None:
        """One check now; a good one is followed by a probe of each capability that is in doubt.

        Raises the SourceError of a failed check, after it is booked.
        """
        started = self._clock.now()
        try:
            await self._ask(runtime, runtime.source.check())
        except (Throttled, InvalidRequest) as error:
            if isinstance(error, Throttled) and not error.local:
                groups = runtime.limiters
                group = _CHECK_GROUP if _CHECK_GROUP in groups else next(iter(groups))
                runtime.booking.throttled(error, group, self._clock.now())
            raise
        except SourceError as error:
            self._book_failure(runtime, error, started)
            raise
        now = self._clock.now()
        runtime.unblock("login")
        runtime.checked_at = now
        runtime.health.check_passed(now)
        for unit in runtime.units.values():
            if unit.capability is Capability.TICKS:
                unit.try_early = self._is_doubtful(unit)  # by its own supervisor
                continue
            if not self._is_doubtful(unit):
                unit.recovery.good(now)
            for _ in range(unit.breaker.settings.half_open_successes):
                if self._is_doubtful(unit):
                    await self._probe(runtime, unit)

    def _is_doubtful(self, unit: Unit) -> bool:
        now = self._clock.now()
        return unit.breaker.state(now) in _DOUBTFUL or unit.runtime.whole.state(now) in _DOUBTFUL

    async def _probe(self, runtime: SourceRuntime, unit: Unit) -> None:
        """Ask again what was last answered: a ping that works proves nothing for the data."""
        request = None if unit.last_request is None else unit.last_request.probe()
        if request is not None:
            # Before the permit and the stopwatch: waiting for our own limiter is no slowness of the source.
            await runtime.wait_turn(runtime.source.cost(request.capability, request.units), runtime.timeout_s)
        started = self._clock.now()
        permit = None if runtime.refusal() else runtime.acquire(unit, started, early=True)
        if permit is None:
            return
        try:
            if request is not None:
                await self._ask(runtime, _verified(request, runtime.source))
        except (NotFound, InvalidRequest):
            runtime.booking.ignored(unit, permit, self._clock.now())
        except SourceError as error:
            now = self._clock.now()
            runtime.booking.failed(unit, permit, now, now - started, error)
        except BaseException:
            runtime.booking.ignored(unit, permit, self._clock.now())
            raise
        else:
            now = self._clock.now()
            runtime.booking.succeeded(unit, permit, now, now - started)

    async def _ask(self, runtime: SourceRuntime, question: Any) -> Any:
        """Await an adapter under its timeout; what leaves here is a SourceError or a cancellation."""
        try:
            with Deadline(self._sweeper, self._clock.now() + runtime.timeout_s):
                return await question
        except TimeoutError:
            raise Unavailable(f"no answer within {runtime.timeout_s:g} s") from None
        except (SourceError, asyncio.CancelledError):
            raise
        except Exception as error:
            _log.exception("adapter_bug", source=runtime.name)
            raise InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}") from error

    def _book_failure(self, runtime: SourceRuntime, error: SourceError, started: float) -> None:
        now = self._clock.now()
        runtime.booking.note_error(error)
        unreachable = isinstance(error, Unavailable) and error.unreachable
        runtime.health.check_failed(now, unreachable=unreachable)
        for unit in runtime.units.values():
            unit.recovery.bad(now)
        permit = runtime.whole.acquire(now)
        if permit and error.counts_against_breaker:
            runtime.whole_changed(
                runtime.whole.failure(permit, now, now - started, error.message, unreachable=unreachable)
            )
        elif permit:
            runtime.whole.ignore(permit, now)
        runtime.booking.took_note(error)


async def _verified(request: Request[Any], source: Source) -> None:
    request.verify(await request.send(source))


_DOUBTFUL = frozenset({BreakerState.OPEN, BreakerState.HALF_OPEN})
