"""Reconnecting a stream: pauses that grow until data flows."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.reconnect import ReconnectBackoff, ReconnectSettings

STEADY = ReconnectSettings(jitter=0.0)


def test_pauses_double_up_to_the_cap() -> None:
    backoff = ReconnectBackoff(STEADY, Random(1))
    assert [backoff.next_delay_s() for _ in range(9)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_data_takes_them_back_to_the_first() -> None:
    backoff = ReconnectBackoff(STEADY, Random(1))
    for _ in range(6):
        backoff.next_delay_s()
    backoff.data_flowed()
    assert [backoff.next_delay_s(), backoff.next_delay_s()] == [0.5, 1.0]


def test_streams_that_fell_together_do_not_come_back_in_step() -> None:
    delays = {ReconnectBackoff(ReconnectSettings(), Random(seed)).next_delay_s() for seed in range(20)}
    assert len(delays) == 20


@given(st.integers(0, 2**32), st.lists(st.booleans(), max_size=60), st.floats(1.0, 5.0), st.floats(0.0, 0.9))
def test_each_pause_lies_within_its_jitter(
    seed: int, flowed: list[bool], growth: float, jitter: float
) -> None:
    settings = msgspec.structs.replace(STEADY, growth=growth, jitter=jitter)
    backoff = ReconnectBackoff(settings, Random(seed))
    longest_s = settings.first_s
    for data in flowed:
        if data:
            backoff.data_flowed()
            longest_s = settings.first_s
        delay_s = backoff.next_delay_s()
        assert longest_s * (1.0 - jitter) <= delay_s <= longest_s <= settings.cap_s
        longest_s = min(longest_s * growth, settings.cap_s)


def test_thousands_of_failures_stay_at_the_cap() -> None:
    backoff = ReconnectBackoff(STEADY, Random(1))
    for _ in range(5_000):
        backoff.next_delay_s()
    assert backoff.next_delay_s() == 60.0


@pytest.mark.parametrize("wrong", [{"first_s": 0.0}, {"first_s": 61.0}, {"growth": 0.9}, {"jitter": 1.0}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReconnectSettings(**wrong)
