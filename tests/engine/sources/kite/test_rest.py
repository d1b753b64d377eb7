"""Kite over REST against the simulated broker, and against servers of the test's own making."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Capability, Instrument, Interval
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import BarsRequest, Source
from mds_engine.sources.kite import plugin

from tests.engine.sources.kite.opened import settings_for, source_of

INFY, RELIANCE = Instrument("NSE", "INFY"), Instrument("NSE", "RELIANCE")
DAY_NS = 86_400 * 10**9


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """A server that answers everything by one function; its base URL."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def test_quotes_leave_out_what_the_vendor_does_not_know(source: Source, context) -> None:
    quotes = await source.quotes([INFY, Instrument("NSE", "NOSUCHSHARE"), RELIANCE])
    assert set(quotes) == {INFY, RELIANCE}
    quote = quotes[INFY]
    assert quote.currency == "INR"
    assert quote.time_ns is not None
    assert abs(quote.time_ns / 1e9 - context.clock.wall()) < 10
    assert context.paid == []


async def test_only_unknown_instruments_is_not_found(source: Source) -> None:
    with pytest.raises(NotFound):
        await source.quotes([Instrument("NSE", "NOSUCHSHARE")])


async def test_bars_of_an_unknown_instrument_are_not_found(source: Source) -> None:
    with pytest.raises(NotFound):
        await source.bars(BarsRequest(Instrument("NSE", "NOSUCHSHARE"), Interval.D1, 0, DAY_NS))


async def test_bars_are_found_by_the_token_and_the_list_is_fetched_once(
    simulator: Simulator, source: Source, context
) -> None:
    end_ns = int(context.clock.wall() * 1e9)
    request = BarsRequest(INFY, Interval.D1, end_ns - 30 * DAY_NS, end_ns)
    first, second = await asyncio.gather(source.bars(request), source.bars(request))
    assert first.time_ns.tolist() == second.time_ns.tolist()
    assert len(first) > 5
    # A day opens at midnight in India.
    assert {time % DAY_NS for time in first.time_ns.tolist()} == {18.5 * 3600 * 10**9}
    lists = simulator.vendor("kite").requests(path_prefix="/instruments/NSE")
    assert len(lists) == 1
    assert [cost.group for cost in context.paid] == ["default"]


async def test_what_the_list_lacks_is_asked_for_by_name_once_and_what_nobody_knows_too(context) -> None:
    header = "instrument_token,tradingsymbol,name,expiry,strike,tick_size,lot_size,instrument_type"
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path.partition("?")[0])
        if request.path == "/instruments/NSE":
            return web.Response(text=f"{header},segment,exchange\n", content_type="text/csv")
        if request.path == "/quote":
            known = {"NSE:INFY": {"instrument_token": 408065, "last_price": 1412.95}}
            data = {key: known[key] for key in request.query.getall("i") if key in known}
            return web.json_response({"status": "success", "data": data})
        assert request.path == "/instruments/historical/408065/minute"
        candles = [["2017-12-15T09:15:00+0530", 1, 2, 1, 2, 3]]
        return web.json_response({"status": "success", "data": {"candles": candles}})

    start_ns = 1_513_309_500 * 10**9
    async with served(answer) as http, source_of(context, settings_for(http)) as source:
        for _ in range(2):
            bars = await source.bars(BarsRequest(INFY, Interval.M1, start_ns, start_ns + DAY_NS))
            assert bars.time_ns.tolist() == [start_ns]
            with pytest.raises(NotFound):
                await source.bars(
                    BarsRequest(Instrument("NSE", "NOSUCH"), Interval.M1, start_ns, start_ns + DAY_NS)
                )
    history = "/instruments/historical/408065/minute"
    assert asked == ["/instruments/NSE", "/quote", history, "/quote", history]
    assert [cost.group for cost in context.paid] == ["default", "quote", "quote"]


