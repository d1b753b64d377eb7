"""Yahoo's float32 values as it meant them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.sources.yahoo.float32 import meant, meant_column

PRINTED = [244.47000122070312, 2934.449951171875, 7174.9443359375, 0.10000000149011612, 73.79750061035156]
MEANT = [244.47, 2934.45, 7174.9443, 0.1, 73.7975]


def test_what_was_printed_as_float64_is_what_went_in() -> None:
    assert [meant(value) for value in PRINTED] == MEANT
    assert meant_column(np.array(PRINTED)).tolist() == MEANT


def test_what_is_no_float32_is_left_alone() -> None:
    assert meant(244.6) == 244.6
    assert meant_column(np.array([244.6, 2934.45])).tolist() == [244.6, 2934.45]


def test_what_no_float32_can_hold_is_left_alone() -> None:
    assert meant(1e300) == 1e300
    assert meant_column(np.array([1e300, 0.1])).tolist() == [1e300, 0.1]


def test_nan_stays_nan() -> None:
    assert np.isnan(meant_column(np.array([np.nan, 1.5]))).tolist() == [True, False]


@given(st.integers(1, 999_999), st.integers(0, 4))
def test_every_decimal_of_six_digits_comes_back(digits: int, places: int) -> None:
    decimal = digits / 10**places
    assert meant(float(np.float32(decimal))) == decimal


@given(st.lists(st.floats(width=32, min_value=0, max_value=2.0**40), min_size=1))
def test_the_answer_is_the_same_float32_and_no_longer_than_numpy_prints_it(values: list[float]) -> None:
    column = np.array(values)
    answer = meant_column(column)
    assert np.array_equal(answer.astype(np.float32), column.astype(np.float32))
    assert answer.tolist() == [meant(value) for value in values]
    assert answer.tolist() == [float(str(np.float32(value))) for value in values]


@given(st.floats(width=32) | st.floats(width=32, min_value=1, max_value=2.0**18) | st.floats())
def test_it_is_what_numpy_prints_for_any_float(value: float) -> None:
    single = np.float32(value) if abs(value) < 3e38 else np.float32("nan")
    expected = float(str(single)) if float(single) == value else value
    assert meant(value) == expected or np.isnan(value)
    assert type(meant(value)) is float


@given(st.integers(1, 10_000_000), st.integers(0, 6))
def test_any_decimal_that_a_float32_was_made_of_is_read_as_numpy_prints_it(digits: int, places: int) -> None:
    single = np.float32(digits / 10**places)
    assert meant(float(single)) == float(str(single))
