"""Binance over REST: shapes, limits, errors, archives and recordings."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from mds_engine.simulator.binance import BinanceVendor
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator

NOW = 1_790_000_123.456
API = "/api/v3/"


class StoppedClock:
    """Wall time that moves when it is told to; it sleeps no longer than one turn of the loop."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("REST has no reason to sleep")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def simulator(clock: StoppedClock) -> AsyncIterator[Simulator]:
    async with Simulator(vendors=("binance",), clock=clock) as running:
        yield running


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.vendor("binance").http, timeout=10) as one:
        yield one


async def get(client: httpx.AsyncClient, endpoint: str, **params: object) -> httpx.Response:
    return await client.get(API + endpoint, params={name: str(value) for name, value in params.items()})


async def test_klines_ascend_and_end_with_the_open_bar(client: httpx.AsyncClient) -> None:
    rows = (await get(client, "klines", symbol="BTCUSDT", interval="1m")).json()
    assert len(rows) == 500
    opened = [row[0] for row in rows]
    assert opened == list(range(opened[0], opened[0] + 500 * 60_000, 60_000))
    assert opened[-1] <= NOW * 1000 < opened[-1] + 60_000
    assert all(row[6] == row[0] + 59_999 and len(row) == 12 and row[11] == "0" for row in rows)
    assert all(len(row[1].partition(".")[2]) == 8 for row in rows)
    last = (await get(client, "ticker/price", symbol="BTCUSDT")).json()
    assert last == {"symbol": "BTCUSDT", "price": rows[-1][4]}


@pytest.mark.parametrize(
    ("params", "first", "count"),
    [
        ({"startTime": 1_789_999_560_000, "limit": 3}, 1_789_999_560_000, 3),
        ({"startTime": 1_789_999_560_001, "limit": 3}, 1_789_999_620_000, 3),
        ({"endTime": 1_789_999_560_000, "limit": 2}, 1_789_999_500_000, 2),
        ({"startTime": 1_789_999_560_000, "endTime": 1_789_999_680_000}, 1_789_999_560_000, 3),
        ({"limit": 5_000}, 1_790_000_100_000 - 999 * 60_000, 1_000),
        ({"startTime": 1_790_000_200_000}, None, 0),
        ({"startTime": 0, "limit": 1}, 1_502_928_000_000, 1),
    ],
)
async def test_klines_of_a_range(
    client: httpx.AsyncClient, params: dict[str, int], first: int | None, count: int
) -> None:
    rows = (await get(client, "klines", symbol="ETHUSDT", interval="1m", **params)).json()
    assert len(rows) == count
    assert (rows[0][0] if rows else None) == first


@pytest.mark.parametrize(
    ("interval", "opened"),
    [
        ("1s", 1_790_000_123_000),
        ("1d", 1_789_948_800_000),
        ("1w", 1_789_948_800_000),  # Monday 2026-09-21
        ("1M", 1_788_220_800_000),  # 2026-09-01
    ],
)
async def test_bars_open_where_the_calendar_says(
    client: httpx.AsyncClient, interval: str, opened: int
) -> None:
    rows = (await get(client, "klines", symbol="BTCUSDT", interval=interval, limit=2)).json()
    assert rows[-1][0] == opened
    assert rows[-2][6] + 1 == opened


async def test_times_in_microseconds_on_request(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        API + "klines",
        params={"symbol": "BTCUSDT", "interval": "1m", "startTime": "1789999560000000", "limit": "1"},
        headers={"X-MBX-TIME-UNIT": "MICROSECOND"},
    )
    assert [answer.json()[0][0], answer.json()[0][6]] == [1_789_999_560_000_000, 1_789_999_619_999_999]


@pytest.mark.parametrize(
    ("endpoint", "params", "code"),
    [
        ("klines", {"symbol": "NOSUCH", "interval": "1m"}, -1121),
        ("klines", {"symbol": "btcusdt", "interval": "1m"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "BTCUSDT"}, -1102),
        ("klines", {"interval": "1m"}, -1102),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "many"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "0"}, -1130),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "colour": "red"}, -1104),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": "5", "startTime": "6"}, -1128),
        ("ticker/price", {"symbols": "BTCUSDT"}, -1100),
        ("ticker/price", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1101),
        ("depth", {}, -1102),
    ],
)
async def test_bad_requests_get_the_documented_code(
    client: httpx.AsyncClient, endpoint: str, params: dict[str, str], code: int
) -> None:
    answer = await get(client, endpoint, **params)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert set(answer.json()) == {"code", "msg"}


