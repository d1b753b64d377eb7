"""Everything that the engine keeps of one source, and whether it may be asked."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.clock import Clock
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.errors import InvalidPayload, QuotaExhausted, SourceError, Unavailable
from mds_engine.log import get_logger
from mds_engine.model import Capability, Instrument
from mds_engine.policy.breaker import BreakerState, Transition
from mds_engine.policy.health import HealthTracker
from mds_engine.policy.limiter import Limiter
from mds_engine.policy.source_breaker import SourceBreaker
from mds_engine.routing.account import Account
from mds_engine.routing.booking import Booking
from mds_engine.routing.breaker_news import BreakerNews
from mds_engine.routing.breaker_words import OUT, WELL, why_refused
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.published import PublishedLimits
from mds_engine.routing.seats import Seats
from mds_engine.routing.spending import Spending
from mds_engine.routing.turns import wait_turn
from mds_engine.routing.unit import Unit
from mds_engine.routing.voice import Voice
from mds_engine.sources.contract import Deliver, FrameTap, RequestCost, Source, TickStream
from mds_engine.sources.polling import PollingStream

if TYPE_CHECKING:
    from mds_engine.routing.polls import Polls

_log = get_logger(__name__)

_FAR = float("inf")
_LONG_HOLD_S = 5.0
"""A vendor that wants to be left alone for longer is out of its routes; for less, calls pass it over."""
_CONNECT_WITHIN_S = 30.0
"""Longest time for an adapter to get ready, imports on a slow machine included."""


class Block(NamedTuple):
    """A reason to leave a source out that no probe can mend."""

    why: str
    until_wall: float
    """Epoch seconds UTC; infinite if only an operator or a login ends it."""


Permit = tuple[int, int]
"""Leave to call a source: the permits of its capability's breaker and of its own, released together."""


