"""Intervals are read in one spelling, and minutes are never mistaken for months."""

import pytest
from mds_engine.errors import InvalidRequest
from mds_engine.model import Interval


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("1m", Interval.M1),
        (" 1D ", Interval.D1),
        ("1M", Interval.MO1),
        ("1mo", Interval.MO1),
        ("1W", Interval.W1),
    ],
)
def test_an_interval_is_read(text, interval):
    assert Interval.parse(text) is interval


@pytest.mark.parametrize("text", ["7m", "5M", "", "m", "1 m"])
def test_what_is_none_is_refused_with_what_there_is(text):
    with pytest.raises(InvalidRequest, match="known are 1s, 1m"):
        Interval.parse(text)


def test_lengths_are_seconds():
    assert [Interval.parse(text).seconds for text in ("1s", "1m", "1h", "1d", "1w", "1mo")] == [
        1,
        60,
        3600,
        86400,
        604800,
        2592000,
    ]
