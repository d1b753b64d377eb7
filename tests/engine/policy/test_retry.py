"""Retries: pauses with full jitter, and a budget that no storm outgrows."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.retry import RetryBudget, RetrySettings, backoff_s

SETTINGS = RetrySettings()


def pauses(attempt: int, settings: RetrySettings = SETTINGS) -> list[float]:
    random = Random(7)
    return [backoff_s(settings, attempt, random) for _ in range(2000)]


def test_pauses_are_drawn_from_nothing_up_to_a_length_that_doubles() -> None:
    for attempt, longest_s in ((0, 0.1), (1, 0.2), (2, 0.4), (3, 0.8)):
        drawn = pauses(attempt)
        assert min(drawn) < longest_s * 0.01
        assert longest_s * 0.99 < max(drawn) <= longest_s
        assert sum(drawn) / len(drawn) == pytest.approx(longest_s / 2, rel=0.05)


@pytest.mark.parametrize("attempt", [5, 50, 5_000])
def test_no_pause_is_longer_than_the_cap(attempt: int) -> None:
    assert 1.98 < max(pauses(attempt)) <= 2.0


def test_without_growth_every_pause_is_like_the_first() -> None:
    assert 0.099 < max(pauses(9, RetrySettings(growth=1.0))) <= 0.1


def test_ten_retries_in_ten_seconds_are_free() -> None:
    budget = RetryBudget(SETTINGS)
    assert [budget.withdraw(100.0) for _ in range(11)] == [True] * 10 + [False]
    assert not budget.withdraw(109.9)
    assert budget.withdraw(111.0)


def test_many_calls_earn_a_fifth_of_their_number() -> None:
    budget = RetryBudget(SETTINGS)
    for _ in range(200):
        budget.called(50.0)
    assert sum(budget.withdraw(50.0) for _ in range(100)) == 40


def test_calls_of_long_ago_earn_nothing() -> None:
    budget = RetryBudget(SETTINGS)
    for _ in range(200):
        budget.called(50.0)
    assert budget.left(59.0) == 40
    assert budget.left(61.0) == 10


def test_what_is_left_is_what_can_be_withdrawn() -> None:
    budget = RetryBudget(SETTINGS)
    for left in range(10, 0, -1):
        assert budget.left(3.0) == left
        assert budget.withdraw(3.0)
    assert budget.left(3.0) == 0


@given(
    st.lists(st.tuples(st.floats(0.0, 4.0), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=60)
)
def test_no_window_has_more_retries_than_its_share(steps: list[tuple[float, int, int]]) -> None:
    budget = RetryBudget(RetrySettings(budget_minimum=3))
    now = 1000.0
    calls: list[float] = []
    retries: list[float] = []
    for wait_s, called, wanted in steps:
        now += wait_s
        for _ in range(called):
            budget.called(now)
            calls.append(now)
        withdrawn = [now for _ in range(wanted) if budget.withdraw(now)]
        retries.extend(withdrawn)
        if withdrawn:
            lately = sum(now - at <= 10.0 for at in calls)
            assert sum(now - at < 10.0 for at in retries) <= max(3, 0.2 * lately)


def test_memory_is_bounded_however_long_it_runs() -> None:
    budget = RetryBudget(SETTINGS)
    for tenth in range(20_000):
        budget.called(tenth / 10)
        budget.withdraw(tenth / 10)
    assert len(budget._slices) <= 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": -1},
        {"first_s": 0.0},
        {"first_s": 3.0},
        {"growth": 0.5},
        {"budget_share": 1.5},
        {"budget_minimum": -1},
        {"budget_window_s": 0.0},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetrySettings(**wrong)


def test_settings_at_their_limits_work() -> None:
    none = RetrySettings(attempts=0, first_s=2.0, cap_s=2.0, growth=1.0, budget_share=0.0, budget_minimum=0)
    budget = RetryBudget(none)
    budget.called(1.0)
    assert not budget.withdraw(1.0)
    assert backoff_s(none, 3, Random(1)) <= 2.0
    assert RetrySettings(budget_share=1.0).budget_share == 1.0


def test_longest_pauses_never_shrink() -> None:
    longest = [max(pauses(attempt)) for attempt in range(12)]
    assert all(before <= after for before, after in pairwise(longest))
