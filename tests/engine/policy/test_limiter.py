"""The limiter read as a manual: what it grants, and how it takes the vendor's word."""

import math

import msgspec
import pytest
from mds_engine.policy.limiter import Limiter, LimiterSettings, LimitWindow

PER_SECOND = LimitWindow(limit=5, window_s=1.0)


def limiter(*windows: LimitWindow, **changes: float) -> Limiter:
    return Limiter(windows or (PER_SECOND,), LimiterSettings(**changes))


def ask(subject: Limiter, now: float, times: int, max_wait_s: float = 60.0, weight: int = 1):
    return [subject.reserve(weight, now, max_wait_s) for _ in range(times)]


def test_the_limit_at_once_then_one_by_one_as_the_window_slides():
    subject = limiter()
    assert ask(subject, 100.0, 5) == [100.0] * 5
    assert subject.wait_s(1, 100.0) == pytest.approx(1.05), "the window and its margin"
    assert ask(subject, 100.0, 6) == pytest.approx([101.05] * 5 + [102.1])


def test_a_wait_that_is_too_long_is_refused_and_not_recorded():
    subject = limiter()
    ask(subject, 0.0, 5)
    assert ask(subject, 0.0, 1000, max_wait_s=1.0) == [None] * 1000
    assert subject.reserve(5, 0.0, 1.1) == pytest.approx(1.05)


def test_a_bucket_would_let_twice_the_limit_through_and_this_does_not():
    subject = limiter(LimitWindow(10, 10.0), margin_s=0.0)
    sent = ask(subject, 0.0, 10)
    now = 0.0
    while now < 9.75:
        now += 0.25
        sent += [at for at in ask(subject, now, 1, max_wait_s=0.0) if at is not None]
    assert len(sent) == 10


def test_several_windows_hold_at_once():
    subject = limiter(LimitWindow(2, 1.0), LimitWindow(3, 10.0), margin_s=0.0)
    assert ask(subject, 0.0, 4) == [0.0, 0.0, 1.0, 10.0]


def test_a_weight_above_the_limit_is_never_granted():
    subject = limiter()
    assert subject.wait_s(6, 0.0) == math.inf
    assert subject.reserve(6, 0.0, math.inf) is None
    with pytest.raises(ValueError, match="negative"):
        subject.reserve(-1, 0.0, 1.0)


def test_a_heavy_call_is_not_overtaken_by_light_ones():
    subject = limiter(margin_s=0.0)
    ask(subject, 0.0, 3)
    assert subject.reserve(4, 0.5, 10.0) == 1.0
    assert subject.reserve(1, 0.5, 10.0) == 1.0


def test_who_asks_later_is_never_sent_before_who_waits():
    subject = limiter(margin_s=0.0)
    grants = ask(subject, 0.0, 6)
    for grant in grants[:3]:
        subject.cancel(grant, 1)
    assert subject.reserve(1, 0.5, 10.0) == grants[-1] == 1.0


def test_without_windows_nothing_is_limited_but_a_throttle_is_heeded():
    subject = Limiter((), LimiterSettings())
    assert ask(subject, 0.0, 10_000) == [0.0] * 10_000
    subject.throttled(0.0, 30.0)
    assert subject.reserve(1, 0.0, 60.0) == 30.0
    assert ask(subject, 30.0, 1) == [30.0]
    assert ask(subject, 1000.0, 1) == [1000.0]
    assert subject.rate_factor == 1.0


def test_a_cancelled_grant_leaves_its_place_to_another():
    subject = limiter()
    grants = ask(subject, 0.0, 5)
    subject.cancel(grants[0], 1)
    assert ask(subject, 0.0, 1, max_wait_s=0.0) == [0.0]
    later = subject.reserve(1, 0.0, 10.0)
    subject.cancel(later, 1)
    assert subject.used(0.0)[0].reserved == 0
    assert subject.reserve(1, 0.0, 10.0) == later


def test_a_429_blocks_for_its_time_and_halves_the_rate():
    subject = limiter(LimitWindow(10, 1.0), margin_s=0.0)
    subject.throttled(100.0, 3600.0)
    assert subject.blocked_until(100.0) == 3700.0
    assert subject.wait_s(1, 200.0) == 3500.0
    assert subject.blocked_until(3700.0) is None
    assert subject.rate_factor == 0.5
    assert ask(subject, 3700.0, 6) == [3700.0] * 5 + [3701.0]


def test_fifty_429s_of_one_burst_halve_it_once():
    subject = limiter(LimitWindow(100, 1.0))
    for _ in range(50):
        subject.throttled(0.0, 0.0)
    assert subject.rate_factor == 0.5
    subject = limiter(LimitWindow(100, 1.0))
    for _ in range(50):
        subject.throttled(0.0, None)
    assert subject.rate_factor == 0.5
    assert subject.blocked_until(0.0) == 1.0


