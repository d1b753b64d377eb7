"""The checks on live data, on markets made up second by second."""

import itertools
import math
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.model.tick_batch import TICK_FIELDS, TickBatch
from mds_engine.policy.quality import Check, QualityMonitor, spread_bps
from mds_engine.policy.quality_settings import QualitySettings

RELIANCE = Instrument("NSE", "RELIANCE")
STEP_S = 0.25
WALL = 1_750_000_000.0


def always(exchange: str, wall: float) -> bool:
    return True


def tick(price: float | None, at: float, *, time_at: float | None = None, **more) -> Tick:
    kind = more.pop("kind", TickKind.QUOTE)
    return Tick(
        instrument=RELIANCE,
        kind=kind,
        price=price,
        received_ns=int((WALL + at) * 1e9),
        time_ns=int((WALL + (at if time_at is None else time_at)) * 1e9),
        **more,
    )


class Desk:
    """Sources that tell the same market; a test says what each makes of it."""

    def __init__(self, *sources: str, is_open=always, seed: int = 1, jump_bps: float = 3.0) -> None:
        self.monitor = QualityMonitor(is_open=is_open)
        self.dice = random.Random(seed)
        self.at = 0.0
        self.prices = [1400.0]
        self.jump_bps = jump_bps
        self.tells = dict.fromkeys(sources, tick)
        self.late_s = dict.fromkeys(sources, 0.0)
        self.told = []

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.at += STEP_S
            self.prices.append(self.prices[-1] * (1 + self.dice.gauss(0, self.jump_bps) * 1e-4))
            for source, tell in self.tells.items():
                price = self.prices[max(0, len(self.prices) - 1 - round(self.late_s[source] / STEP_S))]
                told = tell(price, self.at)
                if told is not None:
                    self.monitor.observe(source, (told,), self.at)
            self.told += self.monitor.scan(self.at, WALL + self.at)

    @property
    def story(self) -> list[tuple[str, str, bool]]:
        return [(finding.source, finding.check.value, finding.active) for finding in self.told]


def times(factor: float):
    return lambda price, at: tick(price * factor, at)


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


def test_a_crossed_book_is_told_when_it_stays_and_a_locked_one_never():
    desk = Desk("binance")
    desk.tells["binance"] = lambda price, at: tick(None, at, kind=TickKind.BOOK, bid=price, ask=price)
    desk.run(30.0)
    locked = desk.story
    desk.tells["binance"] = lambda price, at: tick(None, at, kind=TickKind.BOOK, bid=price + 1, ask=price)
    desk.run(10.0)
    desk.tells["binance"] = lambda price, at: tick(None, at, kind=TickKind.BOOK, bid=price - 1, ask=price)
    desk.run(20.0)

    assert locked == []
    assert desk.story == [("binance", "crossed", True), ("binance", "crossed", False)]


@pytest.mark.parametrize("offset_s", [-1.3, 0.0, 30.0, 900.0])
def test_times_are_judged_against_the_vendors_own_usual_offset(offset_s):
    """A slow clock here puts a vendor ahead; some vendors are a quarter of an hour late every day."""
    desk = Desk("yahoo")
    desk.tells["yahoo"] = lambda price, at: tick(price, at, time_at=at - offset_s, volume=at)
    desk.run(60.0)
    before = desk.story

    desk.tells["yahoo"] = lambda price, at: tick(price, at, time_at=at - offset_s + 1000.0, volume=at)
    desk.run(10.0)
    ahead = desk.story[len(before) :]
    desk.tells["yahoo"] = lambda price, at: tick(price, at, time_at=at - offset_s - 70.0, volume=at)
    desk.run(30.0)

    assert before == []
    assert ahead == [("yahoo", "future", True)]
    assert ("yahoo", "past", True) in desk.story
    assert ("yahoo", "future", False) in desk.story


