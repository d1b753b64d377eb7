"""Endpoints of one source: tried in order, left alone after failures, tried again one request at a time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.endpoints import EndpointSet, EndpointSettings

SETTINGS = EndpointSettings()


def test_the_first_is_tried_first_and_the_order_costs_nothing() -> None:
    endpoints = EndpointSet(3)
    assert endpoints.choose(0.0) == (0, 1, 2)
    assert endpoints.choose(1.0) is endpoints.choose(2.0)
    assert endpoints.active == 0


def test_one_that_fails_is_left_alone() -> None:
    endpoints = EndpointSet(2, SETTINGS)
    endpoints.failed(0, 100.0)
    assert endpoints.choose(100.0) == (1,)
    assert (endpoints.active, endpoints.failures(0), endpoints.failures(1)) == (1, 1, 0)
    assert (endpoints.retry_in_s(0, 104.0), endpoints.retry_in_s(1, 104.0)) == (6.0, 0.0)


def test_when_it_is_due_one_request_at_a_time_tries_it() -> None:
    endpoints = EndpointSet(2, SETTINGS)
    endpoints.failed(0, 100.0)
    assert [endpoints.choose(110.0) for _ in range(50)] == [(0, 1)] + [(1,)] * 49
    assert endpoints.active == 1
    endpoints.succeeded(0, 110.2)
    assert endpoints.choose(110.3) == (0, 1)
    assert (endpoints.active, endpoints.failures(0), endpoints.retry_in_s(0, 110.3)) == (0, 0, 0.0)


def test_each_failed_try_leaves_it_alone_for_longer_up_to_the_cap() -> None:
    endpoints = EndpointSet(2, SETTINGS)
    now, waits = 0.0, []
    for _ in range(6):
        endpoints.failed(0, now)
        waits.append(endpoints.retry_in_s(0, now))
        now += waits[-1]
        assert endpoints.choose(now) == (0, 1)
    assert waits == [10.0, 20.0, 40.0, 80.0, 120.0, 120.0]


def test_a_success_takes_the_wait_back_to_its_first_length() -> None:
    endpoints = EndpointSet(2, SETTINGS)
    endpoints.failed(0, 0.0)
    endpoints.failed(0, 10.0)
    endpoints.succeeded(0, 30.0)
    endpoints.failed(0, 31.0)
    assert endpoints.retry_in_s(0, 31.0) == 10.0


def test_fifty_requests_that_fail_together_are_one_outage() -> None:
    endpoints = EndpointSet(2, SETTINGS)
    for _ in range(50):
        endpoints.failed(0, 100.0)
    assert (endpoints.failures(0), endpoints.retry_in_s(0, 100.0)) == (50, 10.0)


def test_a_try_that_is_never_heard_of_again_blocks_nobody_for_long() -> None:
    endpoints = EndpointSet(2, SETTINGS)
    endpoints.failed(0, 100.0)
    assert endpoints.choose(110.0) == (0, 1)
    assert endpoints.choose(119.9) == (1,)
    assert endpoints.choose(120.0) == (0, 1)


def test_if_all_are_left_alone_all_are_tried_the_one_due_soonest_first() -> None:
    endpoints = EndpointSet(3, SETTINGS)
    for now, index in ((0.0, 1), (1.0, 2), (2.0, 0)):
        endpoints.failed(index, now)
    assert [endpoints.choose(3.0) for _ in range(2)] == [(1, 2, 0), (1, 2, 0)]
    endpoints.failed(1, 3.0)
    assert endpoints.choose(3.0) == (2, 0, 1)
    endpoints.succeeded(0, 3.1)
    assert endpoints.choose(3.2) == (0,)


def test_the_only_one_is_always_tried() -> None:
    endpoints = EndpointSet(1, SETTINGS)
    for now in range(20):
        assert endpoints.choose(float(now)) == (0,)
        endpoints.failed(0, float(now))


def test_a_fallback_that_is_due_waits_behind_the_one_in_use() -> None:
    endpoints = EndpointSet(3, SETTINGS)
    endpoints.failed(1, 0.0)
    assert endpoints.choose(9.9) == (0, 2)
    assert [endpoints.choose(10.0) for _ in range(2)] == [(0, 1, 2), (0, 1, 2)]


def test_a_single_failure_may_be_forgiven() -> None:
    endpoints = EndpointSet(2, EndpointSettings(failures=3))
    for _ in range(2):
        endpoints.failed(0, 0.0)
        endpoints.failed(0, 0.0)
        assert endpoints.choose(0.0) == (0, 1)
        endpoints.succeeded(0, 0.0)
    for _ in range(3):
        endpoints.failed(0, 0.0)
    assert endpoints.choose(0.0) == (1,)


_STEPS = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.sampled_from(["choose", "failed", "succeeded"]), st.integers(0, 3)),
    max_size=80,
)


@given(st.integers(1, 4), _STEPS)
def test_the_order_keeps_its_promises(count: int, steps: list[tuple[float, str, int]]) -> None:
    endpoints = EndpointSet(count, SETTINGS)
    now = 1000.0
    due_at: dict[int, float] = {}
    tried_at: dict[int, float] = {}
    for wait_s, what, index in steps:
        now += wait_s
        if what != "choose" and index < count:
            getattr(endpoints, what)(index, now)
            tried_at.pop(index, None)
            if what == "succeeded":
                due_at.pop(index, None)
            else:
                due_at[index] = now + endpoints.retry_in_s(index, now)
        order = endpoints.choose(now)
        assert order
        assert len(set(order)) == len(order)
        well = [index for index in range(count) if index not in due_at]
        if not well:
            assert sorted(order) == list(range(count))
            assert all(due_at[before] <= due_at[after] for before, after in pairwise(order))
            continue
        assert set(well) <= set(order)
        assert all(before < after for before, after in pairwise(order))
        assert all(due_at[index] <= now for index in order if index in due_at)
        assert endpoints.active == well[0]
        if order[0] != well[0]:
            assert order[1] == well[0]
            assert now - tried_at.get(order[0], -1.0) >= SETTINGS.trial_s
            tried_at[order[0]] = now


@given(_STEPS)
def test_no_wait_is_above_the_cap(steps: list[tuple[float, str, int]]) -> None:
    endpoints = EndpointSet(4, SETTINGS)
    now = 0.0
    for wait_s, what, index in steps:
        now += wait_s
        if what != "choose":
            getattr(endpoints, what)(index, now)
        assert all(0.0 <= endpoints.retry_in_s(index, now) <= SETTINGS.cap_s for index in range(4))


def test_a_source_without_endpoints_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        EndpointSet(0)


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"first_s": 0.0}, {"first_s": 121.0}, {"growth": 0.5}, {"trial_s": 0.0}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EndpointSettings(**wrong)
