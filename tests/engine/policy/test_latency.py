"""Latency quantiles: how near to the truth, over which window, in how much memory."""

import math
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.latency import LatencySettings, LatencyTracker


def tracker(**changes: float) -> LatencyTracker:
    return LatencyTracker(LatencySettings(**changes))


@given(
    durations=st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=200),
    q=st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 1.0]),
    error=st.sampled_from([0.005, 0.02, 0.1]),
)
def test_quantiles_are_within_the_stated_error(durations, q, error):
    subject = tracker(relative_error=error)
    for duration_s in durations:
        subject.record(duration_s, 5.0)
    truth = sorted(durations)[max(1, math.ceil(q * len(durations))) - 1]
    assert subject.quantile(q, 5.0) == pytest.approx(truth, rel=error * 1.000001)


def test_nothing_is_known_before_the_first_call():
    subject = tracker()
    assert subject.quantile(0.5, 0.0) is None
    assert subject.baseline_s(0.0) is None
    assert subject.series(100.0, buckets=3) == (None, None, None)


def test_a_window_forgets_and_windows_differ():
    subject = tracker()
    subject.record(1.0, 10.0)
    subject.record(3.0, 60.0)
    assert subject.quantiles((0.0, 1.0), 60.0, 60.0) == pytest.approx((1.0, 3.0), rel=0.0201)
    assert subject.quantile(0.0, 60.0, window_s=10.0) == pytest.approx(3.0, rel=0.0201)
    assert (subject.count(60.0), subject.count(60.0, window_s=10.0), subject.count(200.0)) == (2, 1, 0)
    assert subject.count(70.0, window_s=60.0) == 1, "a minute ago is outside of the last minute"
    assert subject.quantile(0.0, 70.0) == pytest.approx(3.0, rel=0.0201)
    assert subject.quantile(0.0, 80.0) == pytest.approx(3.0, rel=0.0201)
    assert subject.quantile(0.5, 200.0) is None


def test_durations_out_of_range_are_counted_at_the_edge():
    subject = tracker()
    subject.record(0.0, 0.0)
    subject.record(1e9, 0.0)
    assert subject.quantiles((0.0, 1.0), 0.0) == pytest.approx((1e-5, 1e4), rel=0.03)


def test_the_series_has_one_value_a_slice_and_gaps_where_nothing_was_called():
    subject = tracker()
    for second, duration_s in ((100, 0.1), (101, 0.2), (103, 0.4)):
        subject.record(duration_s, second + 0.5)
    drawn = subject.series(103.9, buckets=5)
    assert drawn[0] is None
    assert drawn[1:3] == pytest.approx((0.1, 0.2), rel=0.0201)
    assert drawn[3] is None
    assert drawn[4] == pytest.approx(0.4, rel=0.0201)
    assert len(subject.series(103.9)) == 60


def test_a_series_of_several_quantiles_is_as_each_alone_also_while_calls_go_on():
    subject = tracker()
    random, qs = Random(3), (0.5, 0.95, 0.99)
    for step in range(400):
        now = 100.0 + step * 0.05
        subject.record(random.expovariate(10), now)
        drawn = subject.series_of(qs, now, buckets=30)
        fresh = [subject.series(now, 30, q) for q in qs]
        assert [list(one) for one in drawn] == [list(one) for one in fresh]
        assert drawn[0][-1] == subject.quantile(0.5, now, window_s=1.0)


def test_an_outage_of_minutes_does_not_teach_that_slow_is_normal():
    subject = tracker()
    random = Random(1)
    for second in range(20 * 60):
        slow = second >= 15 * 60
        subject.record(random.uniform(0.09, 0.1) * (50 if slow else 1), float(second))
    assert subject.baseline_s(1200.0) == pytest.approx(0.1, rel=0.04)
    assert subject.quantile(0.99, 1200.0) == pytest.approx(5.0, rel=0.04)


def test_a_lasting_change_is_learned():
    subject = tracker()
    for second in range(60 * 60):
        subject.record(0.1 if second < 1800 else 0.4, float(second))
    assert subject.baseline_s(3600.0) == pytest.approx(0.4, rel=0.0201)


def test_the_baseline_waits_for_the_minimum_of_calls():
    subject = tracker(minimum_calls=3)
    subject.record(0.1, 0.0)
    subject.record(0.1, 0.0)
    assert subject.baseline_s(0.0, 0.95) is None
    subject.record(0.1, 0.0)
    assert subject.baseline_s(0.0, 0.95) == pytest.approx(0.1, rel=0.0201)


def test_memory_does_not_depend_on_the_number_of_calls():
    subject = tracker(kept_s=10.0, learning_s=300.0)
    random, most = Random(1), 0
    for tenth in range(20_000):
        subject.record(10 ** random.uniform(-5, 4), tenth / 10)
        most = max(most, subject.memory_buckets)
    per_slice = math.log(1e9) / math.log(1.02 / 0.98) + 2
    assert most <= 12 * 10 + 7 * per_slice
    assert subject.calls == 20_000


@pytest.mark.parametrize(
    "wrong", [{"relative_error": 0}, {"slice_s": 0}, {"learning_s": 1.0}, {"minimum_calls": 0}]
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, LatencySettings)


def test_a_few_hiccups_among_few_calls_are_not_usual():
    subject = tracker(minimum_calls=20)
    for number in range(37):
        subject.record(0.2 if number in (3, 11, 30) else 0.01, 0.0)
    assert subject.baseline_s(0.0) == pytest.approx(0.01, rel=0.0201)
    for _ in range(3):
        subject.record(0.2, 0.0)
    assert subject.baseline_s(0.0) == pytest.approx(0.2, rel=0.0201), "six in forty are no hiccups"
