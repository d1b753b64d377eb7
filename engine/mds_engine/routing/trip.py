"""One call on its way down a route: whom it asked, what came of it."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from mds_engine.errors import InvalidPayload, InvalidRequest, SourceError, Throttled, Unavailable
from mds_engine.log import get_logger
from mds_engine.model import Step, Verdict
from mds_engine.routing.deadlines import Deadline, DeadlineSweeper
from mds_engine.routing.requests import Request
from mds_engine.routing.source_runtime import Permit
from mds_engine.routing.turns import sleep_until_granted
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import RequestCost

T = TypeVar("T")
_log = get_logger(__name__)
_TAKEN = Verdict.TAKEN


_PROMPT_S = 0.02
"""A call that was answered so soon after its grant did not reach the vendor late."""
_SHORT_WAIT_S = 0.25
"""A place in a source's queue is always worth waiting so long for."""


class Trip(Generic[T]):
    """Asks candidates one by one under one deadline and writes down each step."""

    __slots__ = (
        "_now",
        "_sweeper",
        "answer",
        "deadline",
        "errors",
        "first_failed_at",
        "request",
        "steps",
        "waiting",
    )

    answer: T

    def __init__(
        self, sweeper: DeadlineSweeper, now: Callable[[], float], request: Request[T], deadline: float
    ) -> None:
        self._sweeper = sweeper
        self._now = now
        self.request = request
        self.deadline = deadline
        self.steps: list[Step] = []
        self.waiting: list[Unit] = []
        """Sources that only their limiter kept from being asked."""
        self.errors: dict[str, SourceError] = {}
        """The last failure of each source that was asked."""
        self.first_failed_at: float | None = None

    def fork(self) -> "Trip[T]":
        """A trip beside this one: the same request and deadline, steps of its own."""
        return Trip(self._sweeper, self._now, self.request, self.deadline)

    def take_in(self, other: "Trip[T]") -> None:
        """Write down here what the other trip met."""
        self.steps.extend(other.steps)
        self.waiting.extend(other.waiting)
        self.errors.update(other.errors)
        if self.first_failed_at is None:
            self.first_failed_at = other.first_failed_at

    async def ask(self, unit: Unit, patience_s: float, *, early: bool = False) -> bool:
        """Ask one source. True if it answered well: then `answer` is there.

        `patience_s` is how long its limiter may make us wait. `early` probes an
        open breaker before its time. Raises InvalidRequest for the caller's mistake.
        """
        now = self._now()
        runtime = unit.runtime
        if now >= self.deadline:
            return self._skip(unit, "the deadline is over")
        if runtime.connecting is not None:
            if not await runtime.until_connected(self.deadline - now):
                return self._skip(unit, "still connecting")
            now = self._now()
        if runtime.blocks:
            refusal = runtime.refusal()
            if refusal:
                return self._skip(unit, refusal)
        seats = runtime.seats
        if not seats.take_at_once():
            cost = runtime.source.cost(unit.capability, self.request.units)
            if runtime.limiters[cost.group].wait_s(cost.weight, now) > patience_s:
                return self._held_by_limiter(unit, cost.group, cost.weight, now)
            if not await seats.take(min(self.deadline - now, self._queue_patience_s(unit, patience_s))):
                self.waiting.append(unit)
                return self._skip(unit, f"all its {seats.capacity} connections are busy")
            now, refusal = self._now(), runtime.refusal()
            if refusal:
                seats.release()
                return self._skip(unit, refusal)
        try:
            return await self._ask_seated(unit, patience_s, now, early=early)
        finally:
            seats.release()

    def _queue_patience_s(self, unit: Unit, patience_s: float) -> float:
        """How long a place is worth waiting for: a few times what the queue before us usually takes."""
        seats = unit.runtime.seats
        expected_s = unit.typical_s * (seats.waiting + 1) / seats.capacity
        return max(patience_s, 3.0 * expected_s, _SHORT_WAIT_S)

    async def _ask_seated(self, unit: Unit, patience_s: float, now: float, *, early: bool) -> bool:
        runtime = unit.runtime
        permit = runtime.acquire(unit, now, early=early)
        if permit is None:
            return self._skip(unit, runtime.why_refused(unit, now))
        cost = runtime.source.cost(unit.capability, self.request.units)
        grant = runtime.limiters[cost.group].reserve(cost.weight, now, patience_s)
        if grant is None:
            runtime.booking.ignored(unit, permit, now)
            return self._held_by_limiter(unit, cost.group, cost.weight, now)
        if grant > now:
            turn = await self._wait(unit, permit, cost, grant, early=early)
            if turn is None:
                return False
            permit, grant = turn
            now = self._now()
        runtime.spending.count()
        return await self._attempt(unit, permit, now, cost, grant)

    async def _wait(
        self, unit: Unit, permit: Permit, cost: RequestCost, grant: float, *, early: bool
    ) -> tuple[Permit, float] | None:
        """Sleep until the limiter's grant. Returns the permit that holds then, and the time for which the
        limiter counts the call; None: it may not be asked."""
        runtime, now = unit.runtime, self._now()
        if grant >= self.deadline:
            runtime.limiters[cost.group].cancel(grant, cost.weight)
            runtime.booking.ignored(unit, permit, now)
            self._held_by_limiter(unit, cost.group, cost.weight, now)
            return None
        try:
            counted_at = await sleep_until_granted(
                runtime.limiters[cost.group], cost.weight, grant, deadline=self.deadline, clock=runtime.clock
            )
        except Throttled as error:
            self._skip(unit, error.message)
            return None
        finally:
            now = self._now()
            runtime.booking.ignored(unit, permit, now)
        # Its breaker may have opened meanwhile, its plan be used up, an operator have disabled it.
        refusal = runtime.refusal()
        renewed = None if refusal else runtime.acquire(unit, now, early=early)
        if renewed is None:
            self._skip(unit, refusal or runtime.why_refused(unit, now))
            return None
        return renewed, counted_at

    async def _attempt(
        self, unit: Unit, permit: Permit, started: float, cost: RequestCost, counted_at: float
    ) -> bool:
        request, runtime = self.request, unit.runtime
        at = self.deadline
        if request.own_timeout and started + runtime.timeout_s < at:
            at = started + runtime.timeout_s
        failure: SourceError
        limit = Deadline(self._sweeper, at)
        try:
            with limit:
                answer = await request.send(runtime.source)
            request.verify(answer)
        except SourceError as error:
            failure = error
        except TimeoutError as error:
            if not limit.expired:
                failure = self._bug(unit, error)
            elif self._caller_was_hasty(unit, self._now() - started):
                runtime.booking.ignored(unit, permit, self._now())
                return self._fail(unit, Unavailable("the caller's deadline came first"), started)
            else:
                failure = Unavailable(f"no answer within {at - started:.3g} s")
        except asyncio.CancelledError:
            runtime.booking.ignored(unit, permit, self._now())
            raise
        except Exception as error:  # noqa: BLE001  a plug-in's bug must not take the desk's data down
            failure = self._bug(unit, error)
        else:
            now = self._now()
            if now - counted_at > _PROMPT_S:
                self._count_late(unit, cost, counted_at, now)
            runtime.booking.succeeded(unit, permit, now, now - started)
            unit.last_request = request
            self.answer = answer
            self.steps.append(Step(unit.name, _TAKEN, "", "", (now - started) * 1000.0))
            return True
        now = self._now()
        if not isinstance(failure, Unavailable):
            self._count_late(unit, cost, counted_at, now)
        runtime.booking.failed(unit, permit, now, now - started, failure)
        if isinstance(failure, InvalidRequest):
            raise failure
        return self._fail(unit, failure, started)

    def _count_late(self, unit: Unit, cost: RequestCost, counted_at: float, now: float) -> None:
        """A vendor counts a call when it arrives. One that took longer than usual may have arrived as much
        later than it was granted: its connection had to be made first, or this machine was busy."""
        arrived_at = now - (unit.usual_s or 0.0)
        unit.runtime.limiters[cost.group].came_late(counted_at, cost.weight, arrived_at, now)

    def _bug(self, unit: Unit, error: Exception) -> InvalidPayload:
        _log.exception("adapter_bug", source=unit.name, subject=self.request.subject, exc_info=error)
        return InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}")

    def _caller_was_hasty(self, unit: Unit, elapsed_s: float) -> bool:
        """Whether the caller's own deadline ended an attempt that was not slow for this source."""
        slow_after_s = unit.breaker.slow_after_s
        patient_s = (
            unit.runtime.timeout_s if slow_after_s is None else min(unit.runtime.timeout_s, slow_after_s)
        )
        return elapsed_s < patient_s * 0.999

    def _fail(self, unit: Unit, error: SourceError, started: float) -> bool:
        now = self._now()
        error.source = error.source or unit.name
        self.errors[unit.name] = error
        if self.first_failed_at is None:
            self.first_failed_at = now
        self.steps.append(
            Step(unit.name, Verdict.FAILED, error.message, error.class_name, (now - started) * 1000.0)
        )
        return False

    def _skip(self, unit: Unit, why: str) -> bool:
        self.steps.append(Step(unit.name, Verdict.SKIPPED, why))
        return False

    def _held_by_limiter(self, unit: Unit, group: str, weight: int, now: float) -> bool:
        limiter = unit.runtime.limiters[group]
        banned_until = limiter.banned_until
        if banned_until is not None and banned_until > now:
            return self._skip(unit, f"banned for {banned_until - now:.0f} s more")
        self.waiting.append(unit)
        return self._skip(unit, f"rate limit: {limiter.wait_s(weight, now):.2f} s to wait")
