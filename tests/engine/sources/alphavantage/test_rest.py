"""Alpha Vantage against a small one on loopback: what is asked, what it costs, what failures become."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from mds_engine.clock import SystemClock
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    QuotaExhausted,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Capability, Instrument, Interval
from mds_engine.sources.alphavantage import plugin
from mds_engine.sources.contract import BarsRequest, RequestCost, Source

KEY = "QWERTY123456"
IBM = Instrument("NYSE", "IBM")
MSFT = Instrument("NASDAQ", "MSFT")
NOBODY = Instrument("NASDAQ", "NONEXIST")
NOW = datetime(2024, 6, 12, 14, 0, tzinfo=UTC).timestamp()
DAY_NS = 86400 * 10**9
NOW_NS = int(NOW) * 10**9

BURST = {"Information": "Please consider spreading out your requests (1 request per second)."}
DAILY = {"Information": f"We have detected your API key as {KEY} and our limit is 25 requests per day."}
BAD_KEY = {"Error Message": "the parameter apikey is invalid or missing. Please claim your free API key"}
BAD_CALL = {"Error Message": "Invalid API call. Please retry or visit the documentation"}


class FixedClock(SystemClock):
    """2024-06-12 10:00 in New York."""

    @staticmethod
    def wall() -> float:
        return NOW


class SmallVantage:
    """Answers quotes and series; `answer` replaces the next answers of all."""

    def __init__(self) -> None:
        self.url = ""
        self.queries: list[dict[str, str]] = []
        self.answers: list[web.Response] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.queries.append(query)
        if self.answers:
            return self.answers.pop(0)
        if "apikey" not in query:
            return web.json_response(BAD_KEY)
        if "NONE" in query["symbol"]:
            return web.json_response({"Global Quote": {}})
        if query["function"] == "GLOBAL_QUOTE":
            return web.json_response(
                {"Global Quote": {"01. symbol": query["symbol"], "05. price": "169.2100"}}
            )
        names = {"TIME_SERIES_DAILY": "Time Series (Daily)", "TIME_SERIES_WEEKLY": "Weekly Time Series"}
        name = names.get(query["function"], f"Time Series ({query.get('interval')})")
        times = (
            ["2024-06-12 09:30:00", "2024-06-11 09:30:00"]
            if "interval" in query
            else ["2024-06-11", "2024-06-07"]
        )
        fields = ("1. open", "2. high", "3. low", "4. close", "5. volume")
        rows = {time: dict.fromkeys(fields, "169.2100") for time in times}
        return web.json_response({"Meta Data": {"6. Time Zone": "US/Eastern"}, name: rows})


@pytest.fixture
async def vantage() -> AsyncIterator[SmallVantage]:
    small = SmallVantage()
    runner = web.ServerRunner(web.Server(small.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    small.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield small
    await runner.cleanup()


@pytest.fixture
async def source(vantage, context) -> AsyncIterator[Source]:
    context.clock = FixedClock()
    settings = plugin.settings(kind="alphavantage", endpoints=(vantage.url,), api_key=Secret(KEY))
    source = plugin.create(settings, context)
    await source.connect()
    yield source
    await source.close()


def bars(interval: Interval, days_back: float, days: float = 1000) -> BarsRequest:
    start_ns = NOW_NS - int(days_back * DAY_NS)
    return BarsRequest(MSFT, interval, start_ns, min(start_ns + int(days * DAY_NS), NOW_NS))


async def test_quotes_take_one_request_each_and_all_but_the_first_are_paid_for(
    source, vantage, context
) -> None:
    quotes = await source.quotes([IBM, NOBODY, MSFT])
    assert {instrument: quote.price for instrument, quote in quotes.items()} == {IBM: 169.21, MSFT: 169.21}
    assert [query["symbol"] for query in vantage.queries] == ["IBM", "NONEXIST", "MSFT"]
    assert all(query["apikey"] == KEY for query in vantage.queries)
    assert context.paid == [RequestCost(), RequestCost()]


async def test_what_was_had_before_the_purse_was_empty_is_kept(source, vantage, context) -> None:
    context.purse = 0
    assert set(await source.quotes([IBM, MSFT])) == {IBM}
    assert len(vantage.queries) == 1


async def test_nothing_known_is_not_found(source) -> None:
    with pytest.raises(NotFound):
        await source.quotes([NOBODY])


@pytest.mark.parametrize(
    ("asked", "local"), [(["index"], True), (["index", "nobody"], False), (["nobody", "index"], False)]
)
async def test_what_has_no_symbol_is_known_before_anything_is_sent(source, asked, local) -> None:
    named = {"index": Instrument("NSE", "NIFTY 50"), "nobody": NOBODY}
    with pytest.raises(NotFound) as raised:
        await source.quotes([named[name] for name in asked])
    assert raised.value.local is local


async def test_shares_of_nse_are_asked_by_their_bombay_listing(source, vantage) -> None:
    reliance = Instrument("NSE", "RELIANCE")
    assert set(await source.quotes([reliance])) == {reliance}
    assert vantage.queries[0]["symbol"] == "RELIANCE.BSE"


async def test_bars_come_within_the_span(source) -> None:
    daily = await source.bars(bars(Interval.D1, 30))
    assert len(daily) == 2
    one = await source.bars(BarsRequest(MSFT, Interval.D1, NOW_NS - 3 * DAY_NS, NOW_NS))
    assert len(one) == 1
    with pytest.raises(NotFound):
        await source.bars(BarsRequest(MSFT, Interval.D1, NOW_NS - 30 * DAY_NS, NOW_NS - 20 * DAY_NS))


@pytest.mark.parametrize(
    ("request_", "query"),
    [
        (bars(Interval.D1, 139), {"function": "TIME_SERIES_DAILY", "outputsize": "compact"}),
        (bars(Interval.D1, 400), {"function": "TIME_SERIES_DAILY", "outputsize": "full"}),
        (bars(Interval.W1, 400), {"function": "TIME_SERIES_WEEKLY"}),
        (
            bars(Interval.M1, 0.05),
            {"function": "TIME_SERIES_INTRADAY", "interval": "1min", "outputsize": "compact"},
        ),
        (bars(Interval.H1, 3), {"interval": "60min", "outputsize": "compact", "extended_hours": "false"}),
        (bars(Interval.M5, 20), {"interval": "5min", "outputsize": "full"}),
        (bars(Interval.M5, 400, 3), {"interval": "5min", "outputsize": "full", "month": "2023-05"}),
    ],
)
async def test_the_smallest_answer_that_holds_the_bars_is_asked_for(
    source, vantage, request_: BarsRequest, query: dict[str, str]
) -> None:
    with contextlib.suppress(NotFound):  # the small one has two bars only
        await source.bars(request_)
    assert vantage.queries[0].items() >= query.items()
    assert ("month" in vantage.queries[0]) == ("month" in query)


@pytest.mark.parametrize("request_", [bars(Interval.M3, 1), bars(Interval.M5, 400, 60)])
async def test_what_it_does_not_have_is_not_asked_for(source, vantage, request_: BarsRequest) -> None:
    with pytest.raises(NotFound):
        await source.bars(request_)
    assert vantage.queries == []


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, json.dumps(BURST), Throttled),
        (429, json.dumps(BURST), Throttled),
        (200, json.dumps(DAILY), QuotaExhausted),
        (200, json.dumps(BAD_KEY), AuthRequired),
        (200, json.dumps(BAD_CALL), NotFound),
        (200, json.dumps({"Note": "Our standard API call frequency is 5 calls per minute"}), Throttled),
        (200, json.dumps({"Information": f"{KEY} may send 1 request per second"}), Throttled),
        (200, json.dumps({"Global Quote": KEY, "Time Series (Daily)": KEY}), InvalidPayload),
        (429, KEY, Throttled),
        (200, "<html>", InvalidPayload),
        (200, '{"Global Quote": {"01. sym', InvalidPayload),
        (418, "error code: 1015", Throttled),
        (503, "<html>", Unavailable),
        (404, "<html>", NotFound),
    ],
)
@pytest.mark.parametrize("what", ["quotes", "bars"])
async def test_a_failure_gets_one_class(
    source, vantage, status: int, body: str, kind: type[SourceError], what: str
) -> None:
    vantage.answers.append(web.Response(status=status, text=body))
    with pytest.raises(SourceError) as caught:
        await (source.quotes([IBM]) if what == "quotes" else source.bars(bars(Interval.D1, 30)))
    assert type(caught.value) is kind
    assert len(vantage.queries) == 1
    assert KEY not in f"{caught.value} {caught.value.raw} {caught.value!r}"


async def test_a_burst_waits_a_second_and_retry_after_says_more(source, vantage) -> None:
    vantage.answers += [
        web.json_response(BURST),
        web.json_response(BURST, status=429, headers={"Retry-After": "7"}),
    ]
    for wait_s in (1.0, 7.0):
        with pytest.raises(Throttled) as caught:
            await source.quotes([IBM])
        assert caught.value.retry_after_s == wait_s


async def test_a_spent_day_ends_at_midnight_in_new_york(source, vantage) -> None:
    vantage.answers.append(web.json_response(DAILY))
    with pytest.raises(QuotaExhausted) as caught:
        await source.quotes([IBM])
    assert caught.value.resets_at == datetime(2024, 6, 13, 4, 0, tzinfo=UTC).timestamp()
    assert KEY not in caught.value.raw


async def test_a_check_spends_no_call_of_the_plan(source, vantage) -> None:
    await source.check()
    assert "apikey" not in vantage.queries[0]
    vantage.answers.append(web.Response(status=503))
    with pytest.raises(Unavailable):
        await source.check()
    vantage.answers.append(web.Response(text="<html>", content_type="text/html"))
    with pytest.raises(InvalidPayload):
        await source.check()


async def test_after_the_key_was_refused_the_check_tries_the_key(source, vantage) -> None:
    vantage.answers += [web.json_response(BAD_KEY), web.json_response(BAD_KEY)]
    with pytest.raises(AuthRequired):
        await source.quotes([IBM])
    with pytest.raises(AuthRequired):
        await source.check()
    await source.check()
    await source.check()
    assert ["apikey" in query for query in vantage.queries] == [True, True, True, False]


async def test_limits_costs_and_capabilities(source) -> None:
    assert source.capabilities == {Capability.QUOTE, Capability.BARS}
    assert source.limits() == {"default": ((1, 1.0),)}
    assert source.cost(Capability.QUOTE, 5) == RequestCost()
    assert source.serves(Capability.QUOTE, Instrument("NSE", "RELIANCE"))
    assert not source.serves(Capability.TICKS, IBM)
    assert not source.serves(Capability.QUOTE, Instrument("BINANCE", "BTCUSDT"))
    assert plugin.settings(kind="alphavantage").calls_per_day == 25
    assert plugin.needs_key
