"""How fast a source is polled: its limits shared with calls, its plan's day lasting until it ends."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.limiter_settings import LimitWindow
from mds_engine.policy.pace import PlanDay, polling_pace_s

DAY_S = 86400.0


def test_half_of_each_limit_is_left_to_calls():
    assert polling_pace_s([LimitWindow(1, 1.0)], 1, None) == 2.0
    assert polling_pace_s([LimitWindow(1, 1.0), LimitWindow(5, 60.0)], 1, None) == 24.0
    assert polling_pace_s([LimitWindow(1200, 60.0)], 40, None) == 4.0


def test_without_limits_it_is_once_a_second_and_once_a_minute_where_calls_cost_money():
    assert polling_pace_s([], 1, None) == 1.0
    assert polling_pace_s([], 1, None, paid=True) == 60.0


def test_what_is_left_of_the_day_is_spread_over_the_rest_of_it():
    assert PlanDay(25, 25, DAY_S).left_for_polls == 20
    assert polling_pace_s([LimitWindow(1, 1.0)], 1, PlanDay(25, 25, DAY_S)) == DAY_S / 20
    assert polling_pace_s([], 1, PlanDay(25, 7, 3600.0)) == 1800.0
    assert polling_pace_s([LimitWindow(1, 1.0)], 1, PlanDay(10_000, 10_000, 60.0)) == 2.0


@pytest.mark.parametrize(("limit", "left"), [(25, 5), (25, 0), (1, 1)])
def test_the_last_calls_of_a_day_are_kept(limit: int, left: int):
    assert polling_pace_s([], 1, PlanDay(limit, left, 3600.0)) == math.inf


@pytest.mark.parametrize(
    ("day", "is_over"),
    [
        (PlanDay(25, 6, DAY_S), False),
        (PlanDay(25, 5, DAY_S), True),
        (PlanDay(25, 5, 2.1 * DAY_S / 20), True),
        (PlanDay(25, 5, 1.9 * DAY_S / 20), False),
        (PlanDay(1, 1, 60.0), True),
    ],
    ids=str,
)
def test_a_day_is_over_where_the_next_poll_is_further_away_than_usual(day: PlanDay, is_over: bool):
    assert day.is_over is is_over


@given(
    st.integers(1, 2000),
    st.lists(st.floats(0.0, DAY_S), max_size=60),
    st.floats(0.0, DAY_S),
)
def test_a_day_of_polls_leaves_callers_their_share(limit: int, calls: list[float], began_at: float):
    """Whenever polling began, and whenever callers asked."""
    at, polls, used, waiting = began_at, 0, 0, sorted(calls)
    last_at = -math.inf
    while at < DAY_S:
        while waiting and waiting[0] <= at and used < limit:
            waiting.pop(0)
            used += 1
        day = PlanDay(limit, limit - used, DAY_S - at)
        pace_s = polling_pace_s([LimitWindow(1, 1.0)], 1, day)
        if at >= last_at + pace_s:
            polls, used, last_at = polls + 1, used + 1, at
            assert used <= day.polls
        at += max(1.0, min(600.0, last_at + pace_s - at))
    assert polls <= int(0.8 * limit)
