"""Yahoo through yfinance, against a small Yahoo on loopback."""

import asyncio
import json
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Capability, Instrument, Interval
from mds_engine.sources.contract import BarsRequest, RequestCost, Source
from mds_engine.sources.yahoo import plugin
from mds_engine.sources.yahoo.decode_chart import decode_chart

CRUMB = "haT3oykhHqZ"
AAPL = Instrument("NASDAQ", "AAPL")
MSFT = Instrument("NASDAQ", "MSFT")
NOBODY = Instrument("NASDAQ", "NONEXIST")
START_NS = 1_577_836_800 * 10**9
DAY_NS = 86400 * 10**9
DAYS = BarsRequest(AAPL, Interval.D1, START_NS, START_NS + 30 * DAY_NS)

ALL_OF_A_FIRST_CALL = ["/", "/v1/test/getcrumb", "/v8/finance/chart/AAPL"]


@pytest.fixture
async def source(yahoo, context) -> AsyncIterator[Source]:
    source = plugin.create(plugin.settings(kind="yahoo", endpoints=(yahoo.url,)), context)
    yield source
    await source.close()


@pytest.fixture
def refusing() -> str:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{holder.getsockname()[1]}"


async def test_bars_come_exact_and_within_the_span(source, yahoo) -> None:
    bars = await source.bars(DAYS)
    assert bars.instrument == AAPL
    assert bars.close.tolist() == [244.47, 245.47, 246.47]
    two_days = await source.bars(DAYS._replace(end_ns=START_NS + 3 * DAY_NS))
    assert len(two_days) == 2
    query = dict(yahoo.requests[2][1])
    assert (query["period1"], query["interval"], query["includePrePost"]) == ("1577836800", "1d", "false")


async def test_quotes_of_many_are_one_request_and_unknown_ones_are_missing(source, yahoo) -> None:
    quotes = await source.quotes([AAPL, NOBODY, MSFT])
    assert set(quotes) == {AAPL, MSFT}
    assert quotes[AAPL].instrument == AAPL
    assert yahoo.paths().count("/v7/finance/quote") == 1


async def test_all_unknown_is_not_found(source) -> None:
    with pytest.raises(NotFound):
        await source.quotes([NOBODY])


async def test_every_request_but_the_first_is_paid_for(source, yahoo, context) -> None:
    await source.bars(DAYS)
    assert yahoo.paths() == ALL_OF_A_FIRST_CALL
    assert context.paid == [RequestCost(), RequestCost()]
    await source.bars(DAYS)
    assert yahoo.paths() == [*ALL_OF_A_FIRST_CALL, "/v8/finance/chart/AAPL"]
    assert len(context.paid) == 2


async def test_what_is_not_paid_for_is_not_sent(source, yahoo, context) -> None:
    context.purse = 1
    with pytest.raises(Throttled) as caught:
        await source.bars(DAYS)
    assert caught.value.local
    assert yahoo.paths() == ALL_OF_A_FIRST_CALL[:2]


async def test_minutes_are_asked_a_week_at_a_time_each_paid(source, yahoo, context) -> None:
    yahoo.answers["/v8/finance/chart/"] = lambda request: web.Response(
        body=one_minute_chart(int(request.query["period1"])), content_type="application/json"
    )
    bars = await source.bars(BarsRequest(AAPL, Interval.M1, START_NS, START_NS + 15 * DAY_NS))
    charts = [query for path, query in yahoo.requests if path.startswith("/v8/")]
    assert [int(query["period2"]) - int(query["period1"]) for query in charts] == [
        7 * 86400,
        7 * 86400,
        86400,
    ]
    assert len(bars) == 3
    assert len(context.paid) == 2 + 2


