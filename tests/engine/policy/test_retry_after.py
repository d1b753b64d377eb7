"""Retry-After: seconds, HTTP dates, and what vendors make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.retry_after import parse_retry_after

# Wed, 21 Oct 2015 07:28:00 GMT
THEN = 1445412480.0


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("120", 120.0),
        (" 3600 ", 3600.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 60.0),
        ("Wednesday, 21-Oct-15 07:28:00 GMT", 60.0),
        ("Wed Oct 21 07:28:00 2015", 60.0),
        ("Wed, 21 Oct 2015 07:26:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 09:28:00 +0200", 60.0),
    ],
)
def test_seconds_and_dates(value, wait_s):
    assert parse_retry_after(value, THEN - 60.0) == wait_s


@pytest.mark.parametrize(
    "value",
    [None, "", "  ", "soon", "nan", "inf", "-inf", "1e999", "12 minutes", "Wed, 99 Oct 2015 07:28:00 GMT"],
)
def test_what_cannot_be_read_is_none(value):
    assert parse_retry_after(value, THEN) is None


@given(st.text())
def test_nothing_that_a_vendor_writes_raises_or_is_negative(value):
    wait_s = parse_retry_after(value, THEN)
    assert wait_s is None or wait_s >= 0
