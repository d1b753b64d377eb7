"""Yahoo's source against the simulated Yahoo: true formats over real sockets, and every fault."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Instrument, Interval, Tick
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import BarsRequest, Source
from mds_engine.sources.yahoo import plugin

AAPL = Instrument("NASDAQ", "AAPL")
RELIANCE = Instrument("NSE", "RELIANCE")
NIFTY = Instrument("NSE", "NIFTY 50")
NOBODY = Instrument("NASDAQ", "NOSUCHTHING")


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=("yahoo",)) as running:
        yield running


def make(simulator: Simulator, context, **settings: object) -> Source:
    port = simulator.vendor("yahoo")
    return plugin.create(
        plugin.settings(kind="yahoo", endpoints=(port.http,), stream_endpoints=(port.ws,), **settings),
        context,
    )


@pytest.fixture
async def source(simulator: Simulator, context) -> AsyncIterator[Source]:
    source = make(simulator, context)
    yield source
    await source.close()


def span(days: float) -> tuple[int, int]:
    end_ns = int(datetime.now(UTC).timestamp()) * 10**9
    return end_ns - int(days * 86400) * 10**9, end_ns


def truth(simulator: Simulator, instrument: Instrument) -> float:
    return simulator.market.snapshot(str(instrument)).last


async def test_quotes_are_near_the_markets_truth(source, simulator) -> None:
    quotes = await source.quotes([AAPL, RELIANCE, NIFTY, NOBODY])
    assert set(quotes) == {AAPL, RELIANCE, NIFTY}
    for instrument, quote in quotes.items():
        assert quote.price == pytest.approx(truth(simulator, instrument), rel=0.02)
        assert quote.instrument == instrument
    assert quotes[RELIANCE].currency == "INR"


async def test_nothing_known_is_not_found(source) -> None:
    with pytest.raises(NotFound):
        await source.quotes([NOBODY])
    with pytest.raises(NotFound):
        await source.bars(BarsRequest(NOBODY, Interval.D1, *span(10)))


@pytest.mark.parametrize(
    ("interval", "days", "at_least"),
    [(Interval.D1, 60, 30), (Interval.H1, 10, 20), (Interval.M5, 5, 100), (Interval.M1, 10, 1000)],
)
async def test_bars_ascend_and_lie_within_the_span(source, interval, days, at_least) -> None:
    start_ns, end_ns = span(days)
    bars = await source.bars(BarsRequest(RELIANCE, interval, start_ns, end_ns))
    assert len(bars) >= at_least
    assert start_ns <= bars.time_ns[0] <= bars.time_ns[-1] < end_ns
    assert (bars.high >= bars.low).all()


async def test_bars_from_before_yahoos_memory_are_not_found(source) -> None:
    start_ns, _ = span(100)
    with pytest.raises(NotFound):
        await source.bars(BarsRequest(AAPL, Interval.M1, start_ns, start_ns + 86400 * 10**9))


async def test_ticks_flow(source, simulator) -> None:
    ticks: asyncio.Queue[Tick] = asyncio.Queue()

    def deliver(batch) -> None:
        for tick in batch:
            ticks.put_nowait(tick)

    stream = source.stream(deliver)
    await stream.open()
    running = asyncio.create_task(stream.run())
    await stream.subscribe([AAPL, RELIANCE])
    seen = set()
    while seen != {AAPL, RELIANCE}:
        tick = await ticks.get()
        seen.add(tick.instrument)
        assert tick.price == pytest.approx(truth(simulator, tick.instrument), rel=0.02)
        assert tick.time_ns is not None
    await simulator.inject("yahoo", Fault(kind=FaultKind.CUT_STREAM))
    with pytest.raises(Unavailable):
        await running
    await stream.close()


async def test_frames_cut_short_end_the_stream(source, simulator) -> None:
    await simulator.inject("yahoo", Fault(kind=FaultKind.TRUNCATED_FRAMES))
    stream = source.stream(lambda ticks: None)
    await stream.open()
    await stream.subscribe([AAPL])
    with pytest.raises(InvalidPayload):
        await stream.run()
    await stream.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind=FaultKind.REFUSE), Unavailable),
        (Fault(kind=FaultKind.STATUS, status=503), Unavailable),
        (Fault(kind=FaultKind.STATUS, status=500), Unavailable),
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600), Throttled),
        (Fault(kind=FaultKind.THROTTLE), Throttled),
        (Fault(kind=FaultKind.BAN, retry_after_s=120), Throttled),
        (Fault(kind=FaultKind.TOKEN_EXPIRED), AuthRequired),
        (Fault(kind=FaultKind.HTML), InvalidPayload),
        (Fault(kind=FaultKind.TRUNCATE), InvalidPayload),
        (Fault(kind=FaultKind.TRUNCATE, cut_connection=True), InvalidPayload),
        (Fault(kind=FaultKind.ERROR_IN_200), Unavailable),
        (Fault(kind=FaultKind.QUOTA), Throttled),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value.__name__,
)
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("what", ["quotes", "bars"])
async def test_a_fault_gets_one_class_and_is_over_when_it_ends(
    source, simulator, fault: Fault, kind: type[SourceError], warm: bool, what: str
) -> None:
    request = BarsRequest(AAPL, Interval.D1, *span(30))

    async def call() -> object:
        return await (source.quotes([AAPL]) if what == "quotes" else source.bars(request))

    if warm:
        await call()
    before = len(simulator.vendor("yahoo").requests())
    await simulator.inject("yahoo", fault)
    with pytest.raises(SourceError) as caught:
        await call()
    assert type(caught.value) is kind, repr(caught.value)
    if kind is Throttled and warm:
        assert caught.value.retry_after_s == fault.retry_after_s
        assert caught.value.banned == (fault.kind is FaultKind.BAN)
        assert len(simulator.vendor("yahoo").requests()) == before + 1, (
            "a throttle is not answered by asking again"
        )
    await simulator.clear("yahoo")
    await call()


async def test_a_server_that_hangs_costs_the_timeout_and_no_more(simulator, context) -> None:
    source = make(simulator, context, timeout_s=1.0)
    await source.check()
    await simulator.inject("yahoo", Fault(kind=FaultKind.HANG))
    with pytest.raises(Unavailable, match="timed out"):
        await source.check()
    await simulator.clear("yahoo")
    await source.check()
    await source.close()


async def test_recorded_bodies_are_answered_as_the_files_say(recordings: Path, context) -> None:
    async with Simulator(vendors=("yahoo",), recorded=recordings) as simulator:
        source = make(simulator, context)
        quotes = await source.quotes([AAPL, Instrument("NYSE", "BABA")])
        assert [quote.price for quote in quotes.values()] == [244.6, 124.73]
        start_ns = 1_577_836_800 * 10**9
        bars = await source.bars(BarsRequest(AAPL, Interval.D1, start_ns, start_ns + 2 * 86400 * 10**9))
        assert bars.close.tolist() == [75.0875]
        await source.check()
        ticks: asyncio.Queue[Tick] = asyncio.Queue()
        stream = source.stream(lambda batch: [ticks.put_nowait(tick) for tick in batch] and None)
        await stream.open()
        running = asyncio.create_task(stream.run())
        await stream.subscribe([AAPL, Instrument("CRYPTO", "BTC-USD")])
        assert [(await ticks.get()).price for _ in range(4)] == [94745.08, 168.99, 307.2, 314.765]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await stream.close()
        await source.close()
