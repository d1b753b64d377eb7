"""The simulated Yahoo's streamer: base64 of protobuf in JSON, and the market's own trades."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from websockets.asyncio.client import ClientConnection, connect

from tests.engine.simulator.rushing import PATIENCE_S, RushingClock


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["yahoo"], clock=RushingClock(1_700_000_001.0)) as running:
        yield running


async def _message(socket: ClientConnection) -> bytes:
    frame = json.loads(await socket.recv())
    assert set(frame) == {"type", "message"}
    assert frame["type"] == "pricing"
    return base64.b64decode(frame["message"])


def _id(message: bytes) -> str:
    assert message[0] == 0x0A  # field 1, length-delimited
    return message[2 : 2 + message[1]].decode()


async def test_a_subscription_brings_that_symbol_and_no_other(simulator: Simulator) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(simulator.vendor("yahoo").ws) as socket:
        await socket.send(json.dumps({"subscribe": ["AAPL", "NOSUCHTHING"]}))
        assert {_id(await _message(socket)) for _ in range(5)} == {"AAPL"}
        await socket.send(json.dumps({"subscribe": ["BTC-USD", "AAPL"]}))
        while _id(await _message(socket)) != "BTC-USD":
            pass
        await socket.send(json.dumps({"unsubscribe": ["AAPL"]}))
        alone = 0
        while alone < 10:
            alone = alone + 1 if _id(await _message(socket)) == "BTC-USD" else 0


async def test_nonsense_is_passed_over(simulator: Simulator) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(simulator.vendor("yahoo").ws) as socket:
        for nonsense in ("nonsense", "[]", '{"subscribe": 7}'):
            await socket.send(nonsense)
        await socket.send(json.dumps({"subscribe": ["AAPL"]}))
        assert _id(await _message(socket)) == "AAPL"


async def test_a_muted_stream_is_open_and_silent(simulator: Simulator) -> None:
    await simulator.inject("yahoo", Fault(kind=FaultKind.MUTE_STREAM))
    async with asyncio.timeout(PATIENCE_S), connect(simulator.vendor("yahoo").ws) as socket:
        await socket.send(json.dumps({"subscribe": ["AAPL"]}))
        await (await socket.ping())
        await simulator.clear("yahoo")
        assert _id(await _message(socket)) == "AAPL"


async def test_frames_can_be_cut_in_half(simulator: Simulator) -> None:
    await simulator.inject("yahoo", Fault(kind=FaultKind.TRUNCATED_FRAMES))
    async with asyncio.timeout(PATIENCE_S), connect(simulator.vendor("yahoo").ws) as socket:
        await socket.send(json.dumps({"subscribe": ["AAPL"]}))
        frame = await socket.recv()
    with pytest.raises(ValueError):
        json.loads(frame)


async def test_recorded_messages_are_served_as_they_are(recordings: Path) -> None:
    lines = (recordings / "yahoo/stream_messages.jsonl").read_text().splitlines()
    async with (
        Simulator(vendors=["yahoo"], recorded=recordings) as simulator,
        asyncio.timeout(PATIENCE_S),
        connect(simulator.vendor("yahoo").ws) as socket,
    ):
        await socket.send(json.dumps({"subscribe": ["AAPL"]}))
        messages = [json.loads(await socket.recv())["message"] for _ in lines]
    assert messages == [json.loads(line)["message"] for line in lines]