def test_a_429_without_a_time_waits_longer_each_time_up_to_the_cap():
    subject = limiter(throttle_wait_cap_s=5.0)
    now, waits = 0.0, []
    for _ in range(4):
        subject.throttled(now, None)
        until = subject.blocked_until(now)
        waits.append(until - now)
        now = until
    assert waits == [1.0, 2.0, 4.0, 5.0]
    assert subject.rate_factor == 0.0625
    subject.throttled(now, None)
    assert subject.rate_factor == 0.05, "the floor"


def test_each_quiet_period_gives_back_a_twentieth():
    subject = limiter(LimitWindow(100, 1.0), quiet_s=10.0)
    subject.throttled(0.0, 5.0)
    rates = []
    for now in (14.9, 15.0, 25.0, 55.0, 114.9):
        subject.used(now)
        rates.append(subject.rate_factor)
    assert rates == [0.5, 0.55, 0.6, 0.75, 1.0]
    subject.throttled(200.0, None)
    assert subject.blocked_until(200.0) == 201.0, "at the full rate the wait is short again"


def test_less_than_one_call_a_window_stretches_the_window():
    subject = limiter(LimitWindow(1, 1.0), margin_s=0.0)
    subject.throttled(0.0, 0.0)
    assert ask(subject, 0.0, 3) == [0.0, 2.0, 4.0]


def test_a_heavy_call_goes_alone_at_a_reduced_rate():
    subject = limiter(LimitWindow(10, 1.0), margin_s=0.0)
    subject.throttled(0.0, 0.0)
    assert subject.reserve(10, 0.0, 10.0) == 0.0
    assert subject.reserve(1, 0.0, 10.0) == 1.0


def test_a_ban_is_shortened_by_nothing_but_a_reset():
    subject = limiter()
    subject.banned(0.0, until=1000.0)
    subject.banned(0.0, until=10.0)
    subject.throttled(0.0, 1.0)
    subject.observed(1.0, 0.0, remaining=5)
    assert subject.blocked_until(500.0) == 1000.0
    assert subject.banned_until == 1000.0
    subject.reset(500.0)
    assert subject.blocked_until(500.0) is None
    assert subject.banned_until is None
    assert subject.rate_factor == 1.0


def test_a_ban_without_end_waits_for_ever():
    subject = limiter()
    subject.banned(0.0, until=math.inf)
    assert subject.wait_s(1, 1e9) == math.inf
    assert subject.reserve(1, 1e9, math.inf) is None


def test_a_reset_does_not_forget_what_was_granted():
    subject = limiter()
    ask(subject, 0.0, 5)
    subject.reset(0.1)
    assert ask(subject, 0.1, 1, max_wait_s=0.5) == [None]


def test_a_grant_slept_for_is_void_after_a_429_and_its_place_is_free():
    subject = limiter(margin_s=0.0)
    ask(subject, 0.0, 5)
    grant = subject.reserve(5, 0.0, 10.0)
    subject.throttled(0.5, 0.1)
    assert subject.used(0.5)[0].reserved == 0
    assert subject.confirm(grant, 5, grant) is None
    again = subject.reserve(2, 1.0, 10.0)
    assert again == 1.0
    assert subject.confirm(again, 2, 1.0) is not None


def test_a_grant_for_now_confirms_unless_blocked_since():
    subject = limiter()
    grant = subject.reserve(1, 0.0, 0.0)
    assert subject.confirm(grant, 1, 0.0) is not None
    subject.banned(0.0, until=9.0)
    assert subject.confirm(grant, 1, 0.01) is None
    assert subject.used(0.01)[0].used == 0


def test_who_wakes_late_does_not_crowd_those_behind():
    subject = limiter(LimitWindow(1, 1.0), margin_s=0.05)
    ask(subject, 0.0, 1)
    first, second = ask(subject, 0.0, 2)
    assert subject.confirm(first, 1, first + 0.9) is None, "the next in line is due too soon after"
    assert subject.confirm(second, 1, second) is not None
    third = subject.reserve(1, second, 10.0)
    assert subject.confirm(third, 1, third + 0.9) is not None, "nobody is behind: it moves"
    assert subject.wait_s(1, third + 0.9) == pytest.approx(1.05)


def test_the_vendors_count_corrects_ours_upwards():
    subject = limiter(LimitWindow(6000, 60.0))
    ask(subject, 0.0, 10)
    subject.observed(60.0, 1.0, used=5000)
    assert subject.used(1.0)[0].used == 5000
    subject.observed(60.0, 2.0, used=3)
    assert subject.used(2.0)[0].used == 5000
    subject.observed(60.0, 2.0, remaining=200)
    assert subject.used(2.0)[0].used == 5800
    subject.observed(1.0, 2.0, used=99)
    assert ask(subject, 2.0, 201, max_wait_s=1.0) == [2.0] * 200 + [None]


