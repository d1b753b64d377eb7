"""The one market: the same for the same seed, and in agreement with itself at every scale."""

import numpy as np
import pytest
from mds_engine.simulator.market import Market, UnknownInstrumentError

NOW = 1_790_000_123.456
BTC = "BINANCE:BTCUSDT"
NAMED = (BTC, "BINANCE:ETHUSDT", "NSE:RELIANCE", "NSE:INFY", "NSE:TCS", "NASDAQ:AAPL", "NASDAQ:MSFT")


@pytest.fixture
def market() -> Market:
    return Market(1, lambda: NOW)


@pytest.mark.parametrize("instrument", [*NAMED, "NSE:NIFTY 50", "NSE:SIMEQ0007"])
def test_two_markets_of_one_seed_agree_whatever_was_asked_before(market: Market, instrument: str) -> None:
    market.candles(instrument, 60, NOW - 7_200, NOW)
    market.price(instrument, NOW - 86_400)
    fresh = Market(1, lambda: NOW)
    assert fresh.snapshot(instrument) == market.snapshot(instrument)
    assert Market(2, lambda: NOW).snapshot(instrument) != market.snapshot(instrument)


@pytest.mark.parametrize("instrument", [BTC, "NSE:RELIANCE", "NASDAQ:AAPL"])
@pytest.mark.parametrize(("coarse_s", "fine_s"), [(86_400, 3_600), (3_600, 60), (900, 60), (60, 1)])
def test_long_bars_are_made_of_their_short_ones(
    market: Market, instrument: str, coarse_s: int, fine_s: int
) -> None:
    start = market.day_start(instrument, NOW - 2 * 86_400)
    coarse = market.candles(instrument, coarse_s, start, start + coarse_s)
    fine = market.candles(instrument, fine_s, start, start + coarse_s)
    assert (len(coarse), len(fine)) == (1, coarse_s // fine_s)
    assert coarse.high[0] == fine.high.max()
    assert coarse.low[0] == fine.low.min()
    assert coarse.open[0] == fine.open[0]
    assert coarse.close[0] == fine.close[-1]
    assert coarse.trades[0] == fine.trades.sum()
    assert coarse.volume[0] == pytest.approx(fine.volume.sum(), abs=1e-6)


@pytest.mark.parametrize("instrument", NAMED)
def test_bars_hold_every_price_and_trade_of_their_time(market: Market, instrument: str) -> None:
    bar = market.candles(instrument, 60, NOW - 600, NOW - 500)
    trades = market.trades(instrument, market.trade_ids(instrument, float(bar.start[0]), float(bar.end[0])))
    assert bar.first_trade[0] == trades.id[0]
    assert bar.trades[0] == len(trades)
    assert bar.open[0] == trades.price[0]
    assert bar.close[0] == trades.price[-1]
    assert bar.volume[0] == pytest.approx(trades.size.sum())
    assert bar.low[0] <= trades.price.min() <= trades.price.max() <= bar.high[0]
    prices = [market.price(instrument, float(bar.start[0]) + offset / 7) for offset in range(7 * 60)]
    assert bar.low[0] <= min(prices) <= max(prices) <= bar.high[0]


def test_trades_are_numbered_without_gaps_and_found_by_time_and_by_id(market: Market) -> None:
    ids = market.trade_ids(BTC, NOW - 60, NOW)
    trades = market.trades(BTC, ids)
    assert np.array_equal(trades.id, np.arange(ids.start, ids.stop))
    assert np.all(np.diff(trades.time) > 0)
    assert np.all(trades.size > 0)
    assert trades.time[0] >= NOW - 60
    assert trades.time[-1] < NOW
    for trade in (ids.start, ids.stop - 1):
        at = market.trade_times(BTC, range(trade, trade + 1))[0]
        assert market.trade_ids(BTC, at, at + 0.001) == range(trade, trade + 1)


def test_one_trade_alone_is_the_trade_that_it_is_among_many(market: Market) -> None:
    ids = market.trade_ids(BTC, NOW - 60, NOW)
    many = market.trades(BTC, ids)
    alone = market.trades(BTC, range(ids.start + 9, ids.start + 10))
    assert (alone.time[0], alone.price[0], alone.size[0]) == (many.time[9], many.price[9], many.size[9])


def test_the_open_bar_knows_nothing_of_the_future(market: Market) -> None:
    later = Market(1, lambda: NOW + 86_400)
    running = market.candles(BTC, 86_400, NOW - 86_400, NOW)
    done = later.candles(BTC, 86_400, NOW - 86_400, NOW)
    assert not running.closed[-1]
    assert done.closed[-1]
    assert done.low[-1] <= running.low[-1] <= running.high[-1] <= done.high[-1]
    assert running.volume[-1] < done.volume[-1]
    assert running.close[-1] == market.snapshot(BTC).last


def test_a_snapshot_agrees_with_the_bars_and_the_trades(market: Market) -> None:
    snapshot = market.snapshot("NSE:INFY")
    day = market.candles("NSE:INFY", 86_400, market.day_start("NSE:INFY", NOW), NOW)
    assert (snapshot.open, snapshot.high, snapshot.low, snapshot.last) == (
        day.open[0],
        day.high[0],
        day.low[0],
        day.close[0],
    )
    assert snapshot.volume == day.volume[0]
    assert snapshot.bid < snapshot.last < snapshot.ask
    bids, asks = market.depth("NSE:INFY", 5)
    assert (bids[0], asks[0]) == ((snapshot.bid, snapshot.bid_size), (snapshot.ask, snapshot.ask_size))
    assert [price for price, _ in bids] == sorted((price for price, _ in bids), reverse=True)


def test_weeks_and_months_come_from_edges(market: Market) -> None:
    edges = np.array([1_785_110_400, 1_785_715_200, 1_786_320_000])
    weeks = market.candles_between(BTC, edges)
    days = market.candles(BTC, 86_400, float(edges[0]), float(edges[-1]))
    assert weeks.high.tolist() == [days.high[:7].max(), days.high[7:].max()]
    assert weeks.volume.sum() == pytest.approx(days.volume.sum())


def test_history_reaches_back_to_the_listing_and_stays_plausible(market: Market) -> None:
    days = market.candles(BTC, 86_400, 0, NOW)
    assert days.start[0] == market.listing(BTC).listed_at
    assert len(days) > 3_000
    assert 50_000 < days.low.min() < days.high.max() < 230_000
    moves = np.abs(np.diff(np.log(days.close)))
    assert 0.001 < np.median(moves) < 0.05


def test_bars_of_the_future_and_of_unlisted_times_do_not_exist(market: Market) -> None:
    assert len(market.candles(BTC, 60, NOW + 60, NOW + 600)) == 0
    assert len(market.candles(BTC, 60, 0, 1_000)) == 0
    edges = np.array([1_790_000_040, 1_790_000_100, 1_790_000_160, 1_790_000_220])
    assert market.candles_between(BTC, edges).start.tolist() == edges[:2].tolist()


def test_any_number_of_instruments_on_demand(market: Market) -> None:
    names = market.universe("NSE", 400)
    assert len(set(names)) == 400
    assert names[0] == "NSE:RELIANCE"
    assert all(market.price(name) > 0 for name in names[:50])
    assert len(market.universe("BINANCE", 3)) == 3


@pytest.mark.parametrize("name", ["NSE:NOSUCH", "LSE:VOD", "NSE:SIMEQ1", "BINANCE:SIM00001USDT"])
def test_unknown_instruments_are_refused(market: Market, name: str) -> None:
    with pytest.raises(UnknownInstrumentError, match=name):
        market.price(name)


def test_a_wrong_view_and_a_frozen_view_leave_the_truth_alone(market: Market) -> None:
    wrong = market.distorted(factor=1.1)
    assert wrong.price(BTC) == pytest.approx(market.price(BTC) * 1.1, abs=0.02)
    frozen = market.distorted(frozen_at=NOW - 100)
    assert frozen.price(BTC, NOW) == frozen.price(BTC, NOW - 50) == market.price(BTC, NOW - 100)
    trades = frozen.trades(BTC, frozen.trade_ids(BTC, NOW - 60, NOW))
    assert set(trades.price.tolist()) == {frozen.price(BTC)}
    bars = frozen.candles(BTC, 60, NOW - 600, NOW)
    assert bars.high[-1] == bars.low[-1] == frozen.price(BTC)
    assert np.array_equal(bars.high[:7], market.candles(BTC, 60, NOW - 600, NOW).high[:7])


def test_a_vendor_may_be_late_and_imprecise(market: Market) -> None:
    late = market.distorted(lag_s=900)
    assert late.now() == NOW - 900
    noisy = market.distorted(noise_steps=3, salt=2)
    off = {noisy.snapshot(BTC, NOW - s).last - market.snapshot(BTC, NOW - s).last for s in range(30)}
    assert len({round(one, 2) for one in off}) > 2
    assert all(abs(one) < 0.035 for one in off)


def test_an_exchange_may_keep_its_hours() -> None:
    sunday_ist = 1_789_905_600.0  # Sunday 2026-09-20 12:00 UTC
    market = Market(1, lambda: sunday_ist, always_open=False)
    assert not market.is_open("NSE:INFY")
    assert market.is_open(BTC)
    friday_close = 1_789_725_600.0  # Friday 2026-09-18 15:30 IST
    assert market.price("NSE:INFY") == market.price("NSE:INFY", friday_close - 0.001)
    assert market.snapshot("NSE:INFY").last_time < friday_close
    bars = market.candles("NSE:INFY", 60, friday_close - 3_600, sunday_ist)
    assert len(bars) == 60
    assert bars.end[-1] == friday_close


def test_a_day_that_keeps_hours_is_made_of_its_session() -> None:
    sunday_ist = 1_789_905_600.0
    market = Market(1, lambda: sunday_ist, always_open=False)
    days = market.candles("NSE:INFY", 86_400, sunday_ist - 7 * 86_400, sunday_ist)
    assert len(days) == 5
    assert set((days.end - days.start).tolist()) == {55_800 - 33_300}
    friday = market.snapshot("NSE:INFY")
    assert (friday.open, friday.high, friday.low, friday.last, friday.volume) == (
        days.open[-1],
        days.high[-1],
        days.low[-1],
        days.close[-1],
        days.volume[-1],
    )
    minutes = market.candles("NSE:INFY", 60, float(days.start[-1]), float(days.end[-1]))
    assert (minutes.high.max(), minutes.low.min()) == (days.high[-1], days.low[-1])


@pytest.mark.parametrize("rate", [0.05, 50.0, 333.0, 1_000.0, 5_000.0, 10_000.0])
def test_every_instrument_can_trade_at_one_rate(market: Market, rate: float) -> None:
    fast = Market(1, lambda: NOW, trades_per_s=rate)
    for instrument in (BTC, "NSE:SIMEQ0007"):
        start = float(int(NOW) - 200)
        span_s = max(2.0, 40 / rate)
        ids = fast.trade_ids(instrument, start, start + span_s)
        trades = fast.trades(instrument, ids)
        assert len(ids) == pytest.approx(span_s * rate, abs=2)
        assert (np.diff(trades.time) >= 0).all()
        # By time they are found exactly, between milliseconds too.
        for at in np.linspace(start, start + span_s, 40).tolist():
            assert fast.trade_ids(instrument, at, start + span_s).start == ids.start + int(
                np.searchsorted(trades.time, at)
            )
        usual = market.trades(instrument, market.trade_ids(instrument, start, start + 100))
        assert trades.size.mean() == pytest.approx(usual.size.mean(), rel=0.25)
        assert (trades.size > 0).all()
        assert np.allclose(
            trades.price, [fast.price(instrument, at) for at in trades.time.tolist()][: len(ids)]
        )


@pytest.mark.parametrize("rate", [0.0, -1.0, 10_001.0, float("nan")])
def test_a_rate_that_cannot_be_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="trades_per_s"):
        Market(1, lambda: NOW, trades_per_s=rate)
