"""Values to words."""

from datetime import UTC

import pytest

from mds_tui.format.bars import breaker_dots, quota_blocks, sparkline
from mds_tui.format.cells import Ink, Span, cell, fit, join, text_of, width_of, wrap
from mds_tui.format.glyphs import ASCII, UNICODE
from mds_tui.format.numbers import (
    age,
    basis_points,
    change,
    clock,
    compact,
    countdown,
    duration,
    duration_ms,
    milliseconds,
    money,
    price,
    rate,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m00"),
        (182, "3m02"),
        (8040, "2h14"),
        (900000, "10d"),
    ],
)
def test_ages_take_five_columns_at_most(seconds: float | None, words: str) -> None:
    assert age(seconds) == words
    assert len(words) <= 5


def test_numbers_are_short_and_have_the_same_decimals() -> None:
    assert [milliseconds(value) for value in (None, 0.4, 9.96, 2100.4)] == ["–", "0.4", "10", "2,100"]
    assert [rate(value) for value in (0.0, 2.0, 2.5, 3911.4)] == ["0", "2", "2.5", "3,911"]
    given = (0.42, -1.2, None, -0.004, 0.0)
    assert [change(value) for value in given] == ["+0.42", "-1.20", "–", "0.00", "0.00"]
    assert [compact(value) for value in (812.0, 4812.0, 2_950_000.0, 999_900.0)] == [
        "812",
        "4.8k",
        "3.0M",
        "1.0M",
    ]
    assert [countdown(value) for value in (41, 760, 8040)] == ["41 s", "12:40", "2:14:00"]
    assert [duration(value) for value in (0.5, 41, 900, 3900)] == ["0.5 s", "41 s", "15 min", "1 h 5 min"]
    assert duration_ms(38.2) == "38 ms"


def test_points_of_prices_stand_below_each_other() -> None:
    prices = [price(value).rjust(12) for value in (24812.35, 11.42, 0.3821)]
    assert {text.index(".") for text in prices} == {7}
    assert price(0.00001234) == "0.00001234"
    assert price(None).strip() == "–"


def test_money_has_its_currency_and_no_cents_where_they_say_nothing() -> None:
    assert [money("INR", "17"), money("USD", "3.9"), money("CHF", "4.2"), money("INR", "0")] == [
        "₹17",
        "$3.90",
        "CHF 4.20",
        "₹0.00",
    ]


def test_a_spread_is_in_basis_points_and_negative_for_a_crossed_book() -> None:
    assert basis_points(99.99, 100.01) == pytest.approx(2.0)
    assert basis_points(100.01, 99.99) == pytest.approx(-2.0)
    assert basis_points(None, 1.0) is None


def test_times_of_day_are_in_the_zone() -> None:
    assert clock(0.0, UTC) == "00:00:00"


@pytest.mark.parametrize("width", range(12))
def test_cells_fit_exactly_also_where_characters_are_wide(width: int) -> None:
    content = (Span("贵州", Ink.TEXT), Span("茅台x", Ink.DIM))
    assert width_of(fit(content, width)) == width
    assert width_of(fit(content, width, right=True)) == width


def test_what_is_cut_says_so() -> None:
    assert text_of(fit(cell("alphavantage"), 8)) == "alphava…"
    assert text_of(fit(cell("12"), 4, right=True)) == "  12"


def test_joining_leaves_out_what_is_empty() -> None:
    assert text_of(join([cell("a"), (), cell("b")], cell("|"))) == "a|b"


def test_wrapping_keeps_every_word_within_the_width() -> None:
    lines = wrap(cell("one two three four five"), 9, indent=2)
    assert [text_of(line).rstrip() for line in lines] == ["one two", "  three", "  four", "  five"]
    assert text_of(wrap(cell("unbreakable"), 4)[0]) == "unbreakable"


def test_pictures() -> None:
    assert text_of(quota_blocks(31, 5, UNICODE)) == "▰▱▱▱▱"
    assert text_of(quota_blocks(0.1, 5, UNICODE)) == "▰▱▱▱▱"
    assert text_of(quota_blocks(0, 5, ASCII)) == "....."
    assert text_of(quota_blocks(250, 5, ASCII)) == "#####"
    assert text_of(breaker_dots((True, True, False), 5, UNICODE)) == "  ··×"
    assert text_of(breaker_dots((False,) * 9, 5, ASCII)) == "xxxxx"
    assert text_of(sparkline([None, 0.0, 5.0, 10.0], 5, UNICODE, Ink.GOOD)) == "  ▁▅█"
    assert text_of(sparkline([0.0], 1, UNICODE, Ink.GOOD)) == "▁"
