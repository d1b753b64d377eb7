"""Alpha Vantage's source against the simulated one: true formats over real sockets, and every fault."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
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
from mds_engine.model import Instrument, Interval
from mds_engine.simulator.alphavantage import AlphaVantageVendor
from mds_engine.simulator.alphavantage.plan import AlphaVantagePlan
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.alphavantage import plugin
from mds_engine.sources.contract import BarsRequest, Source

KEY = "QWERTY123456"
AAPL = Instrument("NASDAQ", "AAPL")
RELIANCE = Instrument("NSE", "RELIANCE")
NOBODY = Instrument("NASDAQ", "NOSUCHTHING")
UNLIMITED = AlphaVantagePlan(api_key=KEY, per_second=None, per_day=None)


def make(simulator: Simulator, context, **settings: object) -> Source:
    settings = {"api_key": Secret(KEY), **settings}
    url = simulator.vendor("alphavantage").http
    return plugin.create(plugin.settings(kind="alphavantage", endpoints=(url,), **settings), context)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=(partial(AlphaVantageVendor, plan=UNLIMITED),)) as running:
        yield running


@pytest.fixture
async def source(simulator: Simulator, context) -> AsyncIterator[Source]:
    source = make(simulator, context)
    yield source
    await source.close()


def span(days: float) -> tuple[int, int]:
    end_ns = int(datetime.now(UTC).timestamp()) * 10**9
    return end_ns - int(days * 86400) * 10**9, end_ns


async def test_quotes_are_near_the_markets_truth(source, simulator) -> None:
    quotes = await source.quotes([AAPL, RELIANCE, NOBODY])
    assert set(quotes) == {AAPL, RELIANCE}
    for instrument, quote in quotes.items():
        truth = simulator.market.snapshot(str(instrument)).last
        assert quote.price == pytest.approx(truth, rel=0.02)


async def test_nothing_known_is_not_found(source) -> None:
    with pytest.raises(NotFound):
        await source.quotes([NOBODY])
    with pytest.raises(NotFound):
        await source.bars(BarsRequest(NOBODY, Interval.D1, *span(10)))


@pytest.mark.parametrize(
    ("interval", "days", "at_least"), [(Interval.D1, 60, 30), (Interval.H1, 3, 10), (Interval.M1, 0.05, 30)]
)
async def test_bars_ascend_and_lie_within_the_span(source, interval, days, at_least) -> None:
    start_ns, end_ns = span(days)
    bars = await source.bars(BarsRequest(AAPL, interval, start_ns, end_ns))
    assert len(bars) >= at_least
    assert start_ns <= bars.time_ns[0] <= bars.time_ns[-1] < end_ns


async def test_what_the_plan_does_not_include_is_not_found(source) -> None:
    with pytest.raises(NotFound, match="plan does not include"):
        await source.bars(BarsRequest(AAPL, Interval.D1, *span(1000)))


async def test_the_free_plan_throttles_then_ends_and_a_check_costs_nothing(context) -> None:
    plan = AlphaVantagePlan(api_key=KEY, per_second=None, per_day=2)
    async with Simulator(vendors=(partial(AlphaVantageVendor, plan=plan),)) as simulator:
        source = make(simulator, context)
        for _ in range(5):
            await source.check()
        await source.quotes([AAPL])
        await source.quotes([AAPL])
        for _ in range(3):
            with pytest.raises(QuotaExhausted) as caught:
                await source.quotes([AAPL])
            assert KEY not in caught.value.raw
            assert caught.value.resets_at is not None
            assert 0 < caught.value.resets_at - context.clock.wall() <= 25 * 3600
        await source.check()
        await source.close()


async def test_two_calls_within_a_second_are_throttled(context) -> None:
    plan = AlphaVantagePlan(per_second=1)
    async with Simulator(vendors=(partial(AlphaVantageVendor, plan=plan),)) as simulator:
        source = make(simulator, context)
        await source.quotes([AAPL])
        with pytest.raises(Throttled) as caught:
            await source.quotes([AAPL])
        assert caught.value.retry_after_s == 1.0
        await source.close()


async def test_a_wrong_key_is_refused_until_it_is_right(simulator, context) -> None:
    source = make(simulator, context, api_key=Secret("WRONG"))
    await source.check()
    with pytest.raises(AuthRequired):
        await source.quotes([AAPL])
    with pytest.raises(AuthRequired):
        await source.check()
    await source.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind=FaultKind.REFUSE), Unavailable),
        (Fault(kind=FaultKind.STATUS, status=503), Unavailable),
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600), Throttled),
        (Fault(kind=FaultKind.BAN, retry_after_s=120), Throttled),
        (Fault(kind=FaultKind.TOKEN_EXPIRED), AuthRequired),
        (Fault(kind=FaultKind.HTML), InvalidPayload),
        (Fault(kind=FaultKind.TRUNCATE), InvalidPayload),
        (Fault(kind=FaultKind.TRUNCATE, cut_connection=True), InvalidPayload),
        (Fault(kind=FaultKind.ERROR_IN_200), Unavailable),
        (Fault(kind=FaultKind.QUOTA), QuotaExhausted),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value.__name__,
)
@pytest.mark.parametrize("what", ["quotes", "bars"])
async def test_a_fault_gets_one_class_and_is_over_when_it_ends(
    source, simulator, fault: Fault, kind: type[SourceError], what: str
) -> None:
    request = BarsRequest(AAPL, Interval.D1, *span(30))

    async def call() -> object:
        return await (source.quotes([AAPL]) if what == "quotes" else source.bars(request))

    await simulator.inject("alphavantage", fault)
    with pytest.raises(SourceError) as caught:
        await call()
    assert type(caught.value) is kind, repr(caught.value)
    if kind is Throttled:
        assert caught.value.retry_after_s == fault.retry_after_s
        assert caught.value.banned == (fault.kind is FaultKind.BAN)
    await simulator.clear("alphavantage")
    await call()


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.STATUS, FaultKind.HTML, FaultKind.ERROR_IN_200])
async def test_a_check_notices_that_the_vendor_is_ill(source, simulator, kind: FaultKind) -> None:
    await simulator.inject("alphavantage", Fault(kind=kind))
    with pytest.raises((Unavailable, InvalidPayload)):
        await source.check()
    await simulator.clear("alphavantage")
    await source.check()


async def test_recorded_bodies_are_answered_as_the_files_say(recordings: Path, context) -> None:
    async with Simulator(vendors=("alphavantage",), recorded=recordings) as simulator:
        source = make(simulator, context)
        msft = Instrument("NASDAQ", "MSFT")
        assert (await source.quotes([msft]))[msft].price == 112.13
        start_ns = int(datetime(2017, 12, 18, 14, 0, tzinfo=UTC).timestamp()) * 10**9
        bars = await source.bars(BarsRequest(msft, Interval.M1, start_ns, start_ns + 8 * 3600 * 10**9))
        assert len(bars) == 100
        assert bars.close[-1] == 86.5
        await source.close()