async def test_the_error_bodies_are_the_documented_ones(client: httpx.AsyncClient, recordings: Path) -> None:
    documented = {}
    for line in (recordings / "binance" / "docs_error_bodies.jsonl").read_text().splitlines():
        row = msgspec.json.decode(line)
        documented[row["status"], row["body"]["code"]] = row["body"]["msg"]
    for params, code in (
        ({"symbol": "NOSUCH", "interval": "1m"}, -1121),
        ({"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ({"interval": "1m"}, -1102),
        ({"symbol": "btc", "interval": "1m"}, -1100),
    ):
        assert (await get(client, "klines", **params)).json() == {"code": code, "msg": documented[400, code]}


async def test_tickers_for_one_for_some_and_for_all(client: httpx.AsyncClient) -> None:
    for endpoint in ("ticker/price", "ticker/bookTicker", "ticker/24hr"):
        one = (await get(client, endpoint, symbol="BTCUSDT")).json()
        some = (await get(client, endpoint, symbols='["BTCUSDT","ETHUSDT"]')).json()
        assert some[0] == one
        assert some[1]["symbol"] == "ETHUSDT"
        everything = (await get(client, endpoint)).json()
        assert len(everything) == 200
    mini = (await get(client, "ticker/24hr", symbol="BTCUSDT", type="MINI")).json()
    assert "bidPrice" not in mini
    assert mini["closeTime"] - mini["openTime"] == 86_400_000


async def test_the_answers_have_the_documented_keys(client: httpx.AsyncClient, recordings: Path) -> None:
    def recorded(file: str) -> object:
        return msgspec.json.decode((recordings / "binance" / file).read_bytes())

    day = (await get(client, "ticker/24hr", symbol="BTCUSDT")).json()
    assert list(day) == list(recorded("docs_http_ticker_24hr.json"))
    for endpoint, file in (
        ("ticker/price", "http_spot_market_ticker_price.json"),
        ("ticker/bookTicker", "http_spot_market_book_ticker.json"),
        ("depth", "http_spot_market_depth.json"),
    ):
        assert list((await get(client, endpoint, symbol="BTCUSDT")).json()) == list(recorded(file))
    trades = (await get(client, "aggTrades", symbol="BTCUSDT")).json()
    assert list(trades[0]) == list(recorded("http_spot_market_agg_trades.json")[0])
    row = (await get(client, "klines", symbol="BTCUSDT", interval="1m")).json()[0]
    expected = recorded("http_spot_market_klines.json")[0]
    assert [type(value) for value in row] == [type(value) for value in expected]


async def test_trades_are_paged_by_id_and_by_time(client: httpx.AsyncClient) -> None:
    newest = (await get(client, "aggTrades", symbol="BTCUSDT", limit=10)).json()
    assert [trade["a"] for trade in newest] == list(range(newest[0]["a"], newest[0]["a"] + 10))
    assert newest[-1]["T"] <= NOW * 1000
    again = (await get(client, "aggTrades", symbol="BTCUSDT", fromId=newest[4]["a"])).json()
    assert again == newest[4:]
    window = (
        await get(client, "aggTrades", symbol="BTCUSDT", startTime=newest[2]["T"], endTime=newest[6]["T"])
    ).json()
    assert window == newest[2:7]
    start = newest[2]["T"]
    limited = (await get(client, "aggTrades", symbol="BTCUSDT", startTime=start, limit=2)).json()
    assert limited == newest[2:4]
    trades = (await get(client, "trades", symbol="BTCUSDT", limit=10)).json()
    assert [(trade["id"], trade["price"], trade["qty"]) for trade in trades] == [
        (trade["a"], trade["p"], trade["q"]) for trade in newest
    ]


async def test_depth_has_as_many_levels_as_asked(client: httpx.AsyncClient) -> None:
    book = (await get(client, "depth", symbol="BTCUSDT", limit=20)).json()
    assert (len(book["bids"]), len(book["asks"])) == (20, 20)
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    best = (await get(client, "ticker/bookTicker", symbol="BTCUSDT")).json()
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]


async def test_exchange_info_says_limits_and_steps(client: httpx.AsyncClient) -> None:
    info = (await get(client, "exchangeInfo", symbol="BTCUSDT")).json()
    assert {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000} in info[
        "rateLimits"
    ]
    (symbol,) = info["symbols"]
    assert (symbol["baseAsset"], symbol["quoteAsset"]) == ("BTC", "USDT")
    assert symbol["filters"][0]["tickSize"] == "0.01000000"


@pytest.mark.parametrize(
    ("endpoint", "params", "weight"),
    [
        ("ping", {}, 1),
        ("exchangeInfo", {"symbol": "BTCUSDT"}, 20),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m"}, 2),
        ("ticker/price", {"symbol": "BTCUSDT"}, 2),
        ("ticker/price", {"symbols": '["BTCUSDT"]'}, 4),
        ("ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("ticker/24hr", {}, 80),
        ("aggTrades", {"symbol": "BTCUSDT"}, 4),
        ("trades", {"symbol": "BTCUSDT"}, 25),
        ("depth", {"symbol": "BTCUSDT"}, 5),
        ("depth", {"symbol": "BTCUSDT", "limit": 101}, 25),
        ("depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
        ("klines", {"symbol": "NOSUCH", "interval": "1m"}, 2),
    ],
)
async def test_every_answer_says_the_weight_used(
    client: httpx.AsyncClient, endpoint: str, params: dict[str, object], weight: int
) -> None:
    answer = await get(client, endpoint, **params)
    assert answer.headers["X-MBX-USED-WEIGHT-1M"] == answer.headers["X-MBX-USED-WEIGHT"] == str(weight)


async def test_too_much_weight_is_throttled_then_banned_and_both_end(clock: StoppedClock) -> None:
    vendor = partial(BinanceVendor, weight_limit=100)
    async with (
        Simulator(vendors=(vendor,), clock=clock) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("binance").http) as client,
    ):
        for _ in range(5):
            assert (await get(client, "exchangeInfo", symbol="BTCUSDT")).status_code == 200
        throttled = await get(client, "ping")
        assert throttled.status_code == 429
        assert throttled.json()["code"] == -1003
        assert throttled.json()["msg"].startswith("Too much request weight used; current limit is 100 ")
        wait_s = int(throttled.headers["Retry-After"])
        assert 0 < wait_s <= 60

        clock.at += wait_s
        assert (await get(client, "ping")).headers["X-MBX-USED-WEIGHT-1M"] == "1"

        for _ in range(5):
            await get(client, "exchangeInfo", symbol="BTCUSDT")
        answers = [await get(client, "ping") for _ in range(12)]
        assert {answer.status_code for answer in answers[:9]} == {429}
        assert answers[-1].status_code == 418
        assert int(answers[-1].headers["Retry-After"]) == 120
        assert answers[-1].json()["msg"].startswith("Way too much request weight used; IP banned until ")

        clock.at += 60
        assert (await get(client, "ping")).status_code == 418
        clock.at += 61
        assert (await get(client, "ping")).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600), 429, -1003),
        (Fault(kind=FaultKind.BAN, retry_after_s=120), 418, -1003),
        (Fault(kind=FaultKind.TOKEN_EXPIRED), 401, -2015),
        (Fault(kind=FaultKind.ERROR_IN_200), 200, -1001),
        (Fault(kind=FaultKind.QUOTA), 429, -1003),
        (Fault(kind=FaultKind.STATUS, status=500), 500, -1000),
        (Fault(kind=FaultKind.STATUS, status=503), 503, -1000),
    ],
)
async def test_faults_speak_binance(
    simulator: Simulator, client: httpx.AsyncClient, fault: Fault, status: int, code: int
) -> None:
    await simulator.inject("binance", fault)
    answer = await get(client, "ping")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if fault.retry_after_s:
        assert answer.headers["Retry-After"] == str(int(fault.retry_after_s))


