"""Hedges: when one goes out, and how many at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.hedging import HedgeBudget, HedgeSettings, hedge_delay_s, may_hedge

SETTINGS = HedgeSettings()


def test_a_hedge_waits_for_the_learned_latency() -> None:
    assert hedge_delay_s(SETTINGS, 0.35) == 0.35


def test_a_fast_source_is_given_the_least_time_all_the_same() -> None:
    assert hedge_delay_s(SETTINGS, 0.001) == SETTINGS.minimum_delay_s


def test_nothing_is_hedged_before_something_is_learned() -> None:
    assert hedge_delay_s(SETTINGS, None) is None


def test_a_metered_source_never_gets_a_hedge() -> None:
    assert may_hedge(metered=False)
    assert not may_hedge(metered=True)


def test_twenty_calls_earn_one_hedge() -> None:
    budget = HedgeBudget(SETTINGS)
    for _ in range(19):
        budget.called(10.0)
    assert not budget.withdraw(10.0)
    budget.called(10.0)
    assert budget.withdraw(10.0)
    assert not budget.withdraw(10.0)


@given(
    st.lists(st.tuples(st.floats(0.0, 40.0), st.integers(0, 60), st.integers(0, 10)), min_size=1, max_size=60)
)
def test_hedges_never_pass_their_share_of_all_calls(steps: list[tuple[float, int, int]]) -> None:
    budget = HedgeBudget(SETTINGS)
    now, calls, hedges = 500.0, 0, 0
    for wait_s, called, wanted in steps:
        now += wait_s
        for _ in range(called):
            budget.called(now)
        calls += called
        hedges += sum(budget.withdraw(now) for _ in range(wanted))
        assert hedges <= 0.05 * calls


@pytest.mark.parametrize(
    "wrong",
    [{"quantile": 1.0}, {"quantile": 0.0}, {"share": 1.1}, {"window_s": 0.0}, {"minimum_delay_s": -1.0}],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HedgeSettings(**wrong)
