"""Money: exact, and never mixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.money import Money


@pytest.mark.parametrize(
    ("text", "micros", "shown"),
    [
        ("0", 0, "0.00"),
        ("0.005", 5_000, "0.005"),
        ("49.99", 49_990_000, "49.99"),
        ("1e3", 1_000_000_000, "1000.00"),
        ("-0.000001", -1, "-0.000001"),
        ("2.500000000", 2_500_000, "2.50"),
    ],
)
def test_decimal_text_is_read_exactly(text: str, micros: int, shown: str) -> None:
    money = Money.parse(text, "INR")
    assert (money.micros, money.text, str(money)) == (micros, shown, f"{shown} INR")


@pytest.mark.parametrize("text", ["", "ten", "NaN", "sNaN", "Infinity", "1e999999", "1" * 40])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        Money.parse(text, "USD")


@pytest.mark.parametrize("text", ["0.0000001", "1e-999999", "1.0000000000000000000000000000000000001"])
def test_what_is_finer_than_a_millionth_is_refused_not_rounded(text: str) -> None:
    with pytest.raises(ValueError, match="finer than a millionth of USD"):
        Money.parse(text, "USD")


def test_what_is_no_currency_is_refused() -> None:
    with pytest.raises(ValueError, match='"usd" is not a currency'):
        Money.parse("1", "usd")


def test_a_thousand_calls_at_a_tenth_of_a_cent_are_one_dollar() -> None:
    price = Money.parse("0.001", "USD")
    assert price * 1000 == Money.parse("1", "USD")
    assert sum((price for _ in range(999)), price) == Money.parse("1", "USD")


def test_two_currencies_are_never_added_up() -> None:
    with pytest.raises(ValueError, match=r"1\.00 USD and 1\.00 INR cannot be added"):
        Money.parse("1", "USD") + Money.parse("1", "INR")


def test_nothing_is_false() -> None:
    assert not Money.parse("0.00", "USD")
    assert Money.parse("-1", "USD")


@given(st.integers(-(10**17), 10**17))
def test_its_text_reads_back_as_itself(micros: int) -> None:
    money = Money(micros, "EUR")
    assert Money.parse(money.text, "EUR") == money
