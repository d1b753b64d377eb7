"""The limiter against the plain list of all that was sent: no window ever holds more than its limit."""

import math

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mds_engine.policy.limiter import Limiter, LimiterSettings, LimitWindow

TINY = 1e-9
EXACT = (LimitWindow(5, 1.0), LimitWindow(12, 4.0))
COARSE = (LimitWindow(20, 4.0), LimitWindow(40, 16.0))


class LimiterMachine(RuleBasedStateMachine):
    """Callers ask, sleep, wake on time or late, give up; the vendor throttles, bans and corrects."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.sent: list[tuple[float, int]] = []
        self.waiting: list[tuple[float, int]] = []
        self.blocked_until = 0.0
        self.disturbed = False
        self.stormy = False

    @initialize(windows=st.sampled_from([EXACT, COARSE]), stormy=st.booleans())
    def start(self, windows, stormy: bool) -> None:
        self.stormy = stormy
        self.windows = windows
        self.exact = windows is EXACT
        self.settings = LimiterSettings(slices=16 if self.exact else 4, quiet_s=3.0)
        self.limiter = Limiter(windows, self.settings)

    def earliest(self, weight: int) -> float:
        """The reference: try every moment at which something leaves a window."""
        log = sorted(self.sent + self.waiting)
        floor = max([self.now, self.blocked_until, *(at for at, _ in log)])
        spans = [(window.limit, window.window_s + self.settings.margin_s) for window in self.windows]
        moments = {floor} | {at + span for at, _ in log for _, span in spans if at + span > floor}
        for moment in sorted(moments):
            if all(sum(w for at, w in log if at + span > moment) + weight <= limit for limit, span in spans):
                return moment
        raise AssertionError("an empty window holds any weight within the limit")

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.25, 0.75, 1.0, 3.5, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        callers=st.sampled_from([1, 3, 12, 50]),
        weight=st.integers(1, 5),
        max_wait_s=st.sampled_from([0.0, 1.5, 20.0]),
    )
    def callers_ask(self, callers: int, weight: int, max_wait_s: float) -> None:
        for _ in range(callers):
            wait_s = self.limiter.wait_s(weight, self.now)
            if self.exact and not self.disturbed:
                assert self.now + wait_s == pytest.approx(self.earliest(weight))
            at = self.limiter.reserve(weight, self.now, max_wait_s)
            if at is None:
                assert wait_s > max_wait_s
                return
            assert at - self.now == pytest.approx(wait_s)
            assert at >= max(self.now, self.blocked_until)
            (self.waiting if at > self.now else self.sent).append((at, weight))

    @precondition(lambda self: self.waiting)
    @rule(late_s=st.sampled_from([0.0, 0.04, 0.5, 3.0]))
    def the_next_wakes(self, late_s: float) -> None:
        at, weight = self.waiting.pop(0)
        self.now = max(self.now, at + late_s)
        late = self.now > at + self.settings.margin_s
        counted_at = self.limiter.confirm(at, weight, self.now)
        if counted_at is not None:
            assert self.now >= self.blocked_until
            assert counted_at == (self.now if late else at)
            self.sent.append((counted_at, weight))
        else:
            assert late or self.disturbed

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 1000))
    def a_caller_gives_up(self, which: int) -> None:
        at, weight = self.waiting.pop(which % len(self.waiting))
        self.limiter.cancel(at, weight)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(1, 6), late_s=st.sampled_from([0.04, 0.3, 0.9, 2.5]))
    def a_call_reached_the_vendor_late(self, which: int, late_s: float) -> None:
        at, weight = self.sent[-which % len(self.sent)]
        arrived = min(at + late_s, self.now)
        if arrived - at <= self.settings.margin_s:
            return
        others = list(self.sent)
        others.remove((at, weight))
        if not self.fits([*others, (arrived, weight)]):
            return  # too late to keep the vendor from counting too many
        self.limiter.came_late(at, weight, arrived, self.now)
        self.sent = [*others, (arrived, weight)]
        self.disturbed = True

    @precondition(lambda self: self.stormy)
    @rule(retry_after_s=st.sampled_from([None, 0.0, 0.5, 7.0]))
    def vendor_throttles(self, retry_after_s: float | None) -> None:
        self.limiter.throttled(self.now, retry_after_s)
        self.blocked_until = max(self.blocked_until, self.now + (retry_after_s or 0.0))
        assert self.limiter.blocked_until(self.now) is None or self.limiter.rate_factor < 1.0
        self.disturbed = True

    @precondition(lambda self: self.stormy)
    @rule(ban_s=st.sampled_from([2.0, 60.0]))
    def vendor_bans(self, ban_s: float) -> None:
        self.limiter.banned(self.now, self.now + ban_s)
        self.blocked_until = max(self.blocked_until, self.now + ban_s)
        self.disturbed = True

    @precondition(lambda self: self.stormy)
    @rule(used=st.integers(0, 40))
    def vendor_corrects(self, used: int) -> None:
        self.limiter.observed(self.windows[0].window_s, self.now, used=used)
        self.disturbed = True

    @rule()
    def operator_resets(self) -> None:
        self.limiter.reset(self.now)
        self.blocked_until = 0.0
        assert self.limiter.rate_factor == 1.0

    def fits(self, sent: list[tuple[float, int]]) -> bool:
        """Whether no window holds more than its limit."""
        return all(
            sum(weight for at, weight in sent if start <= at < start + window.window_s - TINY) <= window.limit
            for window in getattr(self, "windows", ())
            for start, _ in sent
        )

    @invariant()
    def no_window_over_its_limit(self) -> None:
        assert self.fits(self.sent)

    @invariant()
    def our_count_is_never_too_low(self) -> None:
        for use in self.limiter.used(self.now) if hasattr(self, "limiter") else ():
            begin = self.now - use.window_s
            assert use.used + use.reserved >= sum(weight for at, weight in self.sent if at > begin)
            assert use.allowed <= use.limit

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "limiter"):
            assert self.limiter.memory_slices <= 2 * 16 * len(self.windows)

    @invariant()
    def blocked_means_blocked(self) -> None:
        if hasattr(self, "limiter") and self.now < self.blocked_until:
            assert self.limiter.reserve(1, self.now, 0.0) is None
            assert (self.limiter.blocked_until(self.now) or 0.0) >= self.blocked_until
            assert self.limiter.wait_s(1, self.now) < math.inf


LimiterMachine.TestCase.settings = hypothesis_settings(
    max_examples=250, stateful_step_count=40, deadline=None, derandomize=True
)
TestLimiterMachine = LimiterMachine.TestCase
