"""The breaker against a reference that keeps everything in plain lists."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mds_engine.policy.breaker import Breaker, BreakerSettings, BreakerState, PermitError

SETTINGS = BreakerSettings(
    consecutive_failures=3,
    window_calls=6,
    minimum_calls=4,
    open_s=10.0,
    open_cap_s=35.0,
    open_jitter=0.0,
    healthy_s=50.0,
    half_open_probes=2,
    half_open_successes=3,
)
SLOW_AFTER_S = 1.0


@dataclass
class Reference:
    """What the breaker promises, written for reading and not for speed."""

    state: str = "closed"
    since: float = 0.0
    open_until: float = 0.0
    last_length: float = 0.0
    generation: int = 0
    calls: list[tuple[bool, bool]] = field(default_factory=list)  # (failed, slow) since it closed
    history: list[bool] = field(default_factory=list)
    probes: int = 0
    successes: int = 0
    opened: int = 0

    def advance(self, now: float) -> None:
        if self.state == "open" and now >= self.open_until:
            self.move("half-open", now)

    def move(self, state: str, now: float) -> None:
        if state == "closed" and self.state != "forced-closed":
            self.calls = []
        self.state, self.since = state, now
        self.generation += 1
        self.probes = self.successes = 0

    def open(self, now: float) -> None:
        healthy = self.state == "closed" and now - self.since >= SETTINGS.healthy_s
        if healthy or not self.last_length:
            self.last_length = SETTINGS.open_s
        else:
            self.last_length = min(SETTINGS.open_cap_s, self.last_length * SETTINGS.open_growth)
        self.open_until = now + self.last_length
        self.opened += 1
        self.move("open", now)

    def acquire(self, now: float) -> bool:
        self.advance(now)
        if self.state == "half-open" and self.probes < SETTINGS.half_open_probes:
            self.probes += 1
            return True
        return self.state in ("closed", "forced-closed")

    def release(self, generation: int, now: float, failed: bool, slow: bool) -> None:
        if generation != self.generation:
            return
        self.history.append(not failed)
        if self.state == "half-open":
            self.probes -= 1
            if failed or slow:
                self.open(now)
            else:
                self.successes += 1
                if self.successes == SETTINGS.half_open_successes:
                    self.move("closed", now)
            return
        self.calls.append((failed, slow))
        if self.state == "closed" and (failed or slow) and self.tripped(failed):
            self.open(now)

    def tripped(self, failed_now: bool) -> bool:
        last = self.calls[-SETTINGS.window_calls :]
        in_a_row = self.calls[-SETTINGS.consecutive_failures :]
        if len(in_a_row) == SETTINGS.consecutive_failures and all(failed for failed, _ in in_a_row):
            return True
        if len(last) < SETTINGS.minimum_calls:
            return False
        failures, slows = sum(failed for failed, _ in last), sum(slow for _, slow in last)
        by_failures = failed_now and failures >= SETTINGS.failure_rate * len(last)
        by_slowness = last[-1][1] and slows >= SETTINGS.slow_rate * len(last)
        return by_failures or by_slowness

    def ignore(self, generation: int) -> None:
        if generation == self.generation and self.state == "half-open":
            self.probes -= 1


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.breaker = Breaker(SETTINGS, Random(1))
        self.breaker.slow_after_s = SLOW_AFTER_S
        self.reference = Reference(since=-1e9)
        self.held: list[tuple[int, int]] = []
        self.released_probes: list[int] = []
        self.forced: str | None = None

    @rule(seconds=st.sampled_from([0.0, 0.5, 5.0, 10.0, 20.0, 40.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(callers=st.sampled_from([1, 2, 5, 50]))
    def callers_ask(self, callers: int) -> None:
        for _ in range(callers):
            permit = self.breaker.acquire(self.now)
            assert (permit != 0) == self.reference.acquire(self.now)
            if permit:
                self.held.append((permit, self.reference.generation))

    def take(self, which: int) -> tuple[int, int]:
        permit, generation = self.held.pop(which % len(self.held))
        if permit & 1:
            self.released_probes.append(permit)
        return permit, generation

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1000), slow=st.booleans())
    def answered(self, which: int, slow: bool) -> None:
        permit, generation = self.take(which)
        self.breaker.success(permit, self.now, 2.0 if slow else 0.1)
        self.reference.release(generation, self.now, failed=False, slow=slow)

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1000), slow=st.booleans())
    def failed(self, which: int, slow: bool) -> None:
        permit, generation = self.take(which)
        self.breaker.failure(permit, self.now, 2.0 if slow else 0.1, "refused")
        self.reference.release(generation, self.now, failed=True, slow=slow)

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1000), times=st.integers(1, 30))
    def callers_were_wrong(self, which: int, times: int) -> None:
        """Nothing that the caller did wrong ever opens a breaker, however often."""
        for _ in range(min(times, len(self.held))):
            permit, generation = self.take(which)
            before = self.breaker.state(self.now)
            self.breaker.ignore(permit, self.now)
            self.reference.ignore(generation)
            assert self.breaker.state(self.now) is before

    @precondition(lambda self: self.released_probes)
    @rule(which=st.integers(0, 1000), kind=st.integers(0, 2))
    def released_again(self, which: int, kind: int) -> None:
        permit = self.released_probes[which % len(self.released_probes)]
        releases = (
            lambda: self.breaker.success(permit, self.now, 0.1),
            lambda: self.breaker.failure(permit, self.now, 0.1, "again"),
            lambda: self.breaker.ignore(permit, self.now),
        )
        with pytest.raises(PermitError):
            releases[kind]()

    @rule(to_open=st.booleans())
    def operator_forces(self, to_open: bool) -> None:
        wanted = "forced-open" if to_open else "forced-closed"
        force = self.breaker.force_open if to_open else self.breaker.force_closed
        assert (force(self.now, "asha") is None) == (self.reference.state == wanted)
        if self.reference.state != wanted:
            self.reference.move(wanted, self.now)
        self.forced = wanted

    @rule()
    def operator_lets_go(self) -> None:
        self.breaker.automatic(self.now, "asha")
        if self.forced:
            self.reference.move("half-open" if self.forced == "forced-open" else "closed", self.now)
        self.forced = None

    @rule()
    def operator_resets(self) -> None:
        self.breaker.reset(self.now, "asha")
        if self.reference.state != "closed":
            self.reference.move("closed", self.now)
        self.reference.since = self.now
        self.reference.calls, self.reference.history = [], []
        self.reference.last_length, self.reference.opened = 0.0, 0
        self.forced = None

    @rule()
    def other_capabilities_failed(self) -> None:
        self.breaker.advance(self.now)
        self.reference.advance(self.now)
        self.breaker.trip(self.now, "others")
        if self.reference.state in ("closed", "half-open"):
            self.reference.open(self.now)

    @invariant()
    def agrees(self) -> None:
        due = self.reference.state == "open" and self.now >= self.reference.open_until
        assert self.breaker.state(self.now) == ("half-open" if due else self.reference.state)
        assert self.breaker.recent == tuple(self.reference.history[-SETTINGS.window_calls :])
        assert self.breaker.opened_count == self.reference.opened
        if self.reference.state == "open":
            left_s = max(0.0, self.reference.open_until - self.now)
            assert self.breaker.retry_in_s(self.now) == pytest.approx(left_s)
            assert self.reference.last_length <= SETTINGS.open_cap_s

    @invariant()
    def forced_states_hold(self) -> None:
        if self.forced:
            assert self.breaker.state(self.now) == self.forced

    @invariant()
    def never_more_probes_than_allowed(self) -> None:
        if self.breaker.state(self.now) is BreakerState.HALF_OPEN:
            assert self.breaker.in_flight <= SETTINGS.half_open_probes


BreakerMachine.TestCase.settings = hypothesis_settings(
    max_examples=150, stateful_step_count=60, deadline=None, derandomize=True
)
TestBreakerMachine = BreakerMachine.TestCase
