"""The simulated Alpha Vantage: everything as text, everything a 200, and the market's own truth."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from zoneinfo import ZoneInfo

import httpx
import pytest
from mds_engine.simulator.alphavantage import AlphaVantagePlan, AlphaVantageVendor
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator

EASTERN = ZoneInfo("America/New_York")
UNLIMITED = AlphaVantagePlan(per_second=None, per_day=None)
SCRIPT = Path(__file__).parent / "scripts" / "alphavantage_rest.py"


class StandingClock:
    """Time moves only when it is told to. It starts in the American summer."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return self.elapsed

    def wall(self) -> float:
        return 1_688_400_090.0 + self.elapsed  # 2023-07-03 12:01:30 in New York

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def simulator(clock: StandingClock) -> AsyncIterator[Simulator]:
    factory = partial(AlphaVantageVendor, plan=UNLIMITED)
    async with Simulator(vendors=[factory], clock=clock) as running:
        yield running


@pytest.fixture
async def free(clock: StandingClock) -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["alphavantage"], clock=clock) as running:
        yield running


async def _ask(simulator: Simulator, **query: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=simulator.vendor("alphavantage").http) as client:
        return await client.get("/query", params={"apikey": "demo", **query})


async def test_a_global_quote_is_ten_texts(simulator: Simulator) -> None:
    answer = await _ask(simulator, function="GLOBAL_QUOTE", symbol="AAPL")
    quote = answer.json()["Global Quote"]
    assert list(quote)[::4] == ["01. symbol", "05. price", "09. change"]
    assert all(isinstance(value, str) for value in quote.values())
    truth = simulator.market.snapshot("NASDAQ:AAPL", 1_688_400_030.0)
    assert float(quote["05. price"]) == pytest.approx(truth.last, abs=0.021)  # two steps of noise
    assert quote["08. previous close"] == f"{truth.previous_close:.4f}"
    assert quote["07. latest trading day"] == "2023-07-03"
    assert quote["10. change percent"].endswith("%")


async def test_an_unknown_symbol_has_an_empty_quote(simulator: Simulator) -> None:
    answer = await _ask(simulator, function="GLOBAL_QUOTE", symbol="NOSUCHTHING")
    assert (answer.status_code, answer.json()) == (200, {"Global Quote": {}})


async def test_minutes_come_newest_first_by_new_yorks_clock_in_summer(simulator: Simulator) -> None:
    answer = (await _ask(simulator, function="TIME_SERIES_INTRADAY", symbol="AAPL", interval="1min")).json()
    assert answer["Meta Data"]["6. Time Zone"] == "US/Eastern"
    series = answer["Time Series (1min)"]
    times = list(series)
    assert len(times) == 100
    assert times == sorted(times, reverse=True)
    assert times[0] == answer["Meta Data"]["3. Last Refreshed"] == "2023-07-03 11:59:00"
    start = int(datetime.fromisoformat(times[-1]).replace(tzinfo=EASTERN).timestamp())
    truth = simulator.market.candles("NASDAQ:AAPL", 60, start, start + 6_000)
    assert [row["1. open"] for row in reversed(series.values())] == [f"{x:.4f}" for x in truth.open]
    assert [row["5. volume"] for row in reversed(series.values())] == [str(int(x)) for x in truth.volume]


async def test_days_of_an_indian_share_are_indian_days(simulator: Simulator) -> None:
    answer = (await _ask(simulator, function="TIME_SERIES_DAILY", symbol="RELIANCE.BSE")).json()
    series = answer["Time Series (Daily)"]
    assert (len(series), next(iter(series))) == (100, "2023-07-03")
    start = simulator.market.day_start("NSE:RELIANCE", 1_688_400_030.0)
    truth = simulator.market.candles("NSE:RELIANCE", 86_400, start - 86_400, start)
    assert series["2023-07-02"]["4. close"] == f"{truth.close[0]:.4f}"


async def test_csv_has_the_same_rows_and_carriage_returns(simulator: Simulator) -> None:
    query = {"function": "TIME_SERIES_DAILY", "symbol": "AAPL"}
    series = (await _ask(simulator, **query)).json()["Time Series (Daily)"]
    text = (await _ask(simulator, **query, datatype="csv")).text
    assert text.startswith("timestamp,open,high,low,close,volume\r\n")
    rows = list(csv.reader(text.splitlines()[1:]))
    assert rows == [[time, *row.values()] for time, row in series.items()]


@pytest.mark.parametrize(
    ("query", "key", "phrase"),
    [
        ({"function": "TIME_SERIES_DAILY", "symbol": "NOSUCHTHING"}, "Error Message", "Invalid API call"),
        ({"function": "TIME_SERIES_INTRADAY", "symbol": "AAPL"}, "Error Message", "Invalid API call"),
        ({"function": "NO_SUCH"}, "Error Message", "does not exist"),
        ({"function": "GLOBAL_QUOTE", "apikey": ""}, "Error Message", "apikey is invalid or missing"),
        ({"function": "VWAP", "symbol": "AAPL"}, "Information", "premium endpoint"),
        (
            {"function": "TIME_SERIES_DAILY", "symbol": "AAPL", "outputsize": "full", "datatype": "csv"},
            "Information",
            "premium feature",
        ),
    ],
)
async def test_every_refusal_is_a_json_200(
    simulator: Simulator, query: dict[str, str], key: str, phrase: str
) -> None:
    answer = await _ask(simulator, **query)
    assert answer.status_code == 200
    assert list(answer.json()) == [key]
    assert phrase in answer.json()[key]


