"""yfinance, as it is, finds in the simulator what the market did."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mds_engine.simulator.server import Simulator

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE_S = 60
NAMES = {"AAPL": "NASDAQ:AAPL", "RELIANCE.NS": "NSE:RELIANCE", "BTC-USD": "BINANCE:BTCUSDT"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["yahoo"]) as running:
        yield running


async def _run(home: Path, script: str, *arguments: str) -> Any:
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


async def test_tickers_have_the_markets_history_and_prices(simulator: Simulator, tmp_path: Path) -> None:
    read = await _run(tmp_path, "yahoo_rest.py", simulator.vendor("yahoo").http, *NAMES)
    assert read["unknown"] == 0
    for symbol, instrument in NAMES.items():
        answers = read[symbol]
        _compare(simulator, instrument, answers["minutes"], 60)
        _compare(simulator, instrument, answers["days"], 86_400, at_least=350)
        assert answers["weeks"] in {52, 53, 54}
        price = pytest.approx(simulator.market.price(instrument), rel=0.01)
        assert answers["fast"]["lastPrice"] == price
        assert answers["info"]["regularMarketPrice"] == price
        assert answers["info"]["symbol"] == symbol
    assert [read[symbol]["fast"]["timezone"] for symbol in NAMES] == [
        "America/New_York",
        "Asia/Kolkata",
        "UTC",
    ]
    assert [read[symbol]["info"]["quoteType"] for symbol in NAMES] == ["EQUITY", "EQUITY", "CRYPTOCURRENCY"]
    assert [read[symbol]["dividends"] > 0 for symbol in NAMES] == [True, True, False]
    statuses = {entry.status for entry in simulator.vendor("yahoo").requests(path_prefix="/v")}
    assert statuses == {200, 404}  # the crumb that is asked for once is good for all


async def test_the_async_websocket_decodes_the_markets_trades(simulator: Simulator, tmp_path: Path) -> None:
    messages = await _run(
        tmp_path, "yahoo_stream.py", simulator.vendor("yahoo").ws, "2", "AAPL", "BTC-USD", "^GSPC"
    )
    market = simulator.market
    instruments = {**NAMES, "^GSPC": "INDEX:GSPC"}
    for message in messages:
        instrument, at = instruments[message["id"]], int(message["time"]) / 1000
        trades = market.trades(instrument, market.trade_ids(instrument, at - 0.0005, at + 0.0005))
        assert len(trades) == 1
        step = market.listing(instrument).price_step
        assert message["price"] == pytest.approx(trades.price[0], rel=1e-6, abs=step * 1.01)
    kinds = {message["id"]: message["quote_type"] for message in messages}
    assert kinds == {"AAPL": 8, "BTC-USD": 41, "^GSPC": 9}
    assert all("day_volume" not in message for message in messages if message["id"] == "^GSPC")


def _compare(
    simulator: Simulator, instrument: str, rows: list[list[float]], interval_s: int, at_least: int = 1
) -> None:
    """All but the last row, which was still forming when it was read."""
    assert len(rows) >= at_least
    truth = simulator.market.candles(instrument, interval_s, rows[0][0], rows[-1][0])
    places = {start: place for place, start in enumerate(truth.start.tolist())}
    # yfinance stamps days with local midnight; in summer the market's own day begins an hour later.
    late = 3_600 if interval_s == 86_400 else 0
    for row in rows[:-1]:
        place = places.get(int(row[0]), places.get(int(row[0]) + late))
        assert place is not None
        for column, name in enumerate(("open", "high", "low", "close"), 1):
            assert row[column] == float(np.float32(getattr(truth, name)[place]))
