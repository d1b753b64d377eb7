"""Wrong prices: who is named a liar, who is only late or usually apart, and when it is over."""

import itertools
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.policy.quality import spread_bps

from tests.engine.policy.quality_desk import RELIANCE, Desk, tick, times


@settings(max_examples=60, deadline=None)
@given(
    late_s=st.floats(0.0, 3.0),
    other_late_s=st.floats(0.0, 3.0),
    seed=st.integers(0, 1000),
    jump_bps=st.floats(0.1, 25.0),
    timed=st.booleans(),
)
def test_a_late_vendor_is_no_liar_however_fast_the_market(late_s, other_late_s, seed, jump_bps, timed):
    desk = Desk("kite", "yahoo", seed=seed, jump_bps=jump_bps)
    desk.late_s = {"kite": late_s, "yahoo": other_late_s}
    for source, late in desk.late_s.items():
        desk.tells[source] = lambda price, at, late=late: (
            tick(price, at, time_at=math.floor(at - late))
            if timed
            else msgspec.structs.replace(tick(price, at), time_ns=None)
        )

    desk.run(120.0)

    assert desk.story == []


@settings(max_examples=40, deadline=None)
@given(
    late_s=st.floats(0.0, 3.0),
    seed=st.integers(0, 1000),
    liar=st.sampled_from(["kite", "yahoo"]),
    factor=st.sampled_from([0.97, 0.99, 1.01, 1.03]),
)
def test_a_liar_among_two_is_named_and_trusted_again(late_s, seed, liar, factor):
    desk = Desk("kite", "yahoo", seed=seed)
    desk.late_s["yahoo"] = late_s
    desk.run(60.0)

    desk.tells[liar] = times(factor)
    desk.run(15.0)
    named = desk.story, desk.monitor.verdict(RELIANCE)
    desk.tells[liar] = times(1.0)
    desk.run(30.0)

    assert named == ([(liar, "price", True)], liar)
    assert desk.story == [(liar, "price", True), (liar, "price", False)]
    assert desk.monitor.verdict(RELIANCE) is None


@pytest.mark.parametrize("liar", ["a", "b", "c"])
def test_of_three_sources_the_odd_one_out_is_the_liar_though_it_drifts(liar):
    desk = Desk("a", "b", "c")
    desk.run(60.0)
    drift = itertools.count()
    desk.tells[liar] = lambda price, at: tick(price * (1 + next(drift) * 2e-4), at)

    desk.run(40.0)

    assert desk.story == [(liar, "price", True)]


def test_two_that_never_agreed_are_shown_apart_and_neither_is_blamed():
    desk = Desk("a", "b")
    desk.tells["b"] = times(1.05)

    desk.run(60.0)

    assert desk.story == []
    assert spread_bps(desk.monitor.prices(RELIANCE, desk.at).values()) == pytest.approx(500, abs=1)
    assert {name: age for name, (_, age) in desk.monitor.prices(RELIANCE, desk.at).items()} == {
        "a": 0,
        "b": 0,
    }


def test_a_usual_difference_is_learned_and_more_than_that_is_not():
    desk = Desk("nse", "bse")
    desk.tells["bse"] = times(1.006)
    desk.run(120.0)
    before = desk.story

    desk.tells["bse"] = times(1.045)
    desk.run(15.0)

    assert before == []
    assert desk.story == [("bse", "price", True)]


def test_a_usual_difference_blames_nobody_neither_while_it_is_learned_nor_after():
    desk = Desk("a", "b", "c")
    desk.tells["c"] = times(1.006)

    desk.run(120.0)

    assert desk.story == []


@pytest.mark.parametrize("late", ["kite", "yahoo"])
def test_a_late_vendor_is_no_liar_when_a_quiet_market_begins_to_run(late):
    desk = Desk("kite", "yahoo", jump_bps=0.2)
    desk.late_s[late] = 3.0
    desk.run(60.0)

    for _ in range(30):
        desk.prices[-1] *= 1.006
        desk.run(1.0)

    assert desk.story == []


def test_a_price_is_no_longer_wrong_when_nobody_is_left_to_say_so():
    desk = Desk("kite", "yahoo")
    desk.run(60.0)
    desk.tells["yahoo"] = times(1.01)
    desk.run(15.0)

    desk.monitor.forget("kite")
    del desk.tells["kite"]
    desk.run(5.0)

    assert desk.story == [("yahoo", "price", True), ("yahoo", "price", False)]


def test_what_is_no_longer_subscribed_is_no_longer_wrong():
    desk = Desk("kite", "yahoo")
    desk.run(60.0)
    desk.tells["yahoo"] = times(1.01)
    desk.run(15.0)

    desk.monitor.forget("yahoo")
    del desk.tells["yahoo"]
    desk.run(5.0)

    assert desk.story == [("yahoo", "price", True), ("yahoo", "price", False)]
    assert spread_bps(desk.monitor.prices(RELIANCE, desk.at).values()) is None
