"""No false alarm over real traffic: one source, and two or three that differ as honest vendors do."""

import heapq
import random
from pathlib import Path

import msgspec
import pytest
from mds_engine.model import Tick
from mds_engine.policy.quality import Check, Finding, QualityMonitor
from mds_engine.sources.binance import plugin

LOGS = (
    "ws_spot_btcusdt_20240808_head.hftbacktest.log.gz",
    "ws_spot_ethusdt_20240808_head.hftbacktest.log.gz",
    "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz",
    "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz",
    "ws_binanceTR_2023-04-10.cryptofeed.log.gz",
)
Arrival = tuple[float, str, Tick]


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> dict[str, list[Arrival]]:
    """The ticks of each log, as one source's."""
    found = {}
    for name in LOGS:
        ticks = plugin.decoders["stream"].decode((recordings / "binance" / name).read_bytes())
        found[name] = [(tick.received_ns * 1e-9, "first", tick) for tick in ticks]
    return found


def late(
    ticks: list[Arrival], name: str, seed: int, *, least_s: float = 0.2, most_s: float = 2.0
) -> list[Arrival]:
    """The same from another vendor: later, a different delay every few ticks, off by a step or none."""
    dice = random.Random(seed)
    delay_s, copies, last_at = dice.uniform(least_s, most_s), [], 0.0
    for at, _, tick in ticks:
        if dice.random() < 0.05:
            delay_s = dice.uniform(least_s, most_s)
        last_at = max(last_at, at + delay_s)
        step = 0.01 * dice.randint(-1, 1) if tick.price is not None and tick.price > 100 else 0.0
        price = None if tick.price is None else tick.price + step
        copies.append(
            (last_at, name, msgspec.structs.replace(tick, price=price, received_ns=int(last_at * 1e9)))
        )
    return copies


def play(*streams: list[Arrival]) -> tuple[QualityMonitor, list[Finding]]:
    """Run streams through a monitor that is asked four times a second."""
    monitor, told, next_scan = QualityMonitor(), [], 0.0
    for at, source, tick in heapq.merge(*streams, key=lambda arrival: arrival[0]):
        if at >= next_scan:
            next_scan = at + 0.25
            told += monitor.scan(at, at)
        monitor.observe(source, (tick,), at)
    return monitor, told


@pytest.mark.parametrize("name", LOGS)
def test_one_source_raises_no_alarm(recorded, name):
    assert recorded[name]

    _, told = play(recorded[name])

    assert told == []


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_late_and_coarse_second_source_raises_no_alarm(recorded, name, seed):
    _, told = play(recorded[name], late(recorded[name], "second", seed))

    assert told == []


def test_three_sources_raise_no_alarm(recorded):
    ticks = recorded[LOGS[0]]

    _, told = play(ticks, late(ticks, "second", 3), late(ticks, "third", 4, most_s=3.0))

    assert told == []


def spoiled(ticks: list[Arrival], since: float, until: float, change) -> list[Arrival]:
    return [(at, name, change(tick) if since <= at < until else tick) for at, name, tick in ticks]


@pytest.mark.parametrize("liar", ["first", "second"])
@pytest.mark.parametrize("factor", [1.01, 0.99])
def test_a_price_one_percent_off_is_found_in_seconds_and_trusted_again(recorded, liar, factor):
    ticks = recorded[LOGS[0]]
    start = ticks[0][0] + 60.0
    streams = {"first": ticks, "second": late(ticks, "second", 5)}
    streams[liar] = spoiled(
        streams[liar],
        start,
        start + 30.0,
        lambda tick: tick if tick.price is None else msgspec.structs.replace(tick, price=tick.price * factor),
    )

    monitor, told = play(*streams.values())

    assert [(finding.source, finding.check, finding.active) for finding in told] == [
        (liar, Check.PRICE, True),
        (liar, Check.PRICE, False),
    ]
    assert told[0].since - start < 12.0
    assert monitor.findings == ()
    assert monitor.counts[liar, Check.PRICE] == 1


@pytest.mark.parametrize("stuck", ["first", "second"])
def test_a_price_that_stands_while_the_other_moves_is_found_and_trusted_again(recorded, stuck):
    ticks = recorded[LOGS[0]]
    start = ticks[0][0] + 60.0
    streams = {"first": ticks, "second": late(ticks, "second", 6)}
    price = next(tick.price for at, _, tick in streams[stuck] if at >= start and tick.price is not None)
    streams[stuck] = spoiled(
        streams[stuck],
        start,
        start + 40.0,
        lambda tick: tick if tick.price is None else msgspec.structs.replace(tick, price=price),
    )

    monitor, told = play(*streams.values())

    assert [(finding.source, finding.check, finding.active) for finding in told] == [
        (stuck, Check.FROZEN, True),
        (stuck, Check.FROZEN, False),
    ]
    assert told[0].since - start < 25.0
    assert monitor.findings == ()