def test_a_time_in_the_wrong_zone_is_found_from_the_start():
    desk = Desk("kite")
    desk.tells["kite"] = lambda price, at: tick(price, at, time_at=at + 5.5 * 3600)

    desk.run(10.0)

    assert desk.story == [("kite", "future", True)]


def test_old_times_without_a_trade_are_no_fault():
    desk = Desk("kite")
    desk.tells["kite"] = lambda price, at: tick(price, at, volume=at)
    desk.run(60.0)
    since = desk.at
    desk.tells["kite"] = lambda price, at: tick(1400.0, at, time_at=since, volume=since)

    desk.run(300.0)

    assert desk.story == []


def test_a_closed_market_is_not_held_against_anybody():
    desk = Desk("kite", "yahoo", is_open=lambda exchange, wall: wall < WALL + 60.0)
    desk.run(59.0)
    desk.tells["yahoo"] = lambda price, at: tick(1200.0, at, bid=1201.0, ask=1200.0)

    desk.run(120.0)

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


def test_large_frames_are_sampled_and_tell_the_same():
    desk = Desk("kite", "yahoo")
    both = (RELIANCE, Instrument("NSE", "INFY"))

    def frame(price: float, at: float) -> TickBatch:
        values = np.full((2, len(TICK_FIELDS)), np.nan)
        values[:, TICK_FIELDS.index("price")] = price
        received_ns = int((WALL + at) * 1e9)
        return TickBatch(both, values, np.full(2, received_ns), received_ns=received_ns)

    def run(seconds: float, factor: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            desk.run(STEP_S)
            desk.monitor.observe("dhan", frame(desk.prices[-1] * factor, desk.at), desk.at)

    run(60.0, 1.0)
    run(15.0, 1.01)
    named = desk.story
    desk.monitor.forget("dhan")
    desk.run(5.0)

    assert named == [("dhan", "price", True)]
    assert desk.story == [("dhan", "price", True), ("dhan", "price", False)]
    assert set(desk.monitor.prices(RELIANCE, desk.at)) == {"kite", "yahoo"}


def test_frames_that_never_name_the_same_instruments_do_not_pile_up():
    monitor = QualityMonitor(is_open=always)
    frames = []
    for number in range(100):
        values = np.full((1, len(TICK_FIELDS)), 1.0 + number)
        frames.append(TickBatch((RELIANCE,), values, np.full(1, number), received_ns=number))
        monitor.observe("kite", frames[-1], number / 1000)

    price, age_s = monitor.prices(RELIANCE, 0.1)["kite"]

    assert price >= 64.0
    assert age_s < 0.05


def test_what_is_switched_off_finds_nothing():
    desk = Desk("kite")
    desk.monitor = QualityMonitor(QualitySettings(enabled=False))
    desk.tells["kite"] = lambda price, at: tick(price, at, bid=price + 1, ask=price)

    desk.run(20.0)

    assert desk.story == []
    assert desk.monitor.prices(RELIANCE, desk.at) == {}


def test_a_caller_that_comes_often_checks_each_instrument_once_a_second():
    looked = []
    monitor = QualityMonitor(is_open=lambda exchange, wall: looked.append(exchange) or True)
    for number in range(10):
        instrument = Instrument(f"X{number}", "ONE")
        monitor.observe("a", (Tick(instrument=instrument, kind=TickKind.TRADE, price=1.0),), 0.0)
    monitor.scan(1.0, WALL)
    looked.clear()

    per_scan = []
    for tenth in range(11, 41):
        monitor.scan(tenth / 10, WALL)
        per_scan.append(len(looked))
        looked.clear()

    assert 20 <= sum(per_scan[10:]) <= 24
    assert max(per_scan[10:]) <= 2


def test_the_names_of_checks_are_those_of_events():
    assert [check.value for check in Check] == ["price", "frozen", "crossed", "future", "past"]


def test_bands_that_exclude_each_other_are_refused():
    with pytest.raises(ValueError, match="widest_bps"):
        QualitySettings(band_bps=50.0, widest_bps=20.0)
