"""The breaker read as a manual: what opens it, what closes it, what never moves it."""

from random import Random

import msgspec
import pytest
from mds_engine.policy.breaker import Breaker, BreakerSettings, BreakerState, PermitError

STEADY = BreakerSettings(open_jitter=0.0)


def breaker(**changes: float) -> Breaker:
    return Breaker(msgspec.structs.replace(STEADY, **changes), Random(1))


def fail(subject: Breaker, now: float, times: int = 1, why: str = "refused"):
    moved = None
    for _ in range(times):
        moved = subject.failure(subject.acquire(now), now, 0.1, why)
    return moved


def succeed(subject: Breaker, now: float, times: int = 1, duration_s: float = 0.1):
    moved = None
    for _ in range(times):
        moved = subject.success(subject.acquire(now), now, duration_s)
    return moved


def test_five_failures_in_a_row_open_it():
    subject = breaker()
    assert fail(subject, 10.0, times=4) is None
    moved = fail(subject, 11.0)
    assert moved is not None
    assert (moved.at, moved.before, moved.after, moved.open_for_s) == (11.0, "closed", "open", 60.0)
    assert moved.why == "5 failures in a row: refused"
    assert subject.acquire(70.9) == 0
    assert subject.retry_in_s(41.0) == 30.0
    assert subject.timeline == (moved,)


def test_a_success_ends_the_row():
    subject = breaker(failure_rate=0.0)
    fail(subject, 1.0, times=4)
    succeed(subject, 1.0)
    fail(subject, 1.0, times=4)
    assert subject.state(1.0) is BreakerState.CLOSED


def test_half_of_the_last_twenty_open_it():
    subject = breaker(consecutive_failures=0)
    succeed(subject, 1.0, times=50)
    for _ in range(9):
        assert fail(subject, 1.0) is None
        succeed(subject, 1.0)
    moved = fail(subject, 1.0)
    assert moved is not None
    assert moved.why == "10 of the last 20 calls failed: refused"


def test_rates_wait_for_the_minimum_of_calls():
    subject = breaker(consecutive_failures=0)
    assert fail(subject, 1.0, times=4) is None
    assert fail(subject, 1.0) is not None


def test_a_success_never_opens_it_by_the_failure_rate():
    subject = breaker(consecutive_failures=0)
    fail(subject, 1.0, times=4)
    assert succeed(subject, 1.0) is None
    assert subject.state(1.0) is BreakerState.CLOSED


def test_slow_calls_open_it_and_unknown_speed_does_not():
    subject = breaker()
    assert succeed(subject, 1.0, times=20, duration_s=100.0) is None
    subject = breaker()
    subject.slow_after_s = 2.0
    assert succeed(subject, 1.0, times=4, duration_s=2.1) is None
    moved = succeed(subject, 1.0, duration_s=2.1)
    assert moved is not None
    assert moved.why == "5 of the last 5 calls took longer than 2 s"


def test_slow_failures_count_as_slow():
    subject = breaker(consecutive_failures=0, failure_rate=0.0)
    subject.slow_after_s = 2.0
    for _ in range(4):
        subject.failure(subject.acquire(1.0), 1.0, 30.0, "timeout")
    moved = subject.failure(subject.acquire(1.0), 1.0, 30.0, "timeout")
    assert moved is not None
    assert moved.why == "5 of the last 5 calls were slow: timeout"


def test_an_open_breaker_reads_half_open_when_its_time_is_over_and_three_probes_close_it():
    subject = breaker()
    fail(subject, 0.0, times=5)
    assert subject.state(59.9) is BreakerState.OPEN
    assert subject.state(60.0) is BreakerState.HALF_OPEN
    assert succeed(subject, 60.0) is None
    assert subject.half_open_successes == 1
    assert succeed(subject, 61.0) is None
    moved = succeed(subject, 62.0)
    assert moved is not None
    assert moved.after is BreakerState.CLOSED
    assert [step.after for step in subject.timeline] == ["open", "half-open", "closed"]
    assert fail(subject, 63.0, times=4) is None, "the failures from before it opened are forgotten"


def test_fifty_callers_one_probe():
    subject = breaker()
    fail(subject, 0.0, times=5)
    permits = [subject.acquire(60.0) for _ in range(50)]
    assert sum(permit != 0 for permit in permits) == 1
    subject.ignore(permits[0], 60.0)
    assert subject.acquire(60.0) != 0, "an ignored outcome frees its slot"


