"""Binance over REST against the simulated exchange, and against servers of the test's own making."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

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
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.binance import plugin
from mds_engine.sources.contract import BarsRequest, Source

from tests.engine.sources.binance.opened import source_at

BTC, ETH = Instrument("BINANCE", "BTCUSDT"), Instrument("BINANCE", "ETHUSDT")
HOUR_NS = 3600 * 10**9


async def test_quotes_of_one_and_of_many(source: Source, context) -> None:
    one = await source.quotes([BTC])
    assert set(one) == {BTC}
    many = await source.quotes([BTC, ETH, BTC])
    assert set(many) == {BTC, ETH}
    quote = many[ETH]
    assert quote.instrument == ETH
    assert quote.bid is not None
    assert quote.ask is not None
    assert 0 < quote.bid <= quote.ask
    assert quote.time_ns is not None
    # The guarded call has paid for each first request; the vendor's own count comes with every answer.
    assert context.paid == []
    assert [(use.group, use.window_s) for use in context.usage] == [("default", 60.0)] * 2
    assert context.usage[1].used == context.usage[0].used + 2


async def test_one_unknown_symbol_does_not_keep_the_others_from_coming(source: Source, context) -> None:
    bad = Instrument("BINANCE", "NOSUCHCOIN")
    assert set(await source.quotes([BTC, bad, ETH])) == {BTC, ETH}
    first = len(context.paid)
    assert first > 0
    assert {cost.weight for cost in context.paid} == {2}
    # Found once, it is left out of the next batches: no further request is needed.
    assert set(await source.quotes([BTC, bad, ETH])) == {BTC, ETH}
    assert len(context.paid) == first


async def test_looking_for_the_unknown_symbol_ends_with_the_purse(source: Source, context) -> None:
    bad = Instrument("BINANCE", "NOSUCHCOIN")
    context.purse = 1
    assert set(await source.quotes([BTC, ETH, bad])) == {BTC}
    assert len(context.paid) == 1


async def test_only_unknown_symbols_is_not_found(source: Source) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            await source.quotes([Instrument("BINANCE", "NOSUCHCOIN")])


async def test_more_than_twenty_symbols_go_in_batches_of_twenty(
    simulator: Simulator, source: Source, context
) -> None:
    http = simulator.vendor("binance").http
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        info = (await client.get(f"{http}/api/v3/exchangeInfo")).json()
    symbols = [Instrument("BINANCE", entry["symbol"]) for entry in info["symbols"][:45]]
    quotes = await source.quotes(symbols)
    assert set(quotes) == set(symbols)
    assert [cost.weight for cost in context.paid] == [2, 2]


async def test_bars_are_paged_and_cover_the_span_exactly(source: Source, context) -> None:
    end_ns = int(context.clock.wall()) // 60 * 60 * 10**9 - 60 * 10**9
    start_ns = end_ns - 2_500 * 60 * 10**9
    bars = await source.bars(BarsRequest(BTC, Interval.M1, start_ns, end_ns))
    assert bars.time_ns.tolist() == list(range(start_ns, end_ns, 60 * 10**9))
    assert [cost.weight for cost in context.paid] == [2, 2]
    assert {"quote_volume", "trades"} <= set(bars.extra)


async def test_the_bar_that_is_still_open_is_kept(source: Source, context) -> None:
    now_ns = int(context.clock.wall() * 1e9)
    bars = await source.bars(BarsRequest(BTC, Interval.H1, now_ns - 3 * HOUR_NS, now_ns))
    assert bars.time_ns[-1] == now_ns // HOUR_NS * HOUR_NS


async def test_bars_that_are_not_there_are_not_found(source: Source) -> None:
    future_ns = 4_000_000_000 * 10**9
    for request in (
        BarsRequest(BTC, Interval.M10, 0, HOUR_NS),
        BarsRequest(Instrument("BINANCE", "NOSUCHCOIN"), Interval.H1, 0, HOUR_NS),
        BarsRequest(BTC, Interval.H1, future_ns, future_ns + HOUR_NS),
    ):
        with pytest.raises(NotFound):
            await source.bars(request)


async def test_the_first_check_learns_the_limits_and_the_next_only_pings(source: Source, context) -> None:
    await source.check()
    await source.check()
    assert [(limit.group, limit.window_s, limit.limit) for limit in context.limits] == [
        ("default", 60.0, 6000)
    ]
    assert [cost.weight for cost in context.paid] == [20, 1]


def test_what_it_serves_and_costs(context) -> None:
    source = plugin.create(plugin.settings(kind="binance"), context)
    assert source.serves(Capability.TICKS, BTC)
    assert not source.serves(Capability.QUOTE, Instrument("NSE", "BTCUSDT"))
    assert not source.serves(Capability.QUOTE, Instrument("BINANCE", "BTC/USDT"))
    assert source.cost(Capability.QUOTE, 20).weight == 2
    assert [tuple(window) for window in source.limits()["default"]] == [(6000, 60.0)]
    assert source.endpoints()[0].url == "https://api.binance.com"


FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault(kind=FaultKind.REFUSE), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=500), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=503), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=403), Throttled),
    (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600.0), Throttled),
    (Fault(kind=FaultKind.BAN, retry_after_s=600.0), Throttled),
    (Fault(kind=FaultKind.TOKEN_EXPIRED), AuthRequired),
    (Fault(kind=FaultKind.HTML), InvalidPayload),
    (Fault(kind=FaultKind.TRUNCATE), InvalidPayload),
    (Fault(kind=FaultKind.TRUNCATE, cut_connection=True), InvalidPayload),
    (Fault(kind=FaultKind.ERROR_IN_200), Unavailable),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_has_its_class(
    simulator: Simulator, source: Source, fault: Fault, expected: type[SourceError]
) -> None:
    await simulator.inject("binance", fault)
    for ask in (
        lambda: source.quotes([BTC, ETH]),
        lambda: source.bars(BarsRequest(BTC, Interval.H1, 10**18, 10**18 + HOUR_NS)),
        source.check,
    ):
        with pytest.raises(expected) as caught:
            await ask()
        assert type(caught.value) is expected


async def test_a_throttle_and_a_ban_say_for_how_long(simulator: Simulator, source: Source) -> None:
    await simulator.inject(
        "binance", Fault(kind=FaultKind.THROTTLE, retry_after_s=3600.0, retry_after_as_date=True)
    )
    with pytest.raises(Throttled) as throttled:
        await source.quotes([BTC])
    assert throttled.value.retry_after_s == pytest.approx(3600, abs=5)
    assert not throttled.value.banned
    await simulator.clear("binance")
    # Without the header the ban's end stands in the message.
    await simulator.inject("binance", Fault(kind=FaultKind.BAN))
    with pytest.raises(Throttled) as banned:
        await source.quotes([BTC])
    assert banned.value.banned
    assert banned.value.retry_after_s == pytest.approx(120, abs=5)


async def test_an_endpoint_that_is_down_is_passed_over(simulator: Simulator, source: Source, context) -> None:
    assert len(simulator.vendor("binance").endpoints) > 1
    await simulator.inject("binance", Fault(kind=FaultKind.REFUSE), endpoint=0)
    assert set(await source.quotes([BTC])) == {BTC}
    assert "refused the connection" in context.switches[0].why


@asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, -1121, NotFound),
        (400, -1120, NotFound),
        (400, -1100, NotFound),
        (400, -1003, Throttled),
        (503, -1008, Unavailable),
    ],
)
async def test_the_vendors_codes(context, status: int, code: int, expected: type[SourceError]) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"code": code, "msg": "words"}, status=status)

    async with answering(refuse) as url, source_at(context, (url,)) as source:
        with pytest.raises(expected):
            await source.bars(BarsRequest(BTC, Interval.H1, 0, HOUR_NS))
