"""The checks on live data: crossed books, times that are off, when nothing is judged, how often one looks."""

import numpy as np
import pytest
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.model.tick_batch import TICK_FIELDS, TickBatch
from mds_engine.policy.quality import Check, QualityMonitor
from mds_engine.policy.quality_settings import QualitySettings

from tests.engine.policy.quality_desk import RELIANCE, STEP_S, WALL, Desk, always, tick


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
