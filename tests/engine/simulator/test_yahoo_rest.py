"""The simulated Yahoo's REST calls: cookies and crumbs, charts with all their traps, quotes, faults."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0"}
WALL = 1_700_000_001.0  # Tuesday 2023-11-14 22:13:21 UTC; the vendor is one second late
DAY_S = 86_400


class StandingClock:
    """Time stands still."""

    def __init__(self, wall: float = WALL) -> None:
        self._wall = wall

    def now(self) -> float:
        return 0.0

    def wall(self) -> float:
        return self._wall

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["yahoo"], clock=StandingClock()) as running:
        yield running


@pytest.fixture
async def yahoo(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.vendor("yahoo").http, headers=BROWSER) as client:
        yield client


async def _chart(yahoo: httpx.AsyncClient, symbol: str, **query: Any) -> dict[str, Any]:
    answer = await yahoo.get(f"/v8/finance/chart/{symbol}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["chart"]["result"][0]


async def test_a_cookie_with_an_expiry_earns_a_crumb_and_a_crumb_earns_quotes(
    simulator: Simulator, yahoo: httpx.AsyncClient
) -> None:
    await_cookie = await yahoo.get("/v1/test/getcrumb")
    assert await_cookie.status_code == 401
    cookie = (await yahoo.get("/")).headers["set-cookie"]
    fields = dict(part.strip().partition("=")[::2] for part in cookie.split(";"))
    assert parsedate_to_datetime(fields["Expires"]).timestamp() > WALL
    crumb = (await yahoo.get("/v1/test/getcrumb")).text
    assert len(crumb) == 11
    assert (await yahoo.get("/")).headers["set-cookie"].startswith(cookie.partition(";")[0])
    query = {"symbols": "AAPL,NOSUCHTHING,RELIANCE.NS", "crumb": crumb}
    answer = (await yahoo.get("/v7/finance/quote", params=query)).json()["quoteResponse"]
    assert [entry["symbol"] for entry in answer["result"]] == ["AAPL", "RELIANCE.NS"]
    truth = simulator.market.snapshot("NASDAQ:AAPL", WALL - 1)
    quote = answer["result"][0]
    assert quote["regularMarketPrice"] == pytest.approx(truth.last, abs=0.011)  # a step of noise
    assert quote["regularMarketPreviousClose"] == truth.previous_close
    assert quote["regularMarketTime"] == int(truth.last_time)


@pytest.mark.parametrize("path", ["/v7/finance/quote?symbols=AAPL", "/v10/finance/quoteSummary/AAPL"])
async def test_a_wrong_crumb_is_unauthorized(yahoo: httpx.AsyncClient, path: str) -> None:
    await yahoo.get("/")
    answer = await yahoo.get(path, params={"symbols": "AAPL", "crumb": "wrong"})
    assert answer.status_code == 401
    assert answer.json()["finance"]["error"] == {"code": "Unauthorized", "description": "Invalid Crumb"}


async def test_unknown_symbols_alone_make_an_empty_list(yahoo: httpx.AsyncClient) -> None:
    await yahoo.get("/")
    crumb = (await yahoo.get("/v1/test/getcrumb")).text
    answer = await yahoo.get("/v7/finance/quote", params={"symbols": "NOSUCHTHING", "crumb": crumb})
    assert (answer.status_code, answer.json()) == (200, {"quoteResponse": {"result": [], "error": None}})


async def test_pythons_own_user_agents_are_turned_away(yahoo: httpx.AsyncClient) -> None:
    answer = await yahoo.get("/v8/finance/chart/AAPL", headers={"User-Agent": "python-requests/2.32"})
    assert (answer.status_code, answer.text.strip()) == (429, "Too Many Requests")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_minutes_are_the_markets_in_single_precision_with_nulls_here_and_there(
    simulator: Simulator, yahoo: httpx.AsyncClient
) -> None:
    end = int(WALL) // 60 * 60
    start = end - 7 * DAY_S
    chart = await _chart(yahoo, "AAPL", interval="1m", period1=start, period2=end)
    truth = simulator.market.candles("NASDAQ:AAPL", 60, start, end + 1)
    assert chart["timestamp"] == truth.start.tolist()
    quote = chart["indicators"]["quote"][0]
    holes = [place for place, price in enumerate(quote["close"]) if price is None]
    assert 20 < len(holes) < 200
    assert all(quote[name][place] is None for name in quote for place in holes)
    for name in ("open", "high", "low", "close"):
        exact = getattr(truth, name).astype(np.float32).astype(np.float64).tolist()
        assert [price for price in quote[name] if price is not None] == [
            price for place, price in enumerate(exact) if place not in holes
        ]
    whole = [int(size) for place, size in enumerate(truth.volume) if place not in holes][:-1]
    assert [size for size in quote["volume"] if size is not None][:-1] == whole  # the last one still forms
    assert "adjclose" not in chart["indicators"]


async def test_the_columns_come_in_any_order(yahoo: httpx.AsyncClient) -> None:
    orders = set()
    for _ in range(10):
        chart = await _chart(yahoo, "AAPL", interval="1d", range="5d")
        orders.add(tuple(chart["indicators"]["quote"][0]))
    assert len(orders) > 3


async def test_days_have_an_adjusted_close_that_dividends_explain(yahoo: httpx.AsyncClient) -> None:
    chart = await _chart(yahoo, "AAPL", interval="1d", range="1y", events="div,splits")
    dividends = chart["events"]["dividends"]
    assert len(dividends) == 4
    close = chart["indicators"]["quote"][0]["close"]
    adjusted = chart["indicators"]["adjclose"][0]["adjclose"]
    ratios = {
        round(after / before, 6) for before, after in zip(close, adjusted, strict=True) if before is not None
    }
    assert len(ratios) >= 4
    assert min(ratios) < max(ratios) <= 1
    plain = await _chart(yahoo, "AAPL", interval="1d", range="1y")
    assert "events" not in plain


@pytest.mark.parametrize(("interval", "bars"), [("1wk", 53), ("1mo", 13), ("3mo", 5), ("5d", 53)])
async def test_longer_bars_cover_the_year(
    simulator: Simulator, yahoo: httpx.AsyncClient, interval: str, bars: int
) -> None:
    chart = await _chart(yahoo, "BTC-USD", interval=interval, range="1y")
    assert len(chart["timestamp"]) == pytest.approx(bars, abs=1)
    edges = np.array([*chart["timestamp"][-3:-1], chart["timestamp"][-1]], dtype=np.int64)
    truth = simulator.market.candles_between("BINANCE:BTCUSDT", edges)
    close = chart["indicators"]["quote"][0]["close"]
    assert close[-3:-1] == truth.close.astype(np.float32).astype(np.float64).tolist()


@pytest.mark.parametrize("interval", ["1m", "2m", "5m", "15m", "30m", "60m", "90m", "1h", "1d"])
async def test_every_interval_serves_a_day(yahoo: httpx.AsyncClient, interval: str) -> None:
    chart = await _chart(yahoo, "RELIANCE.NS", interval=interval, range="1d")
    assert chart["meta"]["dataGranularity"] == interval
    assert len(chart["timestamp"]) >= 1


async def test_the_meta_block_has_every_key_of_a_real_one(yahoo: httpx.AsyncClient, recordings: Path) -> None:
    for file, query in (
        ("chart-AAPL-2020-01-01-to-2020-01-03.json", {"interval": "1d", "range": "5d"}),
        (
            "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json",
            {"interval": "1m", "range": "1d"},
        ),
    ):
        real = json.loads((recordings / "yahoo" / file).read_text())["response"]["bodyJson"]["chart"]
        expected = real["result"][0]["meta"]
        meta = (await _chart(yahoo, "AAPL", **query))["meta"]
        assert set(meta) - {"tradingPeriods"} == set(expected)
        assert {name: type(meta[name]) for name in ("gmtoffset", "firstTradeDate", "validRanges")} == {
            name: type(expected[name]) for name in ("gmtoffset", "firstTradeDate", "validRanges")
        }
        assert set(meta["currentTradingPeriod"]["regular"]) == {"timezone", "start", "end", "gmtoffset"}


async def test_the_oldest_index_has_a_negative_first_day(yahoo: httpx.AsyncClient) -> None:
    chart = await _chart(yahoo, "^GSPC", interval="1d", range="5d")
    assert chart["meta"]["firstTradeDate"] == -1_325_583_000
    assert set(chart["indicators"]["quote"][0]["volume"]) == {0}


async def test_a_weekend_of_a_market_that_keeps_hours_has_no_timestamps() -> None:
    new_york = ZoneInfo("America/New_York")
    saturday = datetime(2023, 11, 11, tzinfo=new_york).timestamp()
    async with (
        Simulator(vendors=["yahoo"], clock=StandingClock(), always_open=False) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("yahoo").http, headers=BROWSER) as yahoo,
    ):
        period = {"period1": int(saturday), "period2": int(saturday + DAY_S)}
        chart = await _chart(yahoo, "AAPL", interval="1m", **period)
        days = await _chart(yahoo, "AAPL", interval="1d", range="5d")
        weeks = await _chart(yahoo, "AAPL", interval="1wk", period1=int(saturday), period2=int(WALL))
    assert "timestamp" not in chart
    assert chart["indicators"] == {"quote": [{}]}
    local = [datetime.fromtimestamp(at, new_york) for at in days["timestamp"]]
    assert {(at.hour, at.minute) for at in local} == {(9, 30)}
    assert [at.day for at in local] == [8, 9, 10, 13, 14]
    first = datetime.fromtimestamp(weeks["timestamp"][-1], new_york)
    assert (first.day, first.hour, first.minute) == (13, 9, 30)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"interval": "1m", "range": "1mo"}, 422, "Only 8 days"),
        ({"interval": "1m", "period1": 1_690_000_000, "period2": 1_690_100_000}, 422, "last 30 days"),
        ({"interval": "5m", "range": "1y"}, 422, "last 60 days"),
        ({"interval": "1h", "range": "5y"}, 422, "last 730 days"),
        ({"interval": "7m"}, 422, "Valid intervals"),
        ({"range": "7y"}, 422, "Valid ranges"),
        ({"period1": 2, "period2": 1}, 400, "start date cannot be after"),
        ({"period1": "x", "period2": 1}, 400, "must be numbers"),
    ],
)
async def test_what_it_does_not_keep_it_refuses(
    yahoo: httpx.AsyncClient, query: dict[str, Any], status: int, words: str
) -> None:
    answer = await yahoo.get("/v8/finance/chart/AAPL", params=query)
    assert answer.status_code == status
    assert answer.json()["chart"]["result"] is None
    assert words in answer.json()["chart"]["error"]["description"]


async def test_an_unknown_symbol_may_be_delisted(yahoo: httpx.AsyncClient) -> None:
    answer = await yahoo.get("/v8/finance/chart/NOSUCHTHING")
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    assert (answer.status_code, answer.json()) == (404, {"chart": {"result": None, "error": error}})


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=5), 429, "Too Many Requests"),
        (Fault(kind=FaultKind.QUOTA), 429, "Too Many Requests"),
        (Fault(kind=FaultKind.BAN), 418, "Too Many Requests"),
        (Fault(kind=FaultKind.TOKEN_EXPIRED), 401, "Invalid Crumb"),
        (Fault(kind=FaultKind.ERROR_IN_200), 200, '"chart":{"result":null,"error"'),
        (Fault(kind=FaultKind.STATUS, status=502), 502, "Bad Gateway"),
    ],
)
async def test_every_fault_is_told_in_yahoos_words(
    simulator: Simulator, yahoo: httpx.AsyncClient, fault: Fault, status: int, words: str
) -> None:
    await simulator.inject("yahoo", fault)
    answer = await yahoo.get("/v8/finance/chart/AAPL")
    assert answer.status_code == status
    assert words in answer.text


async def test_a_wrong_price_bears_its_right_time(simulator: Simulator, yahoo: httpx.AsyncClient) -> None:
    await simulator.inject("yahoo", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0))
    meta = (await _chart(yahoo, "AAPL", interval="1d", range="1d"))["meta"]
    truth = simulator.market.snapshot("NASDAQ:AAPL", WALL - 1)
    assert meta["regularMarketPrice"] == pytest.approx(truth.last * 2, rel=0.001)
    assert meta["regularMarketTime"] == int(truth.last_time)


async def test_recordings_are_served_as_they_are(recordings: Path) -> None:
    def recorded(file: str) -> Any:
        return json.loads((recordings / "yahoo" / file).read_text())["response"]["bodyJson"]

    async with (
        Simulator(vendors=["yahoo"], recorded=recordings) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("yahoo").http, headers=BROWSER) as yahoo,
    ):
        charts = "/v8/finance/chart/"
        for path, query, file in (
            (
                f"{charts}AAPL",
                {"interval": "1d", "period1": 1577836800, "period2": 1578009600},
                "chart-AAPL-2020-01-01-to-2020-01-03.json",
            ),
            (
                f"{charts}AAPL",
                {"interval": "1d", "period1": 1598832000, "period2": 1604707200},
                "chart-AAPL-2020-08-31-to-2020-11-07.json",
            ),
            (f"{charts}BTC-USD", {"interval": "1d"}, "chart-BTC-USD-2020-01-01-to-2020-01-03.json"),
            (f"{charts}EURUSD=X", {"interval": "1d"}, "chart-EURUSD=X-2020-01-01-to-2020-01-03.json"),
            ("/v7/finance/quote", {"symbols": "AAPL", "crumb": "any"}, "quote-AAPL.json"),
            ("/v7/finance/quote", {"symbols": "AAPL,BABA"}, "quote-AAPL-BABA.json"),
        ):
            assert (await yahoo.get(path, params=query)).json() == recorded(file)
        index = await yahoo.get(f"{charts}^GSPC?interval=1d")
        assert index.content == (recordings / "yahoo/chart-GSPC-partial.json").read_bytes()
        for missing in ("RELIANCE.NS?interval=1d", "BTC-USD?interval=1m"):
            assert (await yahoo.get(f"{charts}{missing}")).status_code == 404