@pytest.mark.parametrize("status", [403, 502, 504])
async def test_the_gateway_answers_with_a_page(
    simulator: Simulator, client: httpx.AsyncClient, status: int
) -> None:
    await simulator.inject("binance", Fault(kind=FaultKind.STATUS, status=status))
    answer = await get(client, "ping")
    assert (answer.status_code, answer.text[:15]) == (status, "<!DOCTYPE html>")


async def test_three_endpoints_tell_the_same_truth_and_fail_one_by_one(simulator: Simulator) -> None:
    binance = simulator.vendor("binance")
    assert len(binance.endpoints) == 3
    await simulator.inject("binance", Fault(kind=FaultKind.STATUS), endpoint=1)
    answers = []
    for endpoint in binance.endpoints:
        async with httpx.AsyncClient(base_url=endpoint.http) as client:
            answers.append(await get(client, "ticker/price", symbol="BTCUSDT"))
    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert answers[0].json() == answers[2].json()
    assert [entry.endpoint for entry in binance.requests(group="quote")] == [0, 1, 2]


@pytest.mark.parametrize(
    ("month", "digits", "opened"),
    [("2024-12", 13, 1_733_011_200_000), ("2025-01", 16, 1_735_689_600_000_000)],
)
async def test_archives_are_zipped_checked_and_counted_in_the_right_unit(
    client: httpx.AsyncClient, month: str, digits: int, opened: int
) -> None:
    path = f"/data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-{month}.zip"
    packed = (await client.get(path)).content
    checksum = (await client.get(path + ".CHECKSUM")).text
    assert checksum == f"{hashlib.sha256(packed).hexdigest()}  BTCUSDT-1h-{month}.zip\n"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        (name,) = archive.namelist()
        rows = [line.split(",") for line in archive.read(name).decode().splitlines()]
    assert name == f"BTCUSDT-1h-{month}.csv"
    assert len(rows) == 31 * 24
    assert int(rows[0][0]) == opened
    assert all(len(row) == 12 and len(row[0]) == len(row[6]) == digits for row in rows)


