"""The Kite source against the simulated broker, and against servers of the test's own making."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    InvalidRequest,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Capability, Instrument, Interval, Tick, TickKind
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import BarsRequest, Source, TickStream
from mds_engine.sources.kite import plugin
from mds_engine.sources.kite.login import generate_session, login_url
from websockets.asyncio.server import ServerConnection, serve

INFY, RELIANCE = Instrument("NSE", "INFY"), Instrument("NSE", "RELIANCE")
DAY_NS = 86_400 * 10**9


def settings_for(http: str, ws: str = "ws://127.0.0.1:1", **more):
    keys = {"api_key": Secret("simulated"), "access_token": Secret("simulated")}
    keys |= {"api_secret": Secret("simulated")}
    return plugin.settings(
        kind="kite", endpoints=(http,), stream_endpoints=(ws,), timeout_s=2.0, **{**keys, **more}
    )


@asynccontextmanager
async def source_of(context, settings) -> AsyncIterator[Source]:
    source = plugin.create(settings, context)
    await source.connect()
    try:
        yield source
    finally:
        await source.close()


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


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["kite"]) as running:
        yield running


@pytest.fixture
def settings(simulator: Simulator):
    port = simulator.vendor("kite")
    return settings_for(port.http, "/".join(port.ws.split("/")[:3]))


@pytest.fixture
async def source(context, settings) -> AsyncIterator[Source]:
    async with source_of(context, settings) as made:
        yield made


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


@asynccontextmanager
async def open_stream(source: Source) -> AsyncIterator[tuple[TickStream, asyncio.Queue[Tick]]]:
    got: asyncio.Queue[Tick] = asyncio.Queue()

    def deliver(ticks) -> None:
        for tick in ticks:
            got.put_nowait(tick)

    stream = source.stream(deliver)
    await stream.open()
    try:
        yield stream, got
    finally:
        await stream.close()
        await stream.close()


@asynccontextmanager
async def running(stream: TickStream) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(stream.run())
    try:
        async with asyncio.timeout(10):
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_ticks_come_in_full_mode_and_bear_their_instrument(source: Source, context) -> None:
    async with open_stream(source) as (stream, got):
        await stream.subscribe([INFY, Instrument("NSE", "NOSUCHSHARE"), RELIANCE])
        seen: dict[Instrument, Tick] = {}
        async with running(stream):
            while set(seen) != {INFY, RELIANCE}:
                tick = await got.get()
                seen[tick.instrument] = tick
        assert stream.last_frame_at > 0
    for tick in seen.values():
        assert (tick.kind, tick.source) == (TickKind.QUOTE, context.name)
        assert tick.bid is not None
        assert tick.time_ns is not None


async def test_subscribing_only_to_the_unknown_is_not_found(source: Source) -> None:
    async with open_stream(source) as (stream, _):
        with pytest.raises(NotFound):
            await stream.subscribe([Instrument("NSE", "NOSUCHSHARE")])


async def test_an_expired_token_is_told_at_the_handshake_and_not_shown(simulator: Simulator, context) -> None:
    port = simulator.vendor("kite")
    settings = settings_for(port.http, "/".join(port.ws.split("/")[:3]), access_token=Secret("st0len"))
    async with source_of(context, settings) as source:
        with pytest.raises(AuthRequired) as caught:
            async with open_stream(source):
                pytest.fail("the stream opened")
    assert "st0len" not in f"{caught.value} {caught.value.raw}"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(kind=FaultKind.CUT_STREAM), Unavailable),
        (Fault(kind=FaultKind.REFUSE), Unavailable),
        (Fault(kind=FaultKind.TRUNCATED_FRAMES), InvalidPayload),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
async def test_each_fault_of_a_live_stream_has_its_class(
    simulator: Simulator, source: Source, fault: Fault, expected: type[SourceError]
) -> None:
    async with open_stream(source) as (stream, got):
        await stream.subscribe([INFY])
        async with running(stream) as run:
            await got.get()
            await simulator.inject("kite", fault)
            with pytest.raises(expected):
                await run


class Broker:
    """A ticker that keeps what it is told and says what it is given, until the client has gone."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.heard = asyncio.Event()
        self.to_say: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def talk(self, connection: ServerConnection) -> None:
        speaking = asyncio.create_task(self.speak(connection))
        try:
            async for message in connection:
                self.messages.append(json.loads(message))
                self.heard.set()
        finally:
            speaking.cancel()

    async def speak(self, connection: ServerConnection) -> None:
        while True:
            await connection.send(await self.to_say.get())


