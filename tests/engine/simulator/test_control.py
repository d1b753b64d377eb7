"""The control API: the same verbs as the Python one, for drills and the demo of another process."""

import socket
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from mds_engine.simulator.binance import BinanceVendor
from mds_engine.simulator.control_client import ControlClient, ControlError
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=(partial(BinanceVendor, listed=8),), seed=3) as running:
        yield running


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[ControlClient]:
    async with ControlClient(simulator.control_url) as client:
        yield client


@pytest.fixture
async def binance(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.vendor("binance").http) as client:
        yield client


async def test_the_overview_says_where_what_and_how_much(
    simulator: Simulator, control: ControlClient, binance: httpx.AsyncClient
) -> None:
    await binance.get("/api/v3/ping")
    overview = await control.overview()
    assert {name: overview[name] for name in ("vendors", "control")} == simulator.describe()
    assert overview["seed"] == 3
    assert overview["faults"] == []
    assert overview["requests"]["binance"] == {
        "total": 1,
        "by_group": {"ping": 1},
        "streams": 0,
        "resets": 0,
    }


async def test_a_fault_is_switched_on_for_one_endpoint_and_off_again(
    simulator: Simulator, control: ControlClient, binance: httpx.AsyncClient
) -> None:
    fault = Fault(kind=FaultKind.THROTTLE, retry_after_s=30.0, path_prefix="/api/v3/klines")
    active = await control.inject("binance", fault, endpoint=0)
    assert (active.fault, active.endpoint, active.vendor) == (fault, 0, "binance")
    assert (await binance.get("/api/v3/ping")).status_code == 200
    assert (await binance.get("/api/v3/klines?symbol=BTCUSDT&interval=1m")).status_code == 429
    async with httpx.AsyncClient(base_url=simulator.vendor("binance").endpoints[1].http) as other:
        assert (await other.get("/api/v3/klines?symbol=BTCUSDT&interval=1m")).status_code == 200
    (listed,) = (await control.overview())["faults"]
    assert (listed["id"], listed["hits"]) == (active.id, 1)

    assert await control.clear("binance", kind=FaultKind.HANG) == 0
    assert await control.clear("binance", endpoint=0, kind=FaultKind.THROTTLE) == 1
    assert (await binance.get("/api/v3/klines?symbol=BTCUSDT&interval=1m")).status_code == 200


async def test_refuse_and_its_end_reach_the_sockets(
    control: ControlClient, binance: httpx.AsyncClient
) -> None:
    await control.inject("binance", Fault(kind=FaultKind.REFUSE))
    with pytest.raises(httpx.ConnectError):
        await binance.get("/api/v3/ping")
    assert await control.clear_all() == 1
    assert (await binance.get("/api/v3/ping")).status_code == 200


async def test_the_log_lists_what_arrived(control: ControlClient, binance: httpx.AsyncClient) -> None:
    await binance.get("/api/v3/ping")
    await binance.get("/api/v3/ticker/price?symbol=BTCUSDT")
    await control.inject("binance", Fault(kind=FaultKind.STATUS, status=500))
    await binance.get("/api/v3/ticker/price?symbol=ETHUSDT")
    entries = await control.requests("binance", group="quote")
    assert [(entry.query, entry.status, entry.faults) for entry in entries] == [
        ("symbol=BTCUSDT", 200, []),
        ("symbol=ETHUSDT", 500, ["status"]),
    ]
    assert await control.requests("binance", since=entries[-1].number) == []
    assert len(await control.requests("binance", limit=1)) == 1


@pytest.mark.parametrize(
    ("nonsense", "told"),
    [
        ({"delay_s": -1}, "delay_s is -1; give seconds from 0 on"),
        ({"status": 99999}, "status is 99999; give an HTTP code from 400 to 599"),
        ({"status": 200}, "status is 200; give an HTTP code from 400 to 599"),
        ({"retry_after_s": -5}, "retry_after_s is -5; give seconds from 0 on"),
        ({"factor": 0}, "factor is 0; give what prices are multiplied by, above 0"),
        ({"probability": 1.5}, "probability is 1.5; give a share from 0 to 1"),
        ({"first": 0}, "first is 0; give how many requests are hit, at least 1"),
    ],
)
async def test_a_fault_that_cannot_be_made_is_refused_with_a_sentence(
    simulator: Simulator, nonsense: dict[str, float], told: str
) -> None:
    async with httpx.AsyncClient(base_url=simulator.control_url) as client:
        answer = await client.post("/faults", json={"vendor": "binance", "kind": "slow", **nonsense})
    assert (answer.status_code, answer.json()) == (400, {"error": told})
    assert list(simulator.faults) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", b'{"vendor":"binance","kind":"dance"}', 400),
        ("POST", "/faults", b'{"vendor":"binance","kind":"hang","color":"red"}', 400),
        ("POST", "/faults", b"{broken", 400),
        ("POST", "/faults", b'{"vendor":"nobody","kind":"hang"}', 404),
        ("POST", "/faults", b'{"vendor":"binance","kind":"hang","endpoint":9}', 404),
        ("DELETE", "/faults/nobody", b"", 404),
        ("DELETE", "/faults/binance?kind=dance", b"", 400),
        ("DELETE", "/faults/binance?endpoint=first", b"", 400),
        ("GET", "/log?vendor=nobody", b"", 404),
        ("GET", "/log?limit=all", b"", 400),
    ],
)
async def test_mistakes_are_told_and_change_nothing(
    simulator: Simulator, method: str, path: str, body: bytes, status: int
) -> None:
    async with httpx.AsyncClient(base_url=simulator.control_url) as client:
        answer = await client.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert list(simulator.faults) == []


async def test_the_client_raises_what_the_simulator_says(control: ControlClient) -> None:
    with pytest.raises(ControlError, match="nobody"):
        await control.inject("nobody", Fault(kind=FaultKind.HANG))


async def test_fixed_ports_are_used_and_given_back() -> None:
    with socket.socket() as probe, socket.socket() as other:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = {"binance": probe.getsockname()[1], "control": other.getsockname()[1]}
    for _ in range(2):
        async with Simulator(vendors=("binance",), ports=ports) as simulator:
            assert simulator.vendor("binance").http == f"http://127.0.0.1:{ports['binance']}"
            assert simulator.control_url == f"http://127.0.0.1:{ports['control']}"


async def test_a_port_that_is_taken_stops_the_start_and_leaves_nothing_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            async with Simulator(vendors=("binance",), ports={"control": taken.getsockname()[1]}):
                pass