async def test_a_premium_plan_gives_the_whole_history(clock: StandingClock) -> None:
    factory = partial(AlphaVantageVendor, plan=AlphaVantagePlan(per_second=None, per_day=None, premium=True))
    async with Simulator(vendors=[factory], clock=clock) as simulator:
        answer = await _ask(simulator, function="TIME_SERIES_DAILY", symbol="AAPL", outputsize="full")
    assert len(answer.json()["Time Series (Daily)"]) > 7_000


async def test_one_call_a_second_and_25_a_day(free: Simulator, clock: StandingClock) -> None:
    quote = {"function": "GLOBAL_QUOTE", "symbol": "AAPL"}
    assert "Global Quote" in (await _ask(free, **quote)).json()
    burst = (await _ask(free, **quote)).json()["Information"]
    assert "1 request per second" in burst
    for _ in range(24):
        clock.elapsed += 1
        assert "Global Quote" in (await _ask(free, **quote)).json()
    clock.elapsed += 1
    spent = [(await _ask(free, **quote, apikey="MYKEY")).json()["Information"] for _ in range(3)]
    assert all("rate limit is 25 requests per day" in text for text in spent)
    assert ["MYKEY" in text for text in spent] == [False, False, True]  # now and then it echoes the key
    clock.elapsed += 12 * 3_600  # past midnight in New York
    assert "Global Quote" in (await _ask(free, **quote)).json()


@pytest.mark.parametrize(
    ("kind", "key", "phrase"),
    [
        (FaultKind.TOKEN_EXPIRED, "Error Message", "apikey is invalid"),
        (FaultKind.QUOTA, "Information", "25 requests per day"),
        (FaultKind.ERROR_IN_200, "Information", "temporarily unavailable"),
    ],
)
async def test_faults_in_its_own_words_are_200s(
    simulator: Simulator, kind: FaultKind, key: str, phrase: str
) -> None:
    await simulator.inject("alphavantage", Fault(kind=kind))
    answer = await _ask(simulator, function="GLOBAL_QUOTE", symbol="AAPL")
    assert answer.status_code == 200
    assert phrase in answer.json()[key]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=9), 429),
        (Fault(kind=FaultKind.BAN, retry_after_s=9), 418),
        (Fault(kind=FaultKind.STATUS, status=503, retry_after_s=9), 503),
    ],
)
async def test_faults_of_the_gateway_have_their_status(
    simulator: Simulator, fault: Fault, status: int
) -> None:
    await simulator.inject("alphavantage", fault)
    answer = await _ask(simulator, function="GLOBAL_QUOTE", symbol="AAPL")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "9")


async def test_a_wrong_price_is_wrong_by_its_factor(simulator: Simulator) -> None:
    await simulator.inject("alphavantage", Fault(kind=FaultKind.WRONG_PRICE, factor=3.0))
    quote = (await _ask(simulator, function="GLOBAL_QUOTE", symbol="AAPL")).json()["Global Quote"]
    truth = simulator.market.snapshot("NASDAQ:AAPL", 1_688_400_030.0)
    assert float(quote["05. price"]) == pytest.approx(truth.last * 3, rel=0.001)


async def test_the_words_are_those_of_the_real_vendor(simulator: Simulator, recordings: Path) -> None:
    real = json.loads((recordings / "alphavantage/http200_daily_limit.Information.json").read_text())
    await simulator.inject("alphavantage", Fault(kind=FaultKind.QUOTA))
    assert (await _ask(simulator, function="GLOBAL_QUOTE", symbol="AAPL")).json() == real


async def test_recordings_are_served_as_they_are(recordings: Path) -> None:
    async with Simulator(vendors=["alphavantage"], recorded=recordings) as simulator:
        quote = await _ask(simulator, function="GLOBAL_QUOTE", symbol="MSFT")
        minutes = await _ask(simulator, function="TIME_SERIES_INTRADAY", symbol="MSFT", interval="1min")
        days = await _ask(simulator, function="TIME_SERIES_DAILY", symbol="MSFT")
        unknown = await _ask(simulator, function="GLOBAL_QUOTE", symbol="AAPL")
    folder = recordings / "alphavantage"
    assert quote.content == (folder / "GLOBAL_QUOTE_MSFT.json").read_bytes()
    assert minutes.content == (folder / "TIME_SERIES_INTRADAY_MSFT_1min.json").read_bytes()
    assert days.content == (folder / "http200_invalid_call.ErrorMessage.json").read_bytes()
    assert unknown.json() == {"Global Quote": {}}


async def test_the_sdk_reads_the_market(run_sdk: Callable[..., CompletedProcess[str]]) -> None:
    factory = partial(AlphaVantageVendor, plan=UNLIMITED)
    async with Simulator(vendors=[factory]) as simulator:
        url = f"{simulator.vendor('alphavantage').http}/query?"
        ran = await asyncio.to_thread(run_sdk, "alphavantage", SCRIPT.read_text(), url, "demo")
        assert ran.returncode == 0, ran.stderr
        read = json.loads(ran.stdout)
        assert float(read["quote"]["05. price"]) == pytest.approx(
            simulator.market.price("NASDAQ:AAPL"), rel=0.01
        )
        times = sorted(read["minutes"])
        start = int(datetime.fromisoformat(times[0]).replace(tzinfo=EASTERN).timestamp())
        truth = simulator.market.candles("NASDAQ:AAPL", 60, start, start + 6_000)
        assert [read["minutes"][time]["4. close"] for time in times] == [f"{x:.4f}" for x in truth.close]
    assert read["minutes_meta"]["2. Symbol"] == read["days_meta"]["2. Symbol"] == "AAPL"
    assert (len(read["days"]), len(read["csv"])) == (100, 101)
    assert "Invalid API call" in read["errors"]["symbol"]
    assert "premium feature" in read["errors"]["full"]