def one_minute_chart(start: int) -> bytes:
    quote = {name: [1] for name in ("open", "high", "low", "close", "volume")}
    meta = {"symbol": "AAPL", "exchangeName": "NMS", "dataGranularity": "1m"}
    result = {"meta": meta, "timestamp": [start], "indicators": {"quote": [quote]}}
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, "Too Many Requests\r\n", Throttled),
        (418, "", Throttled),
        (404, '{"chart":{"result":null,"error":{"code":"Not Found","description":"delisted"}}}', NotFound),
        (
            422,
            '{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"range"}}}',
            NotFound,
        ),
        (400, '{"chart":{"result":null,"error":{"code":"Bad Request","description":"interval"}}}', NotFound),
        (403, "denied", AuthRequired),
        (500, "oops", Unavailable),
        (503, "<html>Will be right back</html>", Unavailable),
        (200, "<html>Will be right back</html>", InvalidPayload),
        (200, "Too Many Requests", Throttled),
        (200, '{"chart":{"result":[{"meta', InvalidPayload),
        (200, "", InvalidPayload),
    ],
)
async def test_an_answer_gets_one_class_and_ends_the_call(
    source, yahoo, status: int, body: str, kind: type[SourceError]
) -> None:
    yahoo.answers["/v8/finance/chart/"] = lambda request: web.Response(status=status, text=body)
    with pytest.raises(SourceError) as caught:
        await source.bars(DAYS)
    assert type(caught.value) is kind
    assert yahoo.paths() == ALL_OF_A_FIRST_CALL


async def test_retry_after_is_read(source, yahoo) -> None:
    yahoo.answers["/v8/finance/chart/"] = lambda request: web.Response(
        status=429, text="Too Many Requests", headers={"Retry-After": "17"}
    )
    with pytest.raises(Throttled) as caught:
        await source.check()
    assert caught.value.retry_after_s == 17


async def test_an_invalid_crumb_is_renewed_once(source, yahoo) -> None:
    await source.quotes([AAPL])
    yahoo.crumb = "another/one."
    assert AAPL in await source.quotes([AAPL])
    quotes = [query["crumb"] for path, query in yahoo.requests if path == "/v7/finance/quote"]
    assert quotes == ["haT3oykhHqZ", "haT3oykhHqZ", "another/one."]


async def test_a_crumb_that_is_never_valid_ends_in_auth_required(source, yahoo) -> None:
    def refuse(request: web.Request) -> web.Response:
        return web.Response(
            status=401,
            text='{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}',
        )

    yahoo.answers["/v7/finance/quote"] = refuse
    with pytest.raises(AuthRequired, match="Invalid Crumb"):
        await source.quotes([AAPL])
    assert yahoo.paths().count("/v7/finance/quote") == 2


@pytest.mark.parametrize("status", [200, 429])
async def test_too_many_requests_in_place_of_a_crumb_throttles_quotes_but_not_charts(
    source, yahoo, status: int
) -> None:
    yahoo.answers["/v1/test/getcrumb"] = lambda request: web.Response(status=status, text="Too Many Requests")
    with pytest.raises(Throttled):
        await source.quotes([AAPL])
    assert len(await source.bars(DAYS)) == 3
    del yahoo.answers["/v1/test/getcrumb"]
    assert AAPL in await source.quotes([AAPL])
    crumbs = [query.get("crumb") for path, query in yahoo.requests if path.startswith(("/v7/", "/v8/"))]
    assert crumbs == [None, CRUMB], "the text must not be kept as a crumb"


async def test_charts_do_without_a_crumb_that_cannot_be_had(source, yahoo) -> None:
    yahoo.answers["/v1/test/getcrumb"] = lambda request: web.Response(status=503, text="oops")
    assert len(await source.bars(DAYS)) == 3
    with pytest.raises(Unavailable):
        await source.quotes([AAPL])


async def test_a_cookie_without_an_expiry_is_taken_and_nothing_is_kept_on_disk(
    source, yahoo, tmp_path: Path
) -> None:
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path))
    await source.quotes([AAPL])
    await source.quotes([MSFT])
    await source.bars(DAYS)
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
    assert yahoo.paths().count("/") == 1


async def test_two_sources_share_neither_cookie_nor_address_with_each_other_or_with_yfinance(
    source, yahoo, context, refusing: str
) -> None:
    from yfinance.data import SingletonMeta, YfData

    other = plugin.create(plugin.settings(kind="yahoo", endpoints=(refusing,)), context)
    try:
        await source.quotes([AAPL])
        with pytest.raises(Unavailable):
            await other.quotes([AAPL])
        assert AAPL in await source.quotes([AAPL])
        assert YfData not in SingletonMeta._instances
    finally:
        await other.close()


async def test_a_refused_connection_is_one_connection_and_the_next_endpoint_answers(
    yahoo, context, refusing: str
) -> None:
    source = plugin.create(plugin.settings(kind="yahoo", endpoints=(refusing, yahoo.url)), context)
    try:
        assert len(await source.bars(DAYS)) == 3
        assert [(switch.before, switch.after) for switch in context.switches] == [(refusing, yahoo.url)]
        assert "refused the connection" in context.switches[0].why
        assert len(context.paid) == 2
        assert [state.active for state in source.endpoints()[:2]] == [False, True]
    finally:
        await source.close()