class HandClock:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.sleepers: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self.was_read = asyncio.Event()

    def now(self) -> float:
        self.was_read.set()
        return self.at

    def wall(self) -> float:
        return 1_700_000_000.0 + self.at

    async def sleep(self, seconds: float) -> None:
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.put_nowait(awake)
        await awake

    async def someone_sleeps(self) -> None:
        self.sleepers.put_nowait(await self.sleepers.get())

    async def move(self, seconds: float) -> None:
        """Let time pass, and the one who sleeps wake."""
        sleeper = await self.sleepers.get()
        self.at += seconds
        sleeper.set_result(None)


@asynccontextmanager
async def at_broker(context) -> AsyncIterator[tuple[TickStream, asyncio.Queue[Tick], Broker]]:
    broker = Broker()
    context.clock = HandClock()
    async with serve(broker.talk, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with (
            source_of(context, settings_for("http://127.0.0.1:1", url)) as source,
            open_stream(source) as (stream, got),
        ):
            yield stream, got, broker


async def test_a_stream_without_even_a_heartbeat_for_five_seconds_is_dead(context) -> None:
    async with at_broker(context) as (stream, _, broker), running(stream) as run:
        await context.clock.move(4.9)
        await context.clock.someone_sleeps()
        context.clock.was_read.clear()
        broker.to_say.put_nowait(b"\0")
        await context.clock.was_read.wait()
        # The heartbeat counts: the silence begins anew.
        await context.clock.move(4.9)
        await context.clock.someone_sleeps()
        assert not run.done()
        await context.clock.move(0.2)
        with pytest.raises(Unavailable, match="fell silent"):
            await run


async def test_texts_that_are_no_error_are_passed_over(context, recordings) -> None:
    lines = (recordings / "kite/built/text_messages.jsonl").read_text().splitlines()
    async with at_broker(context) as (stream, got, broker), running(stream):
        for line in lines:
            if '"type":"error"' not in line:
                broker.to_say.put_nowait(line)
        broker.to_say.put_nowait((recordings / "kite/built/frame_ltp.bin").read_bytes())
        assert (await got.get()).price == 1573.15


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"error","data":"Something broke"}', Unavailable),
        ('{"type":"error","data":"Invalid `access_token`"}', AuthRequired),
        ("no json", InvalidPayload),
    ],
)
async def test_a_text_that_is_an_error_ends_the_stream(
    context, text: str, expected: type[SourceError]
) -> None:
    async with at_broker(context) as (stream, _, broker), running(stream) as run:
        broker.to_say.put_nowait(text)
        with pytest.raises(expected):
            await run


async def test_the_login_goes_through_the_vendors_own_sdk(simulator: Simulator, context, settings) -> None:
    assert "api_key=simulated" in await login_url(settings)
    token = await generate_session(settings, Secret("simulated"))
    fresh = settings_for(simulator.vendor("kite").http, access_token=token)
    async with source_of(context, fresh) as source:
        await source.check()
    # A request token serves once.
    with pytest.raises((AuthRequired, InvalidRequest)):
        await generate_session(settings, Secret("simulated"))


async def test_a_login_that_cannot_reach_the_vendor_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="refused"):
        await generate_session(settings_for("http://127.0.0.1:1"), Secret("r3quest"))
    with pytest.raises(AuthRequired, match="api_secret"):
        await generate_session(settings_for("http://127.0.0.1:1", api_secret=Secret()), Secret("r3quest"))