@pytest.mark.parametrize(
    "file",
    [
        "daily/klines/BTCUSDT/1h/BTCUSDT-1h-2099-01-01.zip",
        "daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-09-21.zip",  # the day is not over
        "daily/klines/NOSUCH/1h/NOSUCH-1h-2025-01-01.zip",
        "monthly/klines/BTCUSDT/1h/ETHUSDT-1h-2025-01.zip",
        "daily/klines/BTCUSDT/1h/BTCUSDT-1h-2025-13-01.zip",
        "monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2016-01.zip",
    ],
)
async def test_an_archive_that_does_not_exist(client: httpx.AsyncClient, file: str) -> None:
    answer = await client.get(f"/data/spot/{file}")
    assert answer.status_code == 404
    assert "<Code>NoSuchKey</Code>" in answer.text


async def test_recorded_bodies_are_served_as_they_are(recordings: Path) -> None:
    folder = recordings / "binance"
    expected = {
        "klines?symbol=BTCUSDT&interval=1m": "http_spot_market_klines.json",
        "ticker/price?symbol=BTCUSDT": "http_spot_market_ticker_price.json",
        "ticker/bookTicker?symbol=BTCUSDT": "http_spot_market_book_ticker.json",
        "ticker/24hr?symbol=BNBBTC": "docs_http_ticker_24hr.json",
        "aggTrades?symbol=BTCUSDT": "http_spot_market_agg_trades.json",
        "depth?symbol=BTCUSDT": "http_spot_market_depth.json",
        "exchangeInfo?symbol=BTCUSDT": "http_spot_market_exchange_info.json",
        "exchangeInfo": "exchangeInfo_2021-10_slice.json",
        "time": "http_spot_market_time.json",
    }
    async with (
        Simulator(vendors=("binance",), recorded=recordings) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("binance").http) as client,
    ):
        for request, file in expected.items():
            assert (await client.get(API + request)).content == (folder / file).read_bytes(), request
        book = (await client.get(API + "depth?symbol=NKNUSDT&limit=1000")).json()
        assert book["lastUpdateId"] == 499_869_752
        assert (await client.get(API + "ping")).json() == {}
        archive = "BTCUSDT-1h-2025-01.zip"
        packed = await client.get(f"/data/spot/monthly/klines/BTCUSDT/1h/{archive}")
        assert packed.content == (folder / "rebuilt" / archive).read_bytes()
        unknown = await client.get(API + "klines?symbol=ETHUSDT&interval=1m")
        assert (unknown.status_code, unknown.json()["code"]) == (400, -1121)