def test_a_correction_voids_the_grants_that_it_overtakes():
    subject = limiter(margin_s=0.0)
    ask(subject, 0.0, 5)
    grant = subject.reserve(1, 0.0, 10.0)
    subject.observed(1.0, 0.5, used=7)
    assert subject.confirm(grant, 1, grant) is None
    assert subject.reserve(4, grant, 10.0) == 1.5


def test_limits_can_be_learned_from_the_vendor():
    subject = limiter(LimitWindow(1200, 60.0), margin_s=0.0)
    ask(subject, 0.0, 1200)
    subject.set_limit(60.0, 6000)
    assert ask(subject, 0.0, 4801, max_wait_s=1.0) == [0.0] * 4800 + [None]
    subject.set_limit(300.0, 6000)
    assert subject.reserve(1, 61.0, 300.0) == 300.0, "a new window knows what was sent before it came"


def test_a_lower_limit_voids_what_was_granted_ahead_by_the_higher():
    subject = limiter(margin_s=0.0)
    grants = ask(subject, 0.0, 10)
    subject.set_limit(1.0, 2)
    assert {subject.confirm(grant, 1, 1.0) for grant in grants[5:]} == {None}
    assert ask(subject, 1.0, 3) == [1.0, 1.0, 2.0]


def test_memory_is_bounded_at_any_rate_and_costs_little_of_the_limit():
    subject = limiter(LimitWindow(61_000, 300.0), LimitWindow(6000, 60.0))
    now, granted, longest = 0.0, 0, 0
    while now < 1200.0:
        now += 0.05
        granted += sum(at is not None for at in ask(subject, now, 8, max_wait_s=0.0))
        longest = max(longest, subject.memory_slices)
    assert longest <= 2 * 130
    assert granted >= 0.97 * 6000 * 20


def test_callers_that_never_come_back_are_forgotten():
    subject = limiter(LimitWindow(1, 1.0), margin_s=0.0)
    for second in range(0, 2000, 2):
        assert ask(subject, second + 0.5, 2) == [second + 0.5, second + 1.5]
    assert subject.memory_waiting <= 2


@pytest.mark.parametrize("looked_at_between", [False, True])
def test_a_slice_is_as_old_as_its_newest_call(looked_at_between):
    subject = limiter(LimitWindow(20, 4.0), slices=4, margin_s=0.0)
    ask(subject, 0.0, 5)
    if looked_at_between:
        subject.used(0.5)
    ask(subject, 0.75, 15)
    assert subject.wait_s(1, 4.0) == 0.75, "what was sent at 0 s leaves with what was sent at 0.75 s"
    assert ask(subject, 4.0, 1, max_wait_s=0.7) == [None]
    assert ask(subject, 4.75, 21, max_wait_s=0.0) == [4.75] * 20 + [None]


def test_memory_is_bounded_for_grants_far_ahead_too():
    subject = limiter(LimitWindow(2, 1.0))
    ask(subject, 0.0, 2000, max_wait_s=math.inf)
    assert subject.memory_slices <= 2 * 128


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin_s": -1},
        {"slices": 1},
        {"throttle_factor": 0},
        {"quiet_s": 0},
        {"throttle_wait_s": 90.0},
        {"x": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, LimiterSettings)


def test_windows_that_cannot_work_are_refused():
    for window in (LimitWindow(0, 1.0), LimitWindow(1, 0.0)):
        with pytest.raises(ValueError, match="limit window"):
            limiter(window)
    with pytest.raises(ValueError, match="limit window"):
        limiter().set_limit(1.0, 0)


def test_other_windows_count_what_was_granted_before():
    subject = limiter(LimitWindow(5, 1.0), margin_s=0.0)
    ask(subject, 0.0, 4)
    subject.use([LimitWindow(6, 60.0)], LimiterSettings(margin_s=0.0))
    assert ask(subject, 0.5, 3) == [0.5, 0.5, 60.0]
    assert [use.window_s for use in subject.used(0.5)] == [60.0]


def test_a_window_that_stays_keeps_its_own_log_and_a_lower_limit_voids_what_waits():
    subject = limiter(LimitWindow(2, 1.0), LimitWindow(100, 60.0), margin_s=0.0)
    ask(subject, 0.0, 2)
    waiting = subject.reserve(1, 0.0, 10.0)
    subject.use([LimitWindow(1, 1.0), LimitWindow(3, 60.0)], LimiterSettings(margin_s=0.0))
    assert subject.confirm(waiting, 1, 1.0) is None, "it was granted under another limit"
    assert ask(subject, 2.0, 2) == [2.0, 60.0]


def test_a_ban_and_a_slower_rate_outlast_other_windows():
    subject = limiter(LimitWindow(10, 1.0))
    subject.throttled(0.0, None)
    subject.banned(0.0, 30.0)
    subject.use([LimitWindow(20, 1.0)], LimiterSettings())
    assert subject.wait_s(1, 1.0) == pytest.approx(29.0)
    assert subject.used(31.0)[0].allowed == 10, "half of the new limit"