def test_a_failed_probe_opens_it_for_longer_up_to_the_cap_and_healthy_time_restores():
    subject = breaker()
    now, lengths = 0.0, []
    moved = fail(subject, now, times=5)
    for _ in range(4):
        lengths.append(moved.open_for_s)
        now += moved.open_for_s
        moved = fail(subject, now)
    assert [*lengths, moved.open_for_s] == [60.0, 120.0, 240.0, 300.0, 300.0]
    now += 300.0
    succeed(subject, now, times=3)
    moved = fail(subject, now + 299.0, times=5)
    assert moved.open_for_s == 300.0, "299 s are not yet five healthy minutes"
    now += 299.0 + 300.0
    succeed(subject, now, times=3)
    moved = fail(subject, now + 300.0, times=5)
    assert moved.open_for_s == 60.0


def test_jitter_only_shortens():
    lengths = set()
    for seed in range(50):
        subject = Breaker(BreakerSettings(open_jitter=0.1), Random(seed))
        lengths.add(fail(subject, 0.0, times=5).open_for_s)
    assert len(lengths) == 50
    assert min(lengths) >= 54.0
    assert max(lengths) <= 60.0


def test_a_slow_probe_does_not_close():
    subject = breaker()
    subject.slow_after_s = 1.0
    fail(subject, 0.0, times=5)
    moved = succeed(subject, 60.0, duration_s=1.5)
    assert moved is not None
    assert (moved.after, moved.why) == (BreakerState.OPEN, "probe took longer than 1 s")


def test_releasing_twice_is_an_error():
    subject = breaker()
    permit = subject.acquire(0.0)
    subject.success(permit, 0.0, 0.1)
    with pytest.raises(PermitError):
        subject.success(permit, 0.0, 0.1)
    subject.trip(0.0, "told so")
    probe = subject.acquire(60.0)
    subject.success(probe, 60.0, 0.1)
    for release in (
        lambda: subject.success(probe, 60.0, 0.1),
        lambda: subject.failure(probe, 60.0, 0.1, "again"),
        lambda: subject.ignore(probe, 60.0),
        lambda: subject.ignore(0, 60.0),
        lambda: subject.ignore(probe + 2, 60.0),
        lambda: subject.ignore(10_000, 60.0),
    ):
        with pytest.raises(PermitError):
            release()
    assert subject.state(60.0) is BreakerState.HALF_OPEN
    assert subject.half_open_successes == 1


def test_permits_of_an_earlier_generation_count_nowhere():
    subject = breaker(half_open_successes=1)
    late = [subject.acquire(0.0) for _ in range(3)]
    fail(subject, 0.0, times=5)
    assert subject.success(late[0], 60.0, 0.1) is None
    assert subject.state(60.0) is BreakerState.HALF_OPEN
    probe = subject.acquire(60.0)
    assert subject.success(late[1], 60.0, 0.1) is None
    assert subject.state(60.0) is BreakerState.HALF_OPEN
    assert subject.success(probe, 60.0, 0.1) is not None
    seen = subject.recent
    assert subject.failure(late[2], 60.0, 0.1, "late") is None
    assert subject.recent == seen


def test_a_probe_of_an_earlier_half_open_time_is_released_once_too():
    subject = breaker(half_open_probes=2)
    fail(subject, 0.0, times=5)
    first, second = subject.acquire(60.0), subject.acquire(60.0)
    subject.failure(first, 60.0, 0.1, "refused")
    assert subject.success(second, 61.0, 0.1) is None
    with pytest.raises(PermitError):
        subject.success(second, 61.0, 0.1)


def test_forced_open_holds_until_the_operator_ends_it():
    subject = breaker()
    moved = subject.force_open(0.0, "asha: bad prices")
    assert moved is not None
    assert moved.after is BreakerState.FORCED_OPEN
    assert subject.force_open(1.0, "again") is None
    assert subject.acquire(1e9) == 0
    assert subject.acquire_early(1e9) == 0
    assert subject.trip(1e9, "others failed") is None
    assert subject.retry_in_s(1e9) == float("inf")
    assert subject.automatic(1e9, "asha: over").after is BreakerState.HALF_OPEN
    assert subject.automatic(1e9, "asha: over") is None