async def test_the_request_is_spelt_as_kite_wants_it(context) -> None:
    """Verbatim headers; `&` and spaces of symbols encoded; times in India without a zone."""
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(request)
        if request.path.startswith("/instruments/NSE"):
            header = "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size"
            header += ",lot_size,instrument_type,segment,exchange"
            return web.Response(
                text=f"{header}\n519937,2031,M&M,MAHINDRA & MAHINDRA,0.0,,0.0,0.05,1,EQ,NSE,NSE\n",
                content_type="text/csv",
            )
        if request.path == "/quote":
            row = {"instrument_token": 519937, "last_price": 10.0}
            data = dict.fromkeys(request.query.getall("i"), row)
            return web.json_response({"status": "success", "data": data})
        candles = [["2026-06-01T09:15:00+0530", 1, 2, 1, 2, 3]]
        return web.json_response({"status": "success", "data": {"candles": candles}})

    mahindra, nifty = Instrument("NSE", "M&M"), Instrument("NSE", "NIFTY 50")
    start_ns = 1_780_285_500 * 10**9
    keys = {"api_key": Secret("the_key"), "access_token": Secret("the_token")}
    async with served(answer) as http, source_of(context, settings_for(http, **keys)) as source:
        assert set(await source.quotes([mahindra, nifty])) == {mahindra, nifty}
        await source.bars(BarsRequest(mahindra, Interval.M1, start_ns, start_ns + 3600 * 10**9))
    quote, _, history = requests
    assert quote.raw_path == "/quote?i=NSE%3AM%26M&i=NSE%3ANIFTY+50"
    for request in requests:
        assert request.headers["X-Kite-Version"] == "3"
        assert request.headers["Authorization"] == "token the_key:the_token"
    assert history.path == "/instruments/historical/519937/minute"
    assert dict(history.query) == {
        "from": "2026-06-01 09:15:00",
        "to": "2026-06-01 10:14:59",
        "continuous": "0",
        "oi": "0",
    }


async def test_a_span_that_is_too_long_for_one_request_is_split(
    simulator: Simulator, source: Source, context
) -> None:
    end_ns = int(context.clock.wall()) * 10**9
    start_ns = end_ns - 900 * DAY_NS
    bars = await source.bars(BarsRequest(INFY, Interval.H1, start_ns, end_ns))
    assert start_ns <= bars.time_ns[0]
    assert bars.time_ns[-1] < end_ns
    assert (bars.time_ns[1:] > bars.time_ns[:-1]).all()
    pages = simulator.vendor("kite").requests(path_prefix="/instruments/historical")
    assert [entry.status for entry in pages] == [200] * 3
    assert [cost.group for cost in context.paid] == ["default", "historical", "historical"]


async def test_an_interval_that_kite_has_not_is_not_found(source: Source) -> None:
    with pytest.raises(NotFound, match="4h"):
        await source.bars(BarsRequest(INFY, Interval.H4, 0, DAY_NS))


async def test_a_check_proves_the_token(simulator: Simulator, source: Source, context) -> None:
    await source.check()
    assert [cost.group for cost in context.paid] == ["default"]
    await simulator.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))
    with pytest.raises(AuthRequired):
        await source.check()


@pytest.mark.parametrize("missing", ["api_key", "access_token"])
async def test_without_keys_nothing_is_sent(context, missing: str) -> None:
    settings = settings_for("http://127.0.0.1:1", **{missing: Secret()})
    with pytest.raises(AuthRequired, match=missing):
        await plugin.create(settings, context).connect()


async def test_a_wrong_token_wants_a_login_and_is_not_shown(simulator: Simulator, context) -> None:
    settings = settings_for(simulator.vendor("kite").http, access_token=Secret("st0len"))
    async with source_of(context, settings) as source:
        with pytest.raises(AuthRequired) as caught:
            await source.quotes([INFY])
    assert "st0len" not in f"{caught.value} {caught.value.raw}"


def test_what_it_serves_and_costs(context) -> None:
    source = plugin.create(plugin.settings(kind="kite"), context)
    for exchange in ("NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX"):
        assert source.serves(Capability.TICKS, Instrument(exchange, "ANY"))
    assert not source.serves(Capability.QUOTE, Instrument("NASDAQ", "AAPL"))
    assert source.cost(Capability.QUOTE, 500).group == "quote"
    assert source.cost(Capability.BARS, 1).group == "historical"
    rates = {group: [tuple(window) for window in windows] for group, windows in source.limits().items()}
    assert rates == {"quote": [(1, 1.0)], "historical": [(3, 1.0)], "default": [(10, 1.0)]}


FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault(kind=FaultKind.REFUSE), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=500), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=503), Unavailable),
    (Fault(kind=FaultKind.THROTTLE), Throttled),
    (Fault(kind=FaultKind.BAN), Throttled),
    (Fault(kind=FaultKind.TOKEN_EXPIRED), AuthRequired),
    (Fault(kind=FaultKind.HTML), InvalidPayload),
    (Fault(kind=FaultKind.TRUNCATE), InvalidPayload),
    (Fault(kind=FaultKind.TRUNCATE, cut_connection=True), InvalidPayload),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_has_its_class(
    simulator: Simulator, source: Source, fault: Fault, expected: type[SourceError]
) -> None:
    await simulator.inject("kite", fault)
    for ask in (
        lambda: source.quotes([INFY]),
        lambda: source.bars(BarsRequest(INFY, Interval.D1, 10**18, 10**18 + DAY_NS)),
    ):
        with pytest.raises(expected) as caught:
            await ask()
        assert type(caught.value) is expected
