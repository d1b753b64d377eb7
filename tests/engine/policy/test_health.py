"""Health: what the score is made of, how checks rise and fall, how soon the next one comes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.health import HealthSettings, HealthStatus, HealthTracker


def well(now: float = 0.0) -> HealthTracker:
    subject = HealthTracker(HealthSettings())
    for _ in range(20):
        subject.succeeded(now, 0.1)
    return subject


def test_nothing_heard_yet_is_disconnected():
    subject = HealthTracker()
    assert subject.status(0.0) is HealthStatus.DISCONNECTED
    subject.check_passed(1.0)
    assert subject.status(1.0) is HealthStatus.HEALTHY
    assert subject.score(1.0) == 1.0


def test_checks_fall_after_three_and_rise_after_three():
    subject = well()
    for now in (1.0, 3.0):
        subject.check_failed(now)
        assert subject.is_up
        assert subject.status(now) is HealthStatus.DEGRADED
    subject.check_failed(5.0)
    assert not subject.is_up
    assert subject.status(5.0) is HealthStatus.UNHEALTHY
    for now in (35.0, 37.0):
        subject.check_passed(now)
        assert not subject.is_up
    subject.check_failed(39.0)
    for now in (69.0, 71.0, 73.0):
        assert not subject.is_up
        subject.check_passed(now)
    assert subject.is_up


def test_a_good_check_ends_a_row_of_failed_ones():
    subject = well()
    for _ in range(5):
        subject.check_failed(1.0)
        subject.check_failed(1.0)
        subject.check_passed(1.0)
    assert subject.is_up


def test_many_good_calls_an_hour_ago_do_not_hide_what_fails_now():
    subject = HealthTracker()
    for _ in range(10_000):
        subject.succeeded(0.0, 0.1)
    for _ in range(20):
        subject.failed(3600.0)
    assert subject.success_rate(3600.0) < 0.1


def test_checks_come_faster_while_there_is_doubt_only():
    subject = well()
    assert subject.next_check_in_s(0.0) == 30.0
    subject.failed(1.0)
    assert subject.next_check_in_s(1.0) == 2.0, "a failed call raises doubt"
    subject.check_passed(3.0)
    assert subject.next_check_in_s(3.0) == 30.0
    subject.check_failed(33.0)
    subject.check_failed(35.0)
    assert subject.next_check_in_s(35.0) == 2.0
    subject.check_failed(37.0)
    assert subject.next_check_in_s(37.0) == 30.0, "down is certain"
    subject.check_passed(67.0)
    assert subject.next_check_in_s(67.0) == 2.0, "it may be coming back"


def test_failures_lower_the_score_and_time_forgives():
    subject = well()
    for _ in range(20):
        subject.failed(0.0)
    assert subject.success_rate(0.0) == pytest.approx(21 / 41)
    assert subject.status(0.0) is HealthStatus.DEGRADED
    for _ in range(60):
        subject.failed(0.0)
    assert subject.status(0.0) is HealthStatus.UNHEALTHY
    assert subject.success_rate(600.0) > 0.9


def test_slower_than_usual_lowers_the_score_and_slow_by_nature_does_not():
    subject = HealthTracker()
    for second in range(300):
        subject.succeeded(float(second), 4.0)
    assert subject.score(300.0) == pytest.approx(1.0)
    for second in range(300, 360):
        subject.succeeded(float(second), 40.0)
    assert subject.score(360.0) < 0.5


def test_old_news_lowers_the_score_a_little_and_data_refreshes():
    subject = well()
    assert subject.score(90.0) == 1.0
    assert 0.8 < subject.score(200.0) < 0.95
    assert subject.score(1e6) == pytest.approx(0.8, abs=0.001)
    assert subject.status(1e6) is HealthStatus.HEALTHY, "not asked is not ill"
    subject.data_flowed(1e6)
    assert subject.score(1e6) == 1.0


def test_unreachable_reads_disconnected():
    subject = well()
    for _ in range(3):
        subject.failed(1.0, unreachable=True)
    assert subject.status(1.0) is HealthStatus.DISCONNECTED
    subject.failed(1.0)
    assert subject.status(1.0) is not HealthStatus.DISCONNECTED, "a bad answer came from somewhere"


@given(
    st.lists(
        st.tuples(st.sampled_from(["ok", "bad", "passed", "down"]), st.floats(0, 1000), st.floats(1e-5, 100)),
        max_size=60,
    )
)
def test_the_score_stays_within_its_bounds(story):
    subject, now = HealthTracker(), 0.0
    for what, pause_s, duration_s in story:
        now += pause_s
        if what == "ok":
            subject.succeeded(now, duration_s)
        elif what == "bad":
            subject.failed(now)
        elif what == "passed":
            subject.check_passed(now)
        else:
            subject.check_failed(now, unreachable=True)
        assert 0.0 <= subject.score(now) <= 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_s": 0},
        {"doubt_interval_s": 60.0},
        {"rise": 0},
        {"slow_factor": 0.5},
        {"unhealthy_below": 0.9},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, HealthSettings)
