"""The simulated Kite's WebSocket: greeting, modes, heartbeats, refusals, and the market's own trades."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.engine.simulator.rushing import PATIENCE_S, RushingClock

INFY, NIFTY = 408065, 256265


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["kite"], clock=RushingClock()) as running:
        yield running


def _url(simulator: Simulator, token: str = "simulated") -> str:
    return f"{simulator.vendor('kite').ws}?api_key=simulated&access_token={token}"


def _packets(frame: bytes) -> list[bytes]:
    (count,) = struct.unpack_from(">H", frame)
    packets, place = [], 2
    for _ in range(count):
        (length,) = struct.unpack_from(">H", frame, place)
        packets.append(frame[place + 2 : place + 2 + length])
        place += 2 + length
    assert place == len(frame)
    return packets


async def _next_packets(socket: ClientConnection) -> list[bytes]:
    while True:
        message = await socket.recv()
        if isinstance(message, bytes) and len(message) > 1:
            return _packets(message)


async def test_two_texts_come_first_and_then_heartbeats_of_one_byte(simulator: Simulator) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        meta, code = json.loads(await socket.recv()), json.loads(await socket.recv())
        assert (meta["type"], meta["data"]["count"]) == ("instruments_meta", 500)
        assert (code["type"], code["timestamp"][-6:]) == ("app_code", "+05:30")
        assert [len(await socket.recv()) for _ in range(3)] == [1, 1, 1]


async def test_a_bare_subscription_is_in_quote_mode_and_modes_change_the_length(
    simulator: Simulator,
) -> None:
    lengths = {}
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.send(json.dumps({"a": "subscribe", "v": [INFY, NIFTY]}))
        lengths["bare"] = await _lengths(socket, {44, 28})
        for mode, expected in (("full", {184, 32}), ("ltp", {8}), ("quote", {44, 28})):
            await socket.send(json.dumps({"a": "mode", "v": [mode, [INFY, NIFTY]]}))
            lengths[mode] = await _lengths(socket, expected)
    assert lengths == {"bare": {44, 28}, "full": {184, 32}, "ltp": {8}, "quote": {44, 28}}


async def _lengths(socket: ClientConnection, expected: set[int]) -> set[int]:
    """Of the first frame that bears one of the expected lengths and, if there are two, both."""
    while True:
        seen = {len(packet) for packet in await _next_packets(socket)}
        if seen == expected:
            return seen


async def test_ticks_are_the_markets_own_trades(simulator: Simulator) -> None:
    market = simulator.market
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.send(json.dumps({"a": "subscribe", "v": [INFY]}))
        await socket.send(json.dumps({"a": "mode", "v": ["full", [INFY]]}))
        ticks: list[bytes] = []
        while len(ticks) < 20:
            ticks += [packet for packet in await _next_packets(socket) if len(packet) == 184]
    for tick in ticks:
        token, price, quantity = struct.unpack_from(">III", tick)
        (traded_at,) = struct.unpack_from(">I", tick, 44)
        assert token == INFY
        trades = market.trades("NSE:INFY", market.trade_ids("NSE:INFY", traded_at, traded_at + 1))
        assert (price / 100, quantity) in zip(trades.price, trades.size, strict=True)


async def test_an_unsubscribed_token_falls_silent(simulator: Simulator) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.send(json.dumps({"a": "subscribe", "v": [INFY]}))
        await _next_packets(socket)
        await socket.send(json.dumps({"a": "unsubscribe", "v": [INFY]}))
        silent = 0
        while silent < 5:
            message = await socket.recv()
            silent = silent + 1 if message == b"\x00" else 0


async def test_unknown_tokens_are_passed_over_and_nonsense_is_answered_by_an_error(
    simulator: Simulator,
) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.send(json.dumps({"a": "subscribe", "v": [1, INFY]}))
        tokens = {struct.unpack_from(">I", packet)[0] for packet in await _next_packets(socket)}
        assert tokens == {INFY}
        await socket.send("nonsense")
        while isinstance(message := await socket.recv(), bytes) or "error" not in message:
            pass
        assert json.loads(message)["type"] == "error"


async def test_a_handshake_without_a_session_is_refused_with_403(simulator: Simulator) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(_url(simulator, "stale"))
    assert refusal.value.response.status_code == 403
    assert json.loads(refusal.value.response.body)["error_type"] == "TokenException"


async def _read_on(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def test_a_session_that_expires_ends_the_stream_and_bars_the_way_back(simulator: Simulator) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.recv()
        await simulator.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))
        with pytest.raises(ConnectionClosed) as closed:
            await _read_on(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    with pytest.raises(InvalidStatus) as refusal:
        await connect(_url(simulator))
    assert refusal.value.response.status_code == 403


async def test_a_key_has_three_connections() -> None:
    async with Simulator(vendors=["kite"]) as simulator, AsyncExitStack() as open_sockets:
        for _ in range(3):
            socket = await open_sockets.enter_async_context(connect(_url(simulator)))
            await socket.recv()
        with pytest.raises(InvalidStatus) as refusal:
            await connect(_url(simulator))
        assert refusal.value.response.status_code == 429


async def test_frames_can_be_cut_in_half(simulator: Simulator) -> None:
    await simulator.inject("kite", Fault(kind=FaultKind.TRUNCATED_FRAMES))
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.send(json.dumps({"a": "subscribe", "v": [INFY]}))
        while not isinstance(message := await socket.recv(), bytes) or len(message) < 2:
            pass
        assert len(message) == (2 + 2 + 44) // 2


async def test_a_wrong_price_reaches_a_stream_that_is_open(simulator: Simulator) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
        await socket.send(json.dumps({"a": "subscribe", "v": [INFY]}))
        (before,) = struct.unpack_from(">I", (await _next_packets(socket))[0], 4)
        await simulator.inject("kite", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0))
        after = before
        while after < before * 1.5:
            (after,) = struct.unpack_from(">I", (await _next_packets(socket))[0], 4)
        assert after == pytest.approx(before * 2, rel=0.05)


async def test_recorded_frames_are_served_as_they_are(recordings: Path) -> None:
    async with Simulator(vendors=["kite"], recorded=recordings, clock=RushingClock()) as simulator:
        async with asyncio.timeout(PATIENCE_S), connect(_url(simulator)) as socket:
            await socket.send(json.dumps({"a": "subscribe", "v": [INFY]}))
            while not isinstance(message := await socket.recv(), bytes):
                pass
        assert message == (recordings / "kite/built/frame_full_realpayload.bin").read_bytes()
