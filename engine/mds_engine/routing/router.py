"""The way of a call: candidates in order, the guarded call, the next source, the decision.

One deadline covers all of it. A failure moves on at once; a wait for a limiter
is taken only when no other source is quicker; a retry comes only when nobody
is left.
"""

import random as random_module
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from mds_engine.clock import Clock
from mds_engine.errors import AllSourcesFailedError, NotFound, QuotaExhausted, Throttled
from mds_engine.model import Decision
from mds_engine.policy.breaker import BreakerState
from mds_engine.policy.failback import FailbackSettings, slow_start_share
from mds_engine.policy.hedging import HedgeBudget, HedgeSettings, hedge_delay_s, may_hedge
from mds_engine.policy.panic import PanicCandidate, PanicRule, PanicSettings
from mds_engine.policy.retry import RetryBudget, RetrySettings, backoff_s
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.hedge import ask_hedged
from mds_engine.routing.requests import Request
from mds_engine.routing.route import Route
from mds_engine.routing.trip import Trip
from mds_engine.routing.unit import Unit

T = TypeVar("T")


class Router:
    """Sends each call down its route. Belongs to one event loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        sweeper: DeadlineSweeper,
        retry: RetrySettings,
        random: random_module.Random,
        panic: PanicSettings,
        failback: FailbackSettings,
        hedging: HedgeSettings,
        failover: bool = True,
        on_answer: Callable[[Route, Unit, Decision, float | None], None],
        on_failure: Callable[[Route, Decision], None],
    ) -> None:
        self._clock = clock
        self._now = clock.now
        self._wall = clock.wall
        self._sweeper = sweeper
        self._retry = retry
        self._retries = RetryBudget(retry)
        self._panic_rule = PanicRule(panic)
        self._failback = failback
        self._hedging = hedging
        self._hedges = HedgeBudget(hedging)
        self._random = random
        self._failover = failover
        self._numbers = count(1)
        self._on_answer = on_answer
        self._on_failure = on_failure

    def use(
        self,
        *,
        retry: RetrySettings,
        panic: PanicSettings,
        failback: FailbackSettings,
        hedging: HedgeSettings,
        failover: bool,
    ) -> None:
        """Go by other settings from now on. A budget whose share changes begins anew."""
        if retry != self._retry:
            self._retry, self._retries = retry, RetryBudget(retry)
        if hedging != self._hedging:
            self._hedging, self._hedges = hedging, HedgeBudget(hedging)
        self._panic_rule.settings = panic
        self._failback = failback
        self._failover = failover

    async def call(
        self,
        route: Route,
        request: Request[T],
        *,
        deadline: float,
        only: Unit | None = None,
        among: tuple[Unit, ...] | None = None,
    ) -> tuple[T, Unit, Decision]:
        """Ask the route's sources in order until one answers well.

        `deadline` is on the monotonic clock; `only` asks that source and no
        other. `among` asks these for what another left out: that is worth no
        last resort, and says nothing of the route. Raises InvalidRequest for
        the caller's mistake, otherwise AllSourcesFailedError with every attempt.
        """
        started, wall = self._now(), self._wall()
        if route.ramp_from is None and only is None and among is None and self._failover:
            order = route.order
        else:
            order = self._order(route, only, among, started)
        trip = Trip(self._sweeper, self._now, request, deadline)
        answered: Unit | None = None
        for place, unit in enumerate(order, 1):
            if route.hedged and unit.name in trip.errors:
                continue  # the hedge has asked it already
            # Waiting for a limiter is worth no more than asking the next source.
            patience_s = order[place].typical_s if place < len(order) else 0.0
            if route.hedged and place == 1 and len(order) > 1:
                answered = await self._ask_hedged(trip, unit, order[1], patience_s, started)
            elif await trip.ask(unit, patience_s):
                answered = unit
            if answered is not None:
                break
        if answered is None and among is None:
            answered = await self._last_resorts(trip, order)
        took_ms = (self._now() - started) * 1000.0
        name = None if answered is None else answered.name
        decision = Decision(
            next(self._numbers), route.text, request.subject, wall, took_ms, name, tuple(trip.steps)
        )
        self._retries.called(started)
        if among is None:
            route.decided(decision)
            if answered is None:
                route.failures += 1
                self._on_failure(route, decision)
            elif only is None and (answered is not route.active or route.down_since is not None):
                self._on_answer(route, answered, decision, trip.first_failed_at)
        if answered is None:
            raise self._all_failed(route, order, trip, decision)
        return trip.answer, answered, decision

    def _order(
        self, route: Route, only: Unit | None, among: tuple[Unit, ...] | None, now: float
    ) -> tuple[Unit, ...]:
        if only is not None:
            return (only,)
        if among is not None:
            return among if self._failover else ()
        order = route.order if route.ramp_from is None else self._slow_start(route, now)
        return order if self._failover else order[:1]

    async def _ask_hedged(
        self, trip: Trip[T], first: Unit, second: Unit, patience_s: float, now: float
    ) -> Unit | None:
        self._hedges.called(now)
        delay_s = hedge_delay_s(self._hedging, first.hedge_after_s)
        metered = first.runtime.is_metered or second.runtime.is_metered
        if delay_s is None or not may_hedge(metered):
            return first if await trip.ask(first, patience_s) else None
        return await ask_hedged(
            trip,
            first,
            second,
            patience_s=patience_s,
            delay_s=delay_s,
            may_start=lambda: self._hedges.withdraw(self._now()),
        )

    def _slow_start(self, route: Route, now: float) -> tuple[Unit, ...]:
        """A source that has just taken over again gets a growing share of the calls first."""
        share = slow_start_share(self._failback, now - route.ramp_since)
        before = route.ramp_from
        if share >= 1.0 or before is None or before.runtime.is_out(before, now):
            route.ramp_from = None
            return route.order
        if self._random.random() < share:
            return route.order
        return (before, *(unit for unit in route.order if unit is not before))

    async def _last_resorts(self, trip: Trip[T], order: tuple[Unit, ...]) -> Unit | None:
        """Nobody answered at once: wait for a limiter, probe early, try again; in that order."""
        return (
            await self._wait_for_limiter(trip)
            or await self._panic(trip, order)
            or await self._try_again(trip, order)
        )

    async def _wait_for_limiter(self, trip: Trip[T]) -> Unit | None:
        now = self._now()

        def wait_s(unit: Unit) -> float:
            cost = unit.runtime.source.cost(unit.capability, trip.request.units)
            return unit.runtime.limiters[cost.group].wait_s(cost.weight, now)

        for unit in sorted(trip.waiting, key=wait_s):
            if await trip.ask(unit, max(0.0, trip.deadline - self._now())):
                return unit
        return None

    async def _panic(self, trip: Trip[T], order: tuple[Unit, ...]) -> Unit | None:
        """When health alone keeps every source out, the one that is due soonest is probed now."""
        now = self._now()
        if now >= trip.deadline or trip.errors:
            return None
        chosen = self._panic_rule.choose([self._panic_candidate(unit, now) for unit in order], now)
        for unit in order:
            if unit.name == chosen and await trip.ask(unit, max(0.0, trip.deadline - now), early=True):
                return unit
        return None

    def _panic_candidate(self, unit: Unit, now: float) -> PanicCandidate:
        runtime = unit.runtime
        states = (runtime.whole.state(now), unit.breaker.state(now))
        due_in_s = max(breaker.retry_in_s(now) for breaker in (runtime.whole, unit.breaker))
        only_health = BreakerState.OPEN in states and BreakerState.FORCED_OPEN not in states
        return PanicCandidate(unit.name, due_in_s, only_health and not runtime.refusal())

    async def _try_again(self, trip: Trip[T], order: tuple[Unit, ...]) -> Unit | None:
        """Nobody is left: ask those again whose failure may have been a moment's, with growing pauses."""
        for attempt in range(self._retry.attempts):
            for unit in order:
                error = trip.errors.get(unit.name)
                if error is None or not error.counts_against_breaker:
                    continue
                pause_s = backoff_s(self._retry, attempt, self._random)
                now = self._now()
                if now + pause_s >= trip.deadline or unit.runtime.is_out(unit, now):
                    continue
                if not self._retries.withdraw(now):
                    return None
                await self._clock.sleep(pause_s)
                if await trip.ask(unit, max(0.0, trip.deadline - self._now())):
                    return unit
        return None

    def _all_failed(
        self, route: Route, order: tuple[Unit, ...], trip: Trip[T], decision: Decision
    ) -> AllSourcesFailedError:
        now, wall = self._now(), self._wall()
        retry_at = min(
            (due for unit in order if (due := _due_at(unit, trip, now, wall)) is not None), default=None
        )
        told = decision.explain() or "no source is configured for it"
        return AllSourcesFailedError(
            f"no source of {route.text} could answer {decision.subject}: {told}",
            decision=decision,
            retry_at=retry_at,
        )


def _due_at(unit: Unit, trip: Trip[T], now: float, wall: float) -> float | None:
    """Epoch seconds at which it makes sense to ask this source again, None if nobody can tell."""
    runtime = unit.runtime
    error = trip.errors.get(unit.name)
    if isinstance(error, NotFound):
        return None
    cost = runtime.source.cost(unit.capability, trip.request.units)
    untils = [block.until_wall for block in runtime.blocks.values()]
    untils.append(wall + runtime.limiters[cost.group].wait_s(cost.weight, now))
    if isinstance(error, QuotaExhausted) and error.resets_at is not None:
        untils.append(error.resets_at)
    elif isinstance(error, Throttled) and error.retry_after_s is not None:
        untils.append(wall + error.retry_after_s)
    untils.extend(wall + breaker.retry_in_s(now) for breaker in (runtime.whole, unit.breaker))
    due = max(untils)
    return None if due == float("inf") else due
