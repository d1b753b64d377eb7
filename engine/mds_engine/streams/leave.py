"""Whether a strand may connect now, why not, and when it may again."""

from mds_engine.errors import SourceError, Throttled
from mds_engine.policy.breaker import BreakerState
from mds_engine.policy.reconnect import ReconnectBackoff
from mds_engine.routing.source_runtime import Permit
from mds_engine.streams.strand_keeper import StrandKeeper


class Leave:
    """Asks for one strand whatever has a say: operator, login, plan, polls, breakers, and its own pace."""

    __slots__ = ("_backoff", "_clock", "_keeper", "_not_before", "_polls", "_runtime", "_unit")

    def __init__(self, keeper: StrandKeeper, backoff: ReconnectBackoff) -> None:
        """`backoff` paces connections after a loss."""
        self._keeper = keeper
        self._runtime, self._unit, self._clock = keeper.runtime, keeper.unit, keeper.clock
        self._polls = keeper.runtime.polls
        self._backoff = backoff
        self._not_before = 0.0

    def too_soon_s(self) -> float:
        """Seconds to wait after a loss, or by its vendor's word; 0 or less where there is no need to."""
        return max(self._not_before, self._keeper.hold_until) - self._clock.now()

    def ask(self) -> tuple[Permit | None, str]:
        """A permit of both breakers; or None, and why there is none."""
        now = self._clock.now()
        early, self._unit.try_early = self._unit.try_early, False
        refusal = self._refusal()
        permit = None if refusal else self._runtime.acquire(self._unit, now, early=early)
        if permit is None:
            return None, refusal or self._runtime.why_refused(self._unit, now)
        return permit, ""

    def out_of_service(self) -> str:
        """Why an operator, a login or a spent plan keeps the source out, so that it streams no more."""
        now = self._clock.now()
        forced = (self._runtime.whole.state(now), self._unit.breaker.state(now))
        if BreakerState.FORCED_OPEN in forced:
            return self._runtime.why_refused(self._unit, now) or "forced open"
        return self._refusal()

    def lost(self, error: SourceError) -> None:
        """A connection was lost, or could not be opened: the next comes after a while."""
        now = self._clock.now()
        if self._polls is not None:
            self._keeper.hold_until = max(self._keeper.hold_until, now + self._polls.due_in_s)
        if isinstance(error, Throttled) and error.retry_after_s is not None:
            self._keeper.hold_until = max(self._keeper.hold_until, now + error.retry_after_s)
        self._not_before = now + self._backoff.next_delay_s()

    def hurry(self) -> None:
        """Somebody wants it sooner than its own pace: only what the vendor said holds still."""
        self._not_before = 0.0

    def _refusal(self) -> str:
        return self._runtime.refusal() or ("" if self._polls is None else self._polls.refusal)
