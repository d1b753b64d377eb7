"""The frame with a toy vendor on it: faults, counts, recordings, a clean end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from aiohttp import web
from mds_engine.clock import Clock
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.recorded import Recording, Recordings
from mds_engine.simulator.server import Simulator, UnknownVendorError
from mds_engine.simulator.stream import Stream, until_first_ends
from mds_engine.simulator.vendor import Call, Route, Vendor, retry_after_headers
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


class VirtualTime(Clock, Protocol):
    """The `virtual_clock` fixture."""

    async def advance(self, seconds: float) -> None: ...


class ToyVendor(Vendor):
    """Two endpoints, one price, one stream that sends what it is told to echo."""

    name = "toy"
    endpoint_count = 2
    websocket_path = "/stream"

    def routes(self) -> Sequence[Route]:
        return (
            Route("/price", "quote", handler=self._price),
            Route("/clock", "clock", handler=self._clock, needs_recording=False),
            Route("/stream", "ticks", stream=self._stream),
        )

    def fault_response(self, fault: Fault, call: Call) -> web.Response:
        status = {FaultKind.THROTTLE: 429, FaultKind.BAN: 418}.get(fault.kind, fault.status)
        headers = retry_after_headers(fault, call.clock.wall())
        return web.json_response({"toy": str(fault.kind)}, status=status, headers=headers)

    def not_found(self, call: Call) -> web.Response:
        return web.json_response({"toy": "nothing here"}, status=404)

    def recordings(self) -> Recordings:
        return Recordings((Recording("/price", "price.json", query={"of": "gold*"}),))

    async def _price(self, call: Call) -> web.StreamResponse:
        price = call.market.price("NASDAQ:AAPL", call.market.now())
        return web.json_response({"price": price, "filler": "x" * 100})

    async def _clock(self, call: Call) -> web.StreamResponse:
        return web.json_response({"now": call.clock.wall()})

    async def _stream(self, call: Call, stream: Stream) -> None:
        async def echo() -> None:
            while (message := await stream.receive()) is not None:
                await stream.send(message)

        await until_first_ends(echo())


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=(ToyVendor,)) as running:
        yield running


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.vendor("toy").http, timeout=5) as one:
        yield one


async def test_a_healthy_vendor_answers_and_the_call_is_counted(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/price")).json()["price"] > 0
    assert (await client.get("/elsewhere")).status_code == 404

    toy = simulator.vendor("toy")
    assert toy.log.by_group() == {"quote": 1, "": 1}
    assert [(entry.path, entry.status) for entry in toy.requests()] == [("/price", 200), ("/elsewhere", 404)]
    assert toy.requests(since=1, group="quote") == []


async def test_refuse_closes_the_port_resets_connections_and_opens_the_same_port_again(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    await client.get("/price")
    await simulator.inject("toy", Fault(kind=FaultKind.REFUSE), endpoint=0)
    with pytest.raises(httpx.TransportError):
        await client.get("/price")
    with pytest.raises(httpx.ConnectError):
        await client.get("/price")
    async with httpx.AsyncClient(base_url=simulator.vendor("toy").endpoints[1].http) as other:
        assert (await other.get("/price")).status_code == 200

    assert await simulator.clear("toy") == 1
    assert (await client.get("/price")).status_code == 200


async def test_hang_never_answers_until_it_is_cleared(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.HANG))
    request = asyncio.create_task(client.get("/price"))
    toy = simulator.vendor("toy")
    await toy.log.until(lambda log: [entry.outcome for entry in log.entries()] == ["hung"])
    assert not request.done()

    await simulator.clear("toy")
    assert (await request).status_code == 200


async def test_a_client_that_gives_up_on_a_hanging_vendor_leaves_nothing_behind(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.HANG))
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/price", timeout=0.05)
    assert simulator.vendor("toy").requests()[0].outcome == "hung"


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (Fault(kind=FaultKind.STATUS, status=502), 502, None),
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600), 429, "3600"),
        (Fault(kind=FaultKind.THROTTLE), 429, None),
        (Fault(kind=FaultKind.BAN, retry_after_s=120), 418, "120"),
    ],
)
async def test_the_vendor_words_its_own_failures(
    simulator: Simulator, client: httpx.AsyncClient, fault: Fault, status: int, retry_after: str | None
) -> None:
    await simulator.inject("toy", fault)
    answer = await client.get("/price")
    assert answer.status_code == status
    assert answer.json() == {"toy": str(fault.kind)}
    assert answer.headers.get("Retry-After") == retry_after


async def test_retry_after_can_be_a_date(simulator: Simulator, client: httpx.AsyncClient) -> None:
    await simulator.inject(
        "toy", Fault(kind=FaultKind.THROTTLE, retry_after_s=86_400, retry_after_as_date=True)
    )
    header = (await client.get("/price")).headers["Retry-After"]
    ahead_s = parsedate_to_datetime(header).timestamp() - simulator.market.now()
    assert 86_000 < ahead_s < 86_800


async def test_html_comes_where_json_was_due(simulator: Simulator, client: httpx.AsyncClient) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.HTML))
    answer = await client.get("/price")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_truncated_body_is_half_of_it_well_framed(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    whole = await client.get("/price")
    await simulator.inject("toy", Fault(kind=FaultKind.TRUNCATE))
    half = await client.get("/price")
    assert abs(len(half.content) - len(whole.content) // 2) <= 2
    with pytest.raises(ValueError, match="Unterminated"):
        half.json()


async def test_a_truncated_body_can_break_the_connection(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.TRUNCATE, cut_connection=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/price")
    assert simulator.vendor("toy").requests()[0].outcome == "cut"


async def test_a_fault_hits_the_first_few_requests_of_a_path_only(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.STATUS, status=500, first=2, path_prefix="/price"))
    codes = [(await client.get(path)).status_code for path in ("/clock", "/price", "/price", "/price")]
    assert codes == [200, 500, 500, 200]


async def test_a_fault_with_a_probability_hits_the_same_requests_for_the_same_seed() -> None:
    async def outcomes() -> list[int]:
        async with Simulator(vendors=(ToyVendor,), seed=7) as simulator:
            await simulator.inject("toy", Fault(kind=FaultKind.STATUS, probability=0.5))
            async with httpx.AsyncClient(base_url=simulator.vendor("toy").http) as client:
                return [(await client.get("/price")).status_code for _ in range(20)]

    first = await outcomes()
    assert set(first) == {200, 503}
    assert await outcomes() == first


async def test_wrong_and_frozen_prices(virtual_clock: VirtualTime) -> None:
    async with (
        Simulator(vendors=(ToyVendor,), clock=virtual_clock) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("toy").http) as client,
    ):

        async def prices() -> list[float]:
            seen = []
            for _ in range(5):
                await virtual_clock.advance(60)
                seen.append((await client.get("/price")).json()["price"])
            return seen

        assert len(set(await prices())) > 1
        await simulator.inject("toy", Fault(kind=FaultKind.FROZEN_PRICE))
        (frozen,) = set(await prices())
        await simulator.inject("toy", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0))
        assert await prices() == pytest.approx([2 * frozen] * 5, abs=0.02)


async def test_slow_answers_come_late(virtual_clock: VirtualTime) -> None:
    async with (
        Simulator(vendors=(ToyVendor,), clock=virtual_clock) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("toy").http) as client,
    ):
        await simulator.inject("toy", Fault(kind=FaultKind.SLOW, delay_s=3.0))
        request = asyncio.create_task(client.get("/clock"))
        await simulator.vendor("toy").log.until(lambda log: log.total == 1)
        asked = virtual_clock.wall()
        await virtual_clock.advance(2.9)
        assert simulator.vendor("toy").requests()[0].status == 0
        await virtual_clock.advance(0.2)
        assert (await request).json()["now"] == pytest.approx(asked + 3.0)


async def test_a_muted_stream_still_answers_pings(simulator: Simulator) -> None:
    async with connect(simulator.vendor("toy").ws) as stream:
        await stream.send("one")
        assert await stream.recv() == "one"
        await simulator.inject("toy", Fault(kind=FaultKind.MUTE_STREAM))
        await stream.send("two")
        await (await stream.ping())
        await simulator.clear("toy")
        await stream.send("three")
        assert await stream.recv() == "three"


async def test_a_hung_stream_answers_no_ping_until_it_is_cleared(simulator: Simulator) -> None:
    async with connect(simulator.vendor("toy").ws) as stream:
        await simulator.inject("toy", Fault(kind=FaultKind.HANG, scope="ws"))
        pong = asyncio.ensure_future(await stream.ping())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 0.05)
        await simulator.clear("toy")
        await pong


async def test_requests_can_hang_while_live_streams_go_on(simulator: Simulator) -> None:
    async with connect(simulator.vendor("toy").ws) as stream:
        await simulator.inject("toy", Fault(kind=FaultKind.HANG, scope="http"))
        await stream.send("one")
        assert await asyncio.wait_for(stream.recv(), 5.0) == "one"


async def test_cut_stream_resets_live_streams_and_lets_new_ones_in(simulator: Simulator) -> None:
    url = simulator.vendor("toy").ws
    async with connect(url) as stream:
        await stream.send("one")
        await stream.recv()
        await simulator.inject("toy", Fault(kind=FaultKind.CUT_STREAM))
        with pytest.raises(ConnectionClosed):
            await stream.recv()
    async with connect(url) as stream:
        await stream.send("again")
        assert await stream.recv() == "again"


async def test_new_streams_can_be_cut_at_an_age(simulator: Simulator) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.CUT_STREAM, delay_s=0.02))
    async with connect(simulator.vendor("toy").ws) as stream:
        with pytest.raises(ConnectionClosed):
            await stream.recv()


async def test_truncated_frames_are_cut_in_half(simulator: Simulator) -> None:
    await simulator.inject("toy", Fault(kind=FaultKind.TRUNCATED_FRAMES))
    async with connect(simulator.vendor("toy").ws) as stream:
        await stream.send(b"12345678")
        assert await stream.recv() == b"1234"


async def test_a_stream_is_closed_when_the_simulator_stops() -> None:
    simulator = Simulator(vendors=(ToyVendor,))
    async with simulator:
        stream = await connect(simulator.vendor("toy").ws)
        await stream.send("one")
        await stream.recv()
        assert simulator.vendor("toy").streams == 1
    with pytest.raises(ConnectionClosed):
        await stream.recv()
    assert simulator.vendor("toy").streams == 0


async def test_recorded_bodies_are_served_byte_for_byte(tmp_path: Path) -> None:
    body = b'{ "price" : 1.50,\n "odd":"spacing" }\n'
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "price.json").write_bytes(body)
    async with (
        Simulator(vendors=(ToyVendor,), recorded=tmp_path) as simulator,
        httpx.AsyncClient(base_url=simulator.vendor("toy").http) as client,
    ):
        assert (await client.get("/price", params={"of": "golden"})).content == body
        assert (await client.get("/price", params={"of": "lead"})).status_code == 404
        assert (await client.get("/price")).status_code == 404
        assert (await client.get("/clock")).status_code == 200


async def test_unknown_names_are_refused(simulator: Simulator) -> None:
    with pytest.raises(UnknownVendorError, match="nobody"):
        await simulator.inject("nobody", Fault(kind=FaultKind.HANG))
    with pytest.raises(UnknownVendorError, match="no endpoint 2; the last is 1"):
        await simulator.inject("toy", Fault(kind=FaultKind.HANG), endpoint=2)
    with pytest.raises(UnknownVendorError, match="known are"):
        async with Simulator(vendors=("nobody",)):
            pass


def test_the_description_names_every_endpoint(simulator: Simulator) -> None:
    described = simulator.describe()
    toy = described["vendors"]["toy"]
    assert toy["ws"].endswith("/stream")
    assert [endpoint["http"] for endpoint in toy["endpoints"]] == [
        endpoint.http for endpoint in simulator.vendor("toy").endpoints
    ]
    assert toy["http"] == toy["endpoints"][0]["http"] != toy["endpoints"][1]["http"]
    assert described["control"].startswith("http://127.0.0.1:")
