"""Failback: a source that failed leads again after it was well for long enough, and gently."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.failback import FailbackSettings, Recovery, slow_start_share

SETTINGS = FailbackSettings()


def test_three_good_checks_and_thirty_seconds_are_needed() -> None:
    recovery = Recovery(SETTINGS)
    recovery.good(100.0)
    recovery.good(115.0)
    assert not recovery.may_take_over(131.0)
    recovery.good(129.0)
    assert not recovery.may_take_over(129.9)
    assert recovery.may_take_over(130.0)
    assert (recovery.good_checks, recovery.well_for_s(130.0)) == (3, 30.0)


def test_one_failure_and_it_begins_again() -> None:
    recovery = Recovery(SETTINGS)
    for second in range(60):
        recovery.good(float(second))
    recovery.bad(60.0)
    assert (recovery.good_checks, recovery.well_for_s(90.0)) == (0, 0.0)
    assert not recovery.may_take_over(1000.0)
    for second in (61.0, 62.0, 63.0):
        recovery.good(second)
    assert not recovery.may_take_over(90.9)
    assert recovery.may_take_over(91.0)


def test_a_source_that_was_never_asked_has_proved_nothing() -> None:
    assert not Recovery(SETTINGS).may_take_over(1e6)
    assert Recovery(SETTINGS).well_for_s(1e6) == 0.0


def test_the_sticky_rule_is_the_same_where_the_default_is_preemptive() -> None:
    recovery = Recovery(FailbackSettings(preemptive=True))
    recovery.good(1.0)
    assert not recovery.may_take_over(2.0)


@given(st.lists(st.tuples(st.floats(0.0, 40.0), st.booleans()), max_size=60))
def test_it_never_takes_over_without_the_proof(steps: list[tuple[float, bool]]) -> None:
    recovery = Recovery(SETTINGS)
    now = 0.0
    row: list[float] = []
    for wait_s, good in steps:
        now += wait_s
        if good:
            recovery.good(now)
            row.append(now)
        else:
            recovery.bad(now)
            row.clear()
        assert recovery.may_take_over(now) == (len(row) >= 3 and now - row[0] >= 30.0)


def test_its_share_of_the_calls_rises_from_a_tenth_to_all() -> None:
    assert slow_start_share(SETTINGS, 0.0) == pytest.approx(0.1)
    assert slow_start_share(SETTINGS, 5.0) == pytest.approx(0.55)
    assert slow_start_share(SETTINGS, 10.0) == 1.0
    assert slow_start_share(SETTINGS, float("inf")) == 1.0
    shares = [slow_start_share(SETTINGS, tenth / 10) for tenth in range(110)]
    assert all(before <= after for before, after in pairwise(shares))


def test_without_slow_start_it_gets_all_at_once() -> None:
    assert slow_start_share(FailbackSettings(slow_start_s=0.0), 0.0) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"after_s": -1.0},
        {"good_checks": 0},
        {"slow_start_s": -1.0},
        {"slow_start_from": 0.0},
        {"slow_start_from": 1.1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FailbackSettings(**wrong)