async def test_all_refused_is_unavailable(context, refusing: str) -> None:
    source = plugin.create(plugin.settings(kind="yahoo", endpoints=(refusing,)), context)
    with pytest.raises(Unavailable, match="refused the connection"):
        await source.quotes([AAPL])
    await source.close()


async def test_a_server_that_hangs_is_unavailable_when_the_time_is_over(yahoo, context) -> None:
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    yahoo.answers["/v8/"] = hang
    source = plugin.create(plugin.settings(kind="yahoo", endpoints=(yahoo.url,), timeout_s=1.0), context)
    with pytest.raises(Unavailable, match="timed out"):
        await source.bars(DAYS)
    released.set()
    await source.close()


async def test_a_body_cut_short_is_an_invalid_payload(source, yahoo) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"chart":')
        assert request.transport is not None
        request.transport.close()
        return response

    yahoo.answers["/v8/"] = cut
    with pytest.raises(InvalidPayload, match="cut short"):
        await source.bars(DAYS)


async def test_a_cancelled_caller_leaves_at_once_and_nothing_more_is_sent(yahoo, context) -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        asked.set()
        await released.wait()
        return web.Response(text="crumb")

    yahoo.answers["/v1/test/getcrumb"] = hang
    source = plugin.create(plugin.settings(kind="yahoo", endpoints=(yahoo.url,), connections=2), context)
    call = asyncio.create_task(source.quotes([AAPL]))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    released.set()
    await source.close()
    assert yahoo.paths() == ["/", "/v1/test/getcrumb"]


async def test_no_more_threads_than_connections_and_none_after_close(yahoo, context) -> None:
    source = plugin.create(plugin.settings(kind="yahoo", endpoints=(yahoo.url,), connections=2), context)
    await asyncio.gather(*(source.bars(DAYS) for _ in range(8)))
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("mds-under-test")]
    assert len(ours) <= 2
    await source.close()
    await source.close()
    assert not any(thread.is_alive() for thread in ours)


async def test_yfinance_says_nothing_on_the_terminal(
    source, yahoo, capfd: pytest.CaptureFixture[str]
) -> None:
    yahoo.answers["/v1/test/getcrumb"] = lambda request: web.Response(status=429, text="Too Many Requests")
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        await source.bars(DAYS)
    finally:
        root.handlers = handlers
    assert capfd.readouterr() == ("", "")


def test_yfinance_reads_the_same_body_as_our_decoder(recordings: Path) -> None:
    from yfinance.scrapers.history import PriceHistory

    path = recordings / "yahoo" / "chart-AAPL-2020-08-31-to-2020-11-07.json"
    body = json.dumps(json.loads(path.read_bytes())["response"]["bodyJson"]).encode()

    class Answered:
        text = body.decode()

        def json(self) -> object:
            return json.loads(body)

    class Data:
        def get(self, **_: object) -> Answered:
            return Answered()

        cache_get = get

    history = PriceHistory(Data(), "AAPL", "America/New_York", session=object())
    frame = history.history(start="2020-08-31", end="2020-11-07", auto_adjust=False, actions=False)
    ours = decode_chart(body)
    assert frame["Close"].to_numpy() == pytest.approx(ours.close, rel=1e-7)
    assert frame["Volume"].to_numpy() == pytest.approx(ours.volume, abs=1)
    assert frame["Adj Close"].to_numpy() == pytest.approx(ours.extra["adjusted_close"], rel=1e-7)
    # yfinance moves a day's bar from the opening of the session to midnight.
    assert [stamp.timestamp() // 86400 for stamp in frame.index] == [
        at // 10**9 // 86400 for at in ours.time_ns
    ]


async def test_limits_costs_and_capabilities(source) -> None:
    assert source.capabilities == {Capability.QUOTE, Capability.BARS, Capability.TICKS}
    assert source.serves(Capability.QUOTE, AAPL)
    assert not source.serves(Capability.QUOTE, Instrument("BINANCE", "BTCUSDT"))
    assert source.cost(Capability.QUOTE, 50) == RequestCost()
    assert set(source.limits()) == {"default"}
