"""The official KiteConnect and KiteTicker, as they are, find in the simulator what the market did."""

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from mds_engine.clock import SystemClock
from mds_engine.simulator.kite import KiteAccount
from mds_engine.simulator.server import Simulator

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE_S = 60
ACCOUNT = KiteAccount()


class LeapingClock(SystemClock):
    """Each look at the monotonic clock finds it a second later, so no rate limit is met."""

    def __init__(self) -> None:
        seconds = itertools.count()
        self.now = lambda: float(next(seconds))


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["kite"], clock=LeapingClock()) as running:
        yield running


async def _run(home: Path, script: str, *arguments: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        str(SCRIPTS / script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"HOME": str(home), "XDG_CACHE_HOME": str(home)},
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            output, complaints = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, complaints.decode()
    return json.loads(output)


async def test_kite_connect_logs_in_and_reads_the_market(simulator: Simulator, tmp_path: Path) -> None:
    root = simulator.vendor("kite").http
    answers = await _run(
        tmp_path, "kite_rest.py", root, ACCOUNT.api_key, ACCOUNT.api_secret, ACCOUNT.request_token
    )
    assert "access_token" in answers["refused"]
    assert "60 days" in answers["too_long"]
    assert datetime.fromisoformat(answers["login_time"])
    assert answers["profile"]["user_id"] == ACCOUNT.user_id
    assert answers["instruments"] == 500
    assert answers["infosys"]["instrument_token"] == 408065
    assert sorted(answers["quote"]) == ["NSE:INFY", "NSE:NIFTY 50"]
    quote = answers["quote"]["NSE:INFY"]
    assert (quote["last_price"], quote["last_quantity"]) in _trades(simulator, quote["last_trade_time"])
    for short in (answers["ohlc"], answers["ltp"]):
        assert short["NSE:INFY"]["last_price"] == pytest.approx(quote["last_price"], rel=0.01)
    _compare(simulator, answers["minutes"], 60)
    _compare(simulator, answers["days"], 86_400)
    assert (len(answers["minutes"]), answers["days"][0]["oi"]) == (60, 0)


async def test_kite_ticker_hears_the_markets_trades_between_heartbeats(
    simulator: Simulator, tmp_path: Path
) -> None:
    heard = await _run(
        tmp_path,
        "kite_ticker.py",
        simulator.vendor("kite").ws,
        ACCOUNT.api_key,
        ACCOUNT.access_token,
        "5",
    )
    assert heard["heartbeats"] >= 1
    assert [text["type"] for text in heard["texts"][:2]] == ["instruments_meta", "app_code"]
    shares = [tick for tick in heard["ticks"] if tick["tradable"]]
    indices = [tick for tick in heard["ticks"] if not tick["tradable"]]
    assert len(shares) >= 5
    assert indices
    market = simulator.market
    for tick in shares:
        assert [len(tick["depth"][side]) for side in ("buy", "sell")] == [5, 5]
        second = tick["last_trade_time"]
        trades = market.trades("NSE:INFY", market.trade_ids("NSE:INFY", second, second + 1))
        assert (tick["last_price"], tick["last_traded_quantity"]) in zip(
            trades.price, trades.size, strict=True
        )
    for tick in indices:
        day = tick["ohlc"]
        assert day["low"] <= tick["last_price"] <= day["high"]
        assert tick["last_price"] == pytest.approx(
            market.price("NSE:NIFTY 50", tick["exchange_timestamp"]), rel=0.001
        )


def _trades(simulator: Simulator, local_time: str) -> list[tuple[float, float]]:
    second = datetime.fromisoformat(f"{local_time}+05:30").timestamp()
    ids = simulator.market.trade_ids("NSE:INFY", second, second + 1)
    trades = simulator.market.trades("NSE:INFY", ids)
    return list(zip(trades.price.tolist(), trades.size.tolist(), strict=True))


def _compare(simulator: Simulator, rows: list[dict[str, Any]], interval_s: int) -> None:
    starts = [int(datetime.fromisoformat(row["date"]).timestamp()) for row in rows]
    truth = simulator.market.candles("NSE:INFY", interval_s, starts[0], starts[-1] + 1)
    assert starts == truth.start.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert [row[name] for row in rows] == getattr(truth, name).tolist()