class SourceRuntime:
    """One source: its adapter, breakers, limiters, health and figures."""

    def __init__(
        self,
        name: str,
        settings: SourceSettings,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        whole: SourceBreaker,
        health: HealthTracker,
        account: Account,
    ) -> None:
        self.name = name
        self.settings = settings
        self.timeout_s = settings.timeout_s
        self.seats = Seats(settings.connections)
        self.clock = clock
        self.source: Source
        """The adapter. Set once, right after construction: it needs this object as its context."""
        self.units: dict[Capability, Unit] = {}
        self.limiters: Mapping[str, Limiter] = {}
        self.published = PublishedLimits({})
        self.polls: Polls | None = None
        """Asks for its quotes in place of a stream; None where it has streams, or is not polled."""
        self.whole = whole
        self.health = health
        self.account = account
        self.blocks: dict[str, Block] = {}
        """By kind: `disabled`, `login`, `quota`."""
        self.last_good_at: float | None = None
        """Monotonic time of the last good answer or tick."""
        self.last_error = ""
        self.last_error_wall: float | None = None
        self.ticks = 0
        self.changed: Callable[[SourceRuntime], None] = _nobody
        """Told when it may serve or may serve no more."""
        self.counted: Callable[[SourceRuntime], None] = _nobody
        """Told when a request was counted that must not be forgotten."""
        self.recorder: Callable[[str], FrameTap | None] | None = None
        """Gives each new stream of a source, by its name, somewhere to show its raw frames."""
        self.checked_at: float | None = None
        """Monotonic time of the last health check that passed."""
        self.sweeper: DeadlineSweeper | None = None
        self.connecting: asyncio.Task[None] | None = None
        """The task that makes it ready, until it ends."""
        self._emit = Voice(emit)
        self.spending = Spending(self, self._emit)
        self.booking = Booking(self, self._emit)
        self._breakers = BreakerNews(name, whole, lambda: tuple(self.units.values()), self._emit)
        self._connect_until = _FAR

    def retire(self) -> None:
        """It is let go: what becomes of its calls in flight is neither told nor kept."""
        self._emit.silence()
        self.counted = _nobody

    # --- May it be asked? -----------------------------------------------------------------------------

    def refusal(self) -> str:
        """Why it may not be asked at all now; empty if it may, as far as its breakers let it."""
        if not self.blocks:
            return ""
        wall = self.clock.wall()
        for kind, block in list(self.blocks.items()):
            if block.until_wall > wall:
                return block.why
            self.unblock(kind)
        return ""

    async def connect(self) -> None:
        """Make the adapter ready. A failure is booked; calls are tried all the same."""
        self._connect_until = self.clock.now() + self.timeout_s
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                await self.source.connect()
        except TimeoutError:
            self._not_connected(Unavailable(f"not ready within {_CONNECT_WITHIN_S:g} s"))
        except SourceError as error:
            self._not_connected(error)
        except Exception as error:  # noqa: BLE001  a plug-in's bug must not take the desk's data down
            _log.exception("adapter_bug", source=self.name, subject="connect")
            self._not_connected(InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}"))
        else:
            self._emit(events.SourceConnected(source=self.name))
        finally:
            self.connecting = None

    def _not_connected(self, error: SourceError) -> None:
        error.source = error.source or self.name
        self.booking.note_error(error)
        self.health.check_failed(self.clock.now())
        self.booking.took_note(error)

    async def until_connected(self, longest_s: float) -> bool:
        """Wait for `connect` to end: else a request would leave later than the limiter knows.

        All who wait wait together for one attempt's timeout, and later ones not at all.
        """
        if self.connecting is None:
            return True
        longest_s = min(longest_s, self.timeout_s, self._connect_until - self.clock.now())
        if longest_s > 0:
            await asyncio.wait((self.connecting,), timeout=longest_s)
        return self.connecting is None

    def block(self, kind: str, why: str, until_wall: float = _FAR) -> None:
        """Leave it out for a reason that no probe can mend."""
        self.blocks[kind] = Block(why, until_wall)
        self.changed(self)

    def unblock(self, kind: str) -> None:
        """The reason is gone."""
        if self.blocks.pop(kind, None) is not None:
            self.changed(self)

    def acquire(self, unit: Unit, now: float, *, early: bool = False) -> Permit | None:
        """A permit of both breakers, None if either refuses. `early` probes an open one before its time."""
        if early:
            whole = self.whole.acquire_early(now)
            permit = unit.breaker.acquire_early(now) if whole else 0
        else:
            whole = self.whole.acquire(now)
            permit = unit.breaker.acquire(now) if whole else 0
        if permit:
            return permit, whole
        if whole:
            self.whole.ignore(whole, now)
        return None

    def why_refused(self, unit: Unit, now: float) -> str:
        """What the breakers that refuse say, in words."""
        return why_refused(self.whole, unit, now)

    def is_out(self, unit: Unit, now: float) -> str:
        """Why it cannot serve now, counting breakers and bans; empty if it can."""
        refusal = self.refusal()
        if refusal:
            return refusal
        for breaker in (self.whole, unit.breaker):
            if breaker.state(now) in OUT:
                return why_refused(self.whole, unit, now)
        if unit.problem:
            return unit.problem
        if self.polls is not None and unit.capability is Capability.TICKS and self.polls.refusal:
            return self.polls.refusal
        return self._held_off(unit, now)

    def _held_off(self, unit: Unit, now: float) -> str:
        """Whether the vendor wants nothing from us for long enough that others must serve."""
        limiter = self.limiters.get(self.group(unit))
        if limiter is None:
            return ""
        if limiter.banned_until is not None and limiter.banned_until > now:
            return f"banned for {limiter.banned_until - now:.0f} s more"
        until = limiter.blocked_until(now)
        # A stream that is open takes nothing from the limiter of requests, unless it is polled.
        is_live = unit.capability is Capability.TICKS and self.polls is None
        if until is not None and until - now > _LONG_HOLD_S and not is_live:
            return f"throttled for {until - now:.0f} s more"
        return ""

    def cost(self, unit: Unit) -> RequestCost:
        """What one request of a capability takes from its limiter."""
        return self.source.cost(self._asked_for(unit), 1)

    def group(self, unit: Unit) -> str:
        """The limiter's group of a capability's requests."""
        return self.cost(unit).group

    def _asked_for(self, unit: Unit) -> Capability:
        """What is asked of the adapter for a capability: polls ask for quotes."""
        polled = self.polls is not None and unit.capability is Capability.TICKS
        return Capability.QUOTE if polled else unit.capability

    @property
    def is_metered(self) -> bool:
        """Whether its plan counts calls, so that none is spent without need."""
        return self.account.limited

    def cause(self, unit: Unit, now: float) -> str:
        """Why it cannot serve now, as an operator wants to hear it: what broke, rather than what followed."""
        for breaker in (unit.breaker, self.whole):
            if breaker.state(now) is BreakerState.OPEN and breaker.last_why:
                return breaker.last_why
        return self.is_out(unit, now)

    def is_well(self, unit: Unit, now: float) -> bool:
        """Whether both its breakers are closed: half-open is not well yet."""
        return self.whole.state(now) in WELL and unit.breaker.state(now) in WELL

    def serves(self, unit: Unit, instrument: Instrument) -> bool:
        """Whether it can have one capability of an instrument at all."""
        return self.source.serves(self._asked_for(unit), instrument)

    def stream(self, deliver: Deliver) -> TickStream:
        """A new stream of its ticks, not yet opened: the vendor's, or polls in its place."""
        return self.source.stream(deliver) if self.polls is None else PollingStream(self.polls, deliver)

    # --- Breakers' changes, told ----------------------------------------------------------------------

    def unit_changed(self, unit: Unit, transition: Transition | None) -> None:
        """Tell of a change of one capability's breaker, whoever or whatever made it."""
        if transition is not None:
            self._breakers.unit_changed(unit, transition)
            self.changed(self)

    def whole_changed(self, transition: Transition | None) -> None:
        """Tell of a change of the source as a whole."""
        if transition is not None:
            self._breakers.whole_changed(transition)
            self.changed(self)

    # --- What the adapter is lent (SourceContext) -----------------------------------------------------

    async def pay(self, cost: RequestCost) -> None:
        """Wait for the limiter's leave for one further request. Raises Throttled(local=True)."""
        longest_s = self.settings.timeout_s
        if self.sweeper is not None:
            at = self.sweeper.deadline_of(asyncio.current_task())
            if at is not None:
                longest_s = at - self.clock.now()
        await self.wait_turn(cost, longest_s)

    async def wait_turn(self, cost: RequestCost, longest_s: float) -> None:
        """Reserve, sleep until the reservation's time, and count the request that may now be sent.

        Raises Throttled(local=True) where that would take too long, QuotaExhausted
        where the plan is used up.
        """
        quota = self.blocks.get("quota")
        if cost.counted and quota is not None and quota.until_wall > self.clock.wall():
            raise QuotaExhausted(quota.why, resets_at=quota.until_wall, source=self.name)
        await wait_turn(self.limiters[cost.group], cost.weight, longest_s, self.clock)
        if cost.counted:
            self.spending.count()

    def observe_usage(
        self, group: str, window_s: float, *, used: int | None = None, remaining: int | None = None
    ) -> None:
        """The vendor's own count corrects ours."""
        limiter = self.limiters[group]
        if used is not None:
            limiter.observed(window_s, self.clock.now(), used=used)
        elif remaining is not None:
            limiter.observed(window_s, self.clock.now(), remaining=remaining)

    def set_limit(self, group: str, window_s: float, limit: int) -> None:
        """The vendor published another limit."""
        self.published.publish(group, window_s, limit, self.limiters[group], self.clock.now())

    def endpoint_switched(self, before: str, after: str, why: str) -> None:
        """Requests go to another base URL."""
        self._emit(events.EndpointSwitched(source=self.name, before=before, after=after, why=why))

    def frame_tap(self) -> FrameTap | None:
        """Where a new stream shows its raw frames."""
        return None if self.recorder is None else self.recorder(self.name)


def _nobody(_runtime: SourceRuntime) -> None:
    """Nobody listens yet."""
