"""The circuit breaker of one (source, capability): counts outcomes, and says who may call.

Pure: no clock, no lock, no I/O; one event loop calls it. A caller asks with
`acquire`, gets 0 (refused) or a permit, and releases the permit exactly once
with `success`, `failure` or `ignore`.

The closed state is on the path of every call, so it allocates nothing: one
permit serves the whole closed time (it only names the generation, to tell
late outcomes apart), and outcomes are bits of an integer, newest lowest.
"""

from collections import deque
from random import Random

from mds_engine.policy.breaker_settings import BreakerSettings, BreakerState, PermitError, Transition

__all__ = ["Breaker", "BreakerSettings", "BreakerState", "PermitError", "Transition"]

_CLOSED = BreakerState.CLOSED
_OPEN = BreakerState.OPEN
_HALF_OPEN = BreakerState.HALF_OPEN
_FORCED_OPEN = BreakerState.FORCED_OPEN
_FORCED_CLOSED = BreakerState.FORCED_CLOSED

_TIMELINE_LENGTH = 32


class Breaker:
    """Opens on failures in a row, on a failure rate, or on a slow-call rate; half-open it gives out probes.

    Permits of the closed states are even and one per generation; probes are
    odd and each its own. A state change starts a new generation: what was
    granted before counts nowhere.
    """

    __slots__ = (
        "_abandoned",
        "_calls",
        "_closed_at",
        "_consecutive",
        "_early_open_until",
        "_failed_bits",
        "_generation",
        "_in_flight",
        "_level",
        "_open_for_s",
        "_open_until",
        "_permit",
        "_probe_serial",
        "_probes",
        "_random",
        "_seen",
        "_slow_bits",
        "_state",
        "_timeline",
        "_window",
        "_window_mask",
        "half_open_successes",
        "last_why",
        "opened_count",
        "settings",
        "slow_after_s",
    )

    def __init__(self, settings: BreakerSettings, random: Random) -> None:
        self.settings = settings
        self.slow_after_s: float | None = None
        """Seconds from which on a call is slow; set by the engine from the learned p99. None: no call is."""
        self.half_open_successes = 0
        """Good probes since it became half-open."""
        self.last_why = ""
        """The newest reason: of the last failure, or of the last word of an operator."""
        self.opened_count = 0
        """How often it opened since it was made or reset; a panic probe that fails is not counted."""
        self._random = random
        self._window = settings.window_calls
        self._window_mask = (1 << settings.window_calls) - 1
        self._timeline: deque[Transition] = deque(maxlen=_TIMELINE_LENGTH)
        self._state = _CLOSED
        self._generation = 1
        self._permit = 2
        self._in_flight = 0
        self._probe_serial = 1
        self._probes: set[int] = set()
        self._abandoned: set[int] = set()
        self._closed_at = 0.0
        self._open_until = 0.0
        self._open_for_s = 0.0
        self._early_open_until = 0.0
        self._level = 0
        self._calls = 0
        self._seen = 0
        self._consecutive = 0
        self._failed_bits = 0
        self._slow_bits = 0

    def use(self, settings: BreakerSettings) -> None:
        """Take other triggers and times from now on. What was seen stays, as far as its window reaches."""
        self.settings = settings
        self._window = settings.window_calls
        self._window_mask = (1 << self._window) - 1
        self._calls, self._seen = min(self._calls, self._window), min(self._seen, self._window)
        self._failed_bits &= self._window_mask
        self._slow_bits &= self._window_mask

    # --- Asking and releasing -------------------------------------------------------------------------

    def acquire(self, now: float) -> int:
        """Return a permit to be released exactly once, or 0: refused."""
        permit = self._permit
        if permit:
            self._in_flight += 1
            return permit
        return self._acquire_probe(now)

    def acquire_early(self, now: float) -> int:
        """Like `acquire`, but an open breaker gives a probe before its time: the panic rule's way in.

        The rule of half-open holds (so many probes in flight, no more), and if
        the probe fails the breaker is open again until the time it had before.
        """
        if self._state is _OPEN and now < self._open_until:
            open_until = self._open_until
            self._change(_HALF_OPEN, now, "probed early: no other source is left")
            self._early_open_until = open_until
        return self.acquire(now)

    def success(self, permit: int, now: float, duration_s: float) -> Transition | None:
        """Release `permit`: the call was answered well, in `duration_s` seconds."""
        if permit == self._permit:
            in_flight = self._in_flight
            if not in_flight:
                raise PermitError("a permit was released twice")
            self._in_flight = in_flight - 1
            self._consecutive = 0
            slow_after_s = self.slow_after_s
            if slow_after_s is not None and duration_s > slow_after_s:
                return self._slow_success(now, slow_after_s)
            if self._failed_bits or self._slow_bits or self._calls < self._window:
                self._note(failed=0, slow=0)
            return None
        return self._probe_answered(permit, now, duration_s)

    def failure(self, permit: int, now: float, duration_s: float, why: str) -> Transition | None:
        """Release `permit`: the source failed after `duration_s` seconds, for the reason `why`."""
        if permit == self._permit:
            self._release_closed()
            self.last_why = why
            self._consecutive += 1
            slow_after_s = self.slow_after_s
            self._note(failed=1, slow=int(slow_after_s is not None and duration_s > slow_after_s))
            if self._state is _CLOSED:
                trigger = self._failure_trigger()
                if trigger:
                    return self._open(now, f"{trigger}: {why}")
            return None
        if not self._release_probe(permit):
            return None
        self.last_why = why
        self._note(failed=1, slow=0)
        return self._probe_failed(now, f"probe failed: {why}")

    def ignore(self, permit: int, now: float) -> None:
        """Release `permit`: the outcome (cancelled, throttled, caller's fault) says nothing of the source."""
        if permit == self._permit:
            self._release_closed()
        elif self._release_probe(permit) and now < self._early_open_until and not self._probes:
            self._reopen(now, "early probe told nothing")

    # --- What operators and other evidence do ---------------------------------------------------------

    def trip(self, now: float, why: str) -> Transition | None:
        """Open on evidence from elsewhere. Nothing happens if it is open already, or forced."""
        if self._state is _CLOSED or self._state is _HALF_OPEN:
            self.last_why = why
            return self._open(now, why)
        return None

    def force_open(self, now: float, why: str) -> Transition | None:
        """Refuse every call until `automatic` or `reset`."""
        return self._force(_FORCED_OPEN, now, why)

    def force_closed(self, now: float, why: str) -> Transition | None:
        """Let every call through, whatever fails, until `automatic` or `reset`."""
        return self._force(_FORCED_CLOSED, now, why)

    def automatic(self, now: float, why: str) -> Transition | None:
        """End a forced state: forced open is probed first, forced closed keeps counting what it has seen."""
        if self._state is _FORCED_OPEN:
            self.last_why = why
            return self._change(_HALF_OPEN, now, why)
        if self._state is _FORCED_CLOSED:
            self.last_why = why
            return self._change(_CLOSED, now, why)
        return None

    def reset(self, now: float, why: str) -> Transition | None:
        """Close and forget everything; a forced state ends too."""
        transition = None if self._state is _CLOSED else self._change(_CLOSED, now, why)
        self._calls = 0
        self._seen = 0
        self._consecutive = 0
        self._failed_bits = 0
        self._slow_bits = 0
        self._level = 0
        self._closed_at = now
        self.half_open_successes = 0
        self.opened_count = 0
        self.last_why = why
        return transition

    def advance(self, now: float) -> Transition | None:
        """Make an open breaker whose time is over half-open; `acquire` does it by itself, but cannot tell."""
        if self._state is _OPEN and now >= self._open_until:
            return self._change(_HALF_OPEN, now, f"open for {self._open_for_s:.0f} s, now probing")
        return None

    # --- What can be seen -----------------------------------------------------------------------------

    def state(self, now: float) -> BreakerState:
        """Where it stands; an open breaker whose time is over reads half-open."""
        state = self._state
        if state is _OPEN and now >= self._open_until:
            return _HALF_OPEN
        return state

    def retry_in_s(self, now: float) -> float:
        """Seconds until a call or probe is let through: 0 if now, infinite while forced open.

        Half-open reads 0 even while all its probes are in flight, because nobody knows when one returns.
        """
        if self._state is _OPEN:
            return max(0.0, self._open_until - now)
        return float("inf") if self._state is _FORCED_OPEN else 0.0

    @property
    def recent(self) -> tuple[bool, ...]:
        """The last outcomes, oldest first, True for success; kept through every state but a reset."""
        return tuple(not self._failed_bits >> place & 1 for place in reversed(range(self._seen)))

    @property
    def timeline(self) -> tuple[Transition, ...]:
        """The last transitions, oldest first."""
        return tuple(self._timeline)

    @property
    def consecutive_failures(self) -> int:
        """Failures in a row up to now."""
        return self._consecutive

    @property
    def in_flight(self) -> int:
        """Permits of the present generation that are not released yet."""
        return self._in_flight if self._permit else len(self._probes)

    # --- Inside ---------------------------------------------------------------------------------------

    def _acquire_probe(self, now: float) -> int:
        if self._state is _OPEN and now >= self._open_until:
            self.advance(now)
        if self._state is not _HALF_OPEN or len(self._probes) >= self.settings.half_open_probes:
            return 0
        self._probe_serial += 2
        self._probes.add(self._probe_serial)
        return self._probe_serial

    def _release_closed(self) -> None:
        if not self._in_flight:
            raise PermitError("a permit was released twice")
        self._in_flight -= 1

    def _release_probe(self, permit: int) -> bool:
        """Return True for a live probe, False for a permit of an earlier generation."""
        if permit in self._probes:
            self._probes.remove(permit)
            return True
        if permit in self._abandoned:
            self._abandoned.remove(permit)
            return False
        if permit & 1 or not 0 < permit < 2 * self._generation:
            raise PermitError("a permit was released twice, or was never given")
        return False

    def _slow_success(self, now: float, slow_after_s: float) -> Transition | None:
        self._note(failed=0, slow=1)
        if self._state is not _CLOSED or not self.settings.slow_rate:
            return None
        calls = self._calls
        slow = (self._slow_bits & ((1 << calls) - 1)).bit_count()
        if calls >= self.settings.minimum_calls and slow / calls >= self.settings.slow_rate:
            self.last_why = f"{slow} of the last {calls} calls took longer than {slow_after_s:.3g} s"
            return self._open(now, self.last_why)
        return None

    def _probe_answered(self, permit: int, now: float, duration_s: float) -> Transition | None:
        if not self._release_probe(permit):
            return None
        slow_after_s = self.slow_after_s
        if self.settings.slow_rate and slow_after_s is not None and duration_s > slow_after_s:
            # Slow calls may be what opened it: to close on slow probes would open it again at once.
            self._note(failed=0, slow=1)
            self.last_why = f"probe took longer than {slow_after_s:.3g} s"
            return self._probe_failed(now, self.last_why)
        self._note(failed=0, slow=0)
        self._consecutive = 0
        self.half_open_successes += 1
        if self.half_open_successes < self.settings.half_open_successes:
            return None
        return self._change(_CLOSED, now, f"{self.half_open_successes} probes succeeded")

    def _probe_failed(self, now: float, why: str) -> Transition:
        if now < self._early_open_until:
            return self._reopen(now, why)
        return self._open(now, why)

    def _reopen(self, now: float, why: str) -> Transition:
        """Go back to the open time that an early probe interrupted."""
        self._open_until = self._early_open_until
        return self._change(_OPEN, now, why, self._open_until - now)

    def _note(self, *, failed: int, slow: int) -> None:
        mask = self._window_mask
        self._failed_bits = (self._failed_bits << 1 | failed) & mask
        self._slow_bits = (self._slow_bits << 1 | slow) & mask
        if self._calls < self._window:
            self._calls += 1
        if self._seen < self._window:
            self._seen += 1

    def _failure_trigger(self) -> str:
        """Name the trigger that the failure just noted has pulled, or nothing."""
        settings = self.settings
        if 0 < settings.consecutive_failures <= self._consecutive:
            return f"{self._consecutive} failures in a row"
        calls = self._calls
        if calls < settings.minimum_calls:
            return ""
        since_closed = (1 << calls) - 1
        failed = (self._failed_bits & since_closed).bit_count()
        if settings.failure_rate and failed / calls >= settings.failure_rate:
            return f"{failed} of the last {calls} calls failed"
        slow = (self._slow_bits & since_closed).bit_count()
        if settings.slow_rate and self._slow_bits & 1 and slow / calls >= settings.slow_rate:
            return f"{slow} of the last {calls} calls were slow"
        return ""

    def _open(self, now: float, why: str) -> Transition:
        settings = self.settings
        if self._state is _CLOSED and now - self._closed_at >= settings.healthy_s:
            self._level = 0
        full_s = min(settings.open_cap_s, settings.open_s * settings.open_growth**self._level)
        if full_s < settings.open_cap_s:
            self._level += 1
        open_for_s = full_s * (1.0 - settings.open_jitter * self._random.random())
        self._open_until = now + open_for_s
        self.opened_count += 1
        return self._change(_OPEN, now, why, open_for_s)

    def _force(self, state: BreakerState, now: float, why: str) -> Transition | None:
        if self._state is state:
            return None
        self.last_why = why
        return self._change(state, now, why)

    def _change(self, after: BreakerState, now: float, why: str, open_for_s: float = 0.0) -> Transition:
        transition = Transition(now, self._state, after, why, open_for_s)
        self._timeline.append(transition)
        self._state = after
        self._generation += 1
        self._permit = 2 * self._generation if after is _CLOSED or after is _FORCED_CLOSED else 0
        self._in_flight = 0
        self._abandoned |= self._probes
        self._probes.clear()
        self._early_open_until = 0.0
        self._open_for_s = open_for_s
        if after is _HALF_OPEN:
            self.half_open_successes = 0
        elif after is _CLOSED:
            self._closed_at = now
            if transition.before is not _FORCED_CLOSED:
                self._calls = 0
                self._consecutive = 0
        return transition
