"""Frozen prices: which one stands still though the market moves, and which one may."""

import pytest

from tests.engine.policy.quality_desk import Desk, tick


@pytest.mark.parametrize("stuck", ["kite", "yahoo"])
def test_who_stands_still_while_the_market_jumps_is_blamed_not_who_jumped(stuck):
    desk = Desk("kite", "yahoo", jump_bps=0.2)
    desk.run(60.0)
    price = desk.prices[-1]
    desk.tells[stuck] = lambda _, at: tick(price, at)
    desk.run(2.0)
    desk.prices[-1] *= 1.02

    desk.run(30.0)

    assert desk.story == [(stuck, "frozen", True)]


@pytest.mark.parametrize("stuck", ["kite", "yahoo"])
def test_a_price_that_stands_still_while_the_other_moves_is_frozen(stuck):
    desk = Desk("kite", "yahoo", jump_bps=1.0)
    desk.run(60.0)
    price = desk.prices[-1]
    desk.tells[stuck] = lambda _, at: tick(price, at)

    desk.run(30.0)

    assert desk.story == [(stuck, "frozen", True)]


def test_a_quiet_market_is_not_frozen_though_the_other_source_wobbles_about_it():
    """As a vendor that tells another exchange's trades does, a step up or down."""
    desk = Desk("kite", "yahoo", jump_bps=0.5)
    desk.tells["kite"] = lambda price, at: tick(round(price, 1), at)
    desk.tells["yahoo"] = lambda price, at: tick(round(price, 1) + desk.dice.choice((-0.1, 0.0, 0.1)), at)
    desk.run(120.0)

    desk.jump_bps = 0.0
    desk.run(300.0)
    assert desk.story == []

    # The market goes on, and one of the two does not.
    desk.jump_bps, price = 1.0, round(desk.prices[-1], 1)
    desk.tells["kite"] = lambda _, at: tick(price, at)
    desk.run(60.0)
    assert desk.story == [("kite", "frozen", True)]


def test_a_price_that_stands_outside_its_own_book_while_its_trades_go_on_is_frozen():
    desk = Desk("kite")
    desk.tells["kite"] = lambda price, at: tick(price, at, bid=price - 0.05, ask=price + 0.05, volume=at)
    desk.run(60.0)
    stuck = desk.prices[-1] * 1.001
    desk.tells["kite"] = lambda price, at: tick(stuck, at, bid=price - 0.05, ask=price + 0.05, volume=at)

    desk.run(30.0)

    assert desk.story == [("kite", "frozen", True)]


@pytest.mark.parametrize(
    "book",
    [
        {"bid": 1400.0, "ask": 1400.05},
        {"bid": 1400.0, "ask": 0.0},
        {"ask": 1400.0},
    ],
    ids=["between bid and ask", "no sellers at the limit", "no buyers at the limit"],
)
def test_a_price_that_may_well_stand_still_is_not_frozen(book):
    desk = Desk("kite")
    desk.tells["kite"] = lambda price, at: tick(price, at, volume=at, bid=price - 0.05, ask=price + 0.05)
    desk.run(60.0)
    desk.tells["kite"] = lambda price, at: tick(1400.0, at, volume=at, **book)

    desk.run(600.0)

    assert desk.story == []


def test_without_a_book_a_price_at_the_days_high_is_not_frozen():
    desk = Desk("yahoo")
    desk.tells["yahoo"] = lambda price, at: tick(price, at, volume=at)
    desk.run(60.0)
    desk.tells["yahoo"] = lambda price, at: tick(1400.0, at, volume=at, high=1400.0, low=1300.0)
    desk.run(300.0)
    at_the_limit = desk.story

    desk.tells["yahoo"] = lambda price, at: tick(1400.0, at, volume=at, high=1410.0, low=1300.0)
    desk.run(100.0)

    assert at_the_limit == []
    assert desk.story == [("yahoo", "frozen", True)]
