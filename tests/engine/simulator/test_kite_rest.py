"""The simulated Kite's REST calls: envelope, sessions, limits, quirks, and the market's own truth."""

import csv
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator

IST = timezone(timedelta(hours=5, minutes=30))
HEADERS = {"X-Kite-Version": "3", "Authorization": "token simulated:simulated"}


class StandingClock:
    """Time moves only when it is told to."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return self.elapsed

    def wall(self) -> float:
        return 1_700_000_000.2 + self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def simulator(clock: StandingClock) -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["kite"], clock=clock) as running:
        yield running


@pytest.fixture
async def kite(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.vendor("kite").http, headers=HEADERS) as client:
        yield client


def _epoch(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST).timestamp()


async def test_a_quote_is_the_markets_last_trade(simulator: Simulator, kite: httpx.AsyncClient) -> None:
    answer = (await kite.get("/quote", params={"i": ["NSE:INFY", "NSE:NOSUCH"]})).json()
    assert answer["status"] == "success"
    assert list(answer["data"]) == ["NSE:INFY"]  # what it does not know is just missing
    quote = answer["data"]["NSE:INFY"]
    assert quote["instrument_token"] == 408065
    second = _epoch(quote["last_trade_time"])
    trades = simulator.market.trades("NSE:INFY", simulator.market.trade_ids("NSE:INFY", second, second + 1))
    assert (quote["last_price"], quote["last_quantity"]) in zip(trades.price, trades.size, strict=True)
    assert [len(quote["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert quote["lower_circuit_limit"] < quote["last_price"] < quote["upper_circuit_limit"]


async def test_an_instrument_may_be_asked_by_its_token(kite: httpx.AsyncClient) -> None:
    data = (await kite.get("/quote/ltp", params={"i": "408065"})).json()["data"]
    assert data["408065"]["instrument_token"] == 408065


async def test_five_hundred_instruments_fit_into_a_quote_and_not_one_more(
    kite: httpx.AsyncClient, clock: StandingClock
) -> None:
    taken = await kite.get("/quote", params={"i": ["NSE:INFY"] * 500})
    clock.elapsed += 1
    refused = await kite.get("/quote", params={"i": ["NSE:INFY"] * 501})
    assert (taken.status_code, refused.status_code) == (200, 400)
    assert refused.json()["error_type"] == "InputException"


async def test_prices_that_are_whole_are_printed_as_integers(kite: httpx.AsyncClient) -> None:
    rows = await kite.get(
        "/instruments/historical/408065/minute",
        params={"from": "2023-11-14 09:15:00", "to": "2023-11-14 12:00:00"},
    )
    prices = [price for row in rows.json()["data"]["candles"] for price in row[1:5]]
    assert all(isinstance(price, int) == (price == int(price)) for price in prices)
    assert ".0," not in rows.text


async def test_candles_are_the_markets_with_an_offset_that_has_no_colon(
    simulator: Simulator, kite: httpx.AsyncClient
) -> None:
    answer = await kite.get(
        "/instruments/historical/408065/minute",
        params={"from": "2023-11-14 09:15:00", "to": "2023-11-14 09:20:00", "oi": "1"},
    )
    rows = answer.json()["data"]["candles"]
    assert [row[0] for row in rows] == [f"2023-11-14T09:{minute}:00+0530" for minute in range(15, 21)]
    start = int(_epoch("2023-11-14 09:15:00"))
    truth = simulator.market.candles("NSE:INFY", 60, start, start + 360)
    assert [row[1:6] for row in rows] == [
        list(row) for row in zip(truth.open, truth.high, truth.low, truth.close, truth.volume, strict=True)
    ]
    assert [row[6] for row in rows] == [0] * 6


async def test_days_are_stamped_with_their_midnight_even_if_the_exchange_keeps_hours(
    clock: StandingClock,
) -> None:
    async with (
        Simulator(vendors=["kite"], clock=clock, always_open=False) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("kite").http, headers=HEADERS) as kite,
    ):
        answer = await kite.get(
            "/instruments/historical/408065/day",
            params={"from": "2023-11-09 12:00:00", "to": "2023-11-14 09:30:00"},
        )
    assert [row[0] for row in answer.json()["data"]["candles"]] == [
        f"2023-11-{day:02d}T00:00:00+0530" for day in (9, 10, 13, 14)
    ]


@pytest.mark.parametrize(
    ("interval", "days", "words"),
    [("minute", 61, "60 days"), ("day", 2001, "2000 days"), ("2minute", 1, "invalid interval")],
)
async def test_spans_have_limits(kite: httpx.AsyncClient, interval: str, days: int, words: str) -> None:
    start = datetime(2017, 1, 1, tzinfo=IST)
    answer = await kite.get(
        f"/instruments/historical/408065/{interval}",
        params={"from": f"{start:%Y-%m-%d %H:%M:%S}", "to": f"{start + timedelta(days):%Y-%m-%d %H:%M:%S}"},
    )
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "InputException"
    assert words in answer.json()["message"]


async def test_the_dump_is_gzipped_csv_whose_tokens_tell_the_segment(kite: httpx.AsyncClient) -> None:
    answer = await kite.get("/instruments/NSE", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/csv")
    rows = {row["tradingsymbol"]: row for row in csv.DictReader(answer.text.splitlines())}
    assert len(rows) == 500
    assert {name: rows[name]["instrument_token"] for name in ("INFY", "RELIANCE", "NIFTY 50")} == {
        "INFY": "408065",
        "RELIANCE": "738561",
        "NIFTY 50": "256265",
    }
    for row in rows.values():
        segment = 9 if row["segment"] == "INDICES" else 1
        assert int(row["instrument_token"]) == int(row["exchange_token"]) << 8 | segment


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Kite-Version": "3", "Authorization": "token simulated:stale"},
        {"X-Kite-Version": "", "Authorization": HEADERS["Authorization"]},
        {"X-Kite-Version": "3", "Authorization": ""},
    ],
)
async def test_without_its_headers_nothing_is_answered(
    kite: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await kite.get("/quote/ltp", params={"i": "NSE:INFY"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error_type"] == "TokenException"


async def test_one_quote_a_second_and_a_429_without_retry_after(
    kite: httpx.AsyncClient, clock: StandingClock
) -> None:
    codes = [(await kite.get("/quote/ltp", params={"i": "NSE:INFY"})).status_code for _ in range(2)]
    refused = await kite.get("/quote", params={"i": "NSE:INFY"})
    clock.elapsed += 1.0
    later = await kite.get("/quote", params={"i": "NSE:INFY"})
    assert [*codes, refused.status_code, later.status_code] == [200, 429, 429, 200]
    assert refused.json() == {
        "status": "error",
        "message": "Too many requests",
        "error_type": "NetworkException",
    }
    assert "retry-after" not in refused.headers


async def test_a_login_gives_a_session_once_and_only_for_the_right_checksum(
    kite: httpx.AsyncClient,
) -> None:
    page = await kite.get("/connect/login", params={"api_key": "simulated", "v": "3"})
    token = httpx.URL(page.headers["location"]).params["request_token"]
    good = hashlib.sha256(f"simulated{token}simulated".encode()).hexdigest()
    form = {"api_key": "simulated", "request_token": token, "checksum": good}
    wrong = await kite.post("/session/token", data={**form, "checksum": "0" * 64})
    assert (wrong.status_code, wrong.json()["error_type"]) == (403, "TokenException")
    session = (await kite.post("/session/token", data=form)).json()["data"]
    again = await kite.post("/session/token", data=form)
    assert again.status_code == 403
    headers = {"Authorization": f"token simulated:{session['access_token']}"}
    assert (await kite.get("/user/profile", headers=headers)).json()["data"]["broker"] == "ZERODHA"
    await kite.request("DELETE", "/session/token", params={"access_token": session["access_token"]})
    assert (await kite.get("/user/profile", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("fault", "status", "error_type"),
    [
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=7), 429, "NetworkException"),
        (Fault(kind=FaultKind.TOKEN_EXPIRED), 403, "TokenException"),
        (Fault(kind=FaultKind.QUOTA), 403, "PermissionException"),
        (Fault(kind=FaultKind.ERROR_IN_200), 200, "DataException"),
        (Fault(kind=FaultKind.STATUS, status=502), 502, "DataException"),
        (Fault(kind=FaultKind.STATUS, status=503), 503, "NetworkException"),
        (Fault(kind=FaultKind.BAN), 418, "NetworkException"),
    ],
)
async def test_every_fault_is_told_in_kites_words(
    simulator: Simulator, kite: httpx.AsyncClient, fault: Fault, status: int, error_type: str
) -> None:
    await simulator.inject("kite", fault)
    answer = await kite.get("/quote", params={"i": "NSE:INFY"})
    assert (answer.status_code, answer.json()["status"]) == (status, "error")
    assert answer.json()["error_type"] == error_type
    assert answer.headers.get("retry-after") == ("7" if fault.retry_after_s else None)


async def test_the_wire_log_counts_by_kind_of_call(simulator: Simulator, kite: httpx.AsyncClient) -> None:
    await kite.get("/quote/ltp", params={"i": "NSE:INFY"})
    await kite.get("/instruments")
    assert simulator.vendor("kite").log.by_group() == {"quote": 1, "instruments": 1}


async def test_recordings_are_served_as_they_are_and_without_limits(recordings: Path) -> None:
    async with (
        Simulator(vendors=["kite"], recorded=recordings) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("kite").http, headers=HEADERS) as kite,
    ):
        for path, file in (
            ("/quote?i=NSE:INFY", "quote.json"),
            ("/quote/ohlc?i=NSE:INFY", "ohlc.json"),
            ("/quote/ltp?i=NSE:INFY", "ltp.json"),
            ("/instruments/NSE", "instruments_nse.csv"),
            (
                "/instruments/historical/3861249/minute?from=2017-12-15&to=2017-12-16",
                "historical_minute.json",
            ),
        ):
            assert (await kite.get(path)).content == (recordings / "kite" / file).read_bytes()
        unknown = await kite.get("/quote?i=NSE:NOSUCH")
    assert unknown.json() == {"status": "success", "data": {}}