def test_forced_closed_holds_and_what_failed_meanwhile_still_counts():
    subject = breaker()
    subject.force_closed(0.0, "asha: let it through")
    assert fail(subject, 1.0, times=30) is None
    assert subject.trip(1.0, "others failed") is None
    assert subject.state(1.0) is BreakerState.FORCED_CLOSED
    assert subject.automatic(2.0, "asha: over").after is BreakerState.CLOSED
    assert fail(subject, 3.0).after is BreakerState.OPEN


def test_reset_forgets_everything():
    subject = breaker()
    for now in (0.0, 60.0, 180.0):
        fail(subject, now, times=5) if now == 0.0 else fail(subject, now)
    assert subject.opened_count == 3
    assert subject.reset(200.0, "asha: repaired").after is BreakerState.CLOSED
    assert subject.reset(200.0, "asha: repaired") is None
    assert (subject.recent, subject.opened_count, subject.last_why) == ((), 0, "asha: repaired")
    assert fail(subject, 201.0, times=5).open_for_s == 60.0
    subject.force_open(300.0, "asha")
    assert subject.reset(300.0, "asha").before is BreakerState.FORCED_OPEN


def test_recent_is_what_the_screen_draws():
    subject = breaker()
    succeed(subject, 0.0, times=2)
    fail(subject, 0.0)
    succeed(subject, 0.0)
    assert subject.recent == (True, True, False, True)
    succeed(subject, 0.0, times=30)
    assert subject.recent == (True,) * 20


def test_a_panic_probe_goes_before_its_time_and_costs_no_growth():
    subject = breaker()
    fail(subject, 0.0, times=5)
    early = [subject.acquire_early(10.0) for _ in range(50)]
    assert sum(permit != 0 for permit in early) == 1
    moved = subject.failure(early[0], 11.0, 0.1, "refused")
    assert (moved.after, moved.open_for_s) == (BreakerState.OPEN, 49.0)
    assert subject.retry_in_s(11.0) == 49.0
    assert subject.opened_count == 1
    subject.ignore(subject.acquire_early(20.0), 20.0)
    assert subject.state(21.0) is BreakerState.OPEN, "a probe that told nothing leaves it as it was"
    assert succeed_early(subject, 30.0) is BreakerState.HALF_OPEN
    succeed(subject, 30.0, times=2)
    assert subject.state(30.0) is BreakerState.CLOSED


def succeed_early(subject: Breaker, now: float) -> BreakerState:
    subject.success(subject.acquire_early(now), now, 0.1)
    return subject.state(now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"consecutive_failures": -1},
        {"failure_rate": 1.5},
        {"minimum_calls": 30},
        {"open_s": 0},
        {"open_cap_s": 10.0},
        {"open_jitter": 1.0},
        {"open_growth": 0.5},
        {"half_open_probes": 0},
        {"open_seconds": 5},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, BreakerSettings)


def test_a_quick_failure_does_not_open_it_for_slowness():
    subject = breaker()
    subject.slow_after_s = 1.0
    succeed(subject, 0.0, times=4, duration_s=1.1)
    assert fail(subject, 0.0) is None


def test_a_panic_probe_that_healed_it_leaves_nothing_behind():
    subject = breaker()
    fail(subject, 0.0, times=5)
    subject.success(subject.acquire_early(10.0), 10.0, 0.1)
    succeed(subject, 11.0, times=2)
    subject.force_open(12.0, "asha")
    subject.automatic(13.0, "asha")
    assert fail(subject, 14.0).open_for_s == 120.0


def test_other_settings_hold_from_the_next_call_on_and_what_was_seen_stays():
    subject = breaker(consecutive_failures=0)
    fail(subject, 0.0, times=3)
    subject.use(msgspec.structs.replace(STEADY, consecutive_failures=0, window_calls=4, minimum_calls=4))
    moved = fail(subject, 1.0)
    assert moved is not None
    assert moved.why == "4 of the last 4 calls failed: refused"
    assert subject.recent == (False,) * 4


def test_a_shorter_window_forgets_what_lies_beyond_it():
    subject = breaker(consecutive_failures=0, minimum_calls=20)
    fail(subject, 0.0, times=5)
    succeed(subject, 0.0, times=2)
    subject.use(msgspec.structs.replace(STEADY, window_calls=2, minimum_calls=1))
    assert subject.recent == (True, True)
    assert succeed(subject, 1.0) is None
