"""Kite's live stream against the simulated broker, and against one of the test's own making."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    SourceError,
    Unavailable,
)
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import Source, TickStream
from mds_engine.sources.kite import plugin
from mds_engine.sources.kite.decode_batch import TickerDecoder
from websockets.asyncio.server import ServerConnection, serve

from tests.engine.sources.kite.opened import open_stream, running, settings_for, source_of

INFY, RELIANCE = Instrument("NSE", "INFY"), Instrument("NSE", "RELIANCE")


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


class Tap:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.frames: list[str | bytes] = []
        self.notes: list[dict] = []

    def __call__(self, frame: str | bytes, /) -> None:
        self.frames.append(frame)

    def note(self, payload: bytes) -> None:
        self.notes.append(json.loads(payload))


async def test_a_tap_sees_the_frames_and_first_what_their_tokens_are_called(
    source: Source, context, monkeypatch
) -> None:
    tap = Tap()
    monkeypatch.setattr(context, "frame_tap", lambda: tap, raising=False)
    async with open_stream(source) as (stream, got):
        await stream.subscribe([INFY])
        await stream.subscribe([INFY, RELIANCE])
        async with running(stream):
            first = await got.get()
    named = [note["instruments"] for note in tap.notes]
    assert [set(names.values()) for names in named] == [{"NSE:INFY"}, {"NSE:RELIANCE"}]
    decoder = TickerDecoder(
        {int(token): Instrument.parse(name) for token, name in {**named[0], **named[1]}.items()}
    )
    ticks = [tick for frame in tap.frames if isinstance(frame, bytes) for tick in decoder.decode(frame)]
    assert (ticks[0].instrument, ticks[0].price) == (first.instrument, first.price)


def test_kite_says_how_much_it_streams_and_how_finely_it_tells_the_time(context, settings) -> None:
    made = plugin.create(settings, context)
    assert (made.stream_limits.instruments, made.stream_limits.connections) == (3000, 3)
    assert made.tick_time_unit_ns == 1_000_000_000


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
