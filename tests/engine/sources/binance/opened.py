"""Binance sources and their streams, opened and closed for a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mds_engine.model import Tick
from mds_engine.sources.binance import plugin
from mds_engine.sources.contract import Source, TickStream


@asynccontextmanager
async def source_at(context, http: tuple[str, ...], ws: tuple[str, ...] = ()) -> AsyncIterator[Source]:
    settings = plugin.settings(
        kind="binance", endpoints=http, stream_endpoints=ws or ("ws://127.0.0.1:1",), timeout_s=2.0
    )
    source = plugin.create(settings, context)
    await source.connect()
    try:
        yield source
    finally:
        await source.close()


@asynccontextmanager
async def open_stream(source: Source) -> AsyncIterator[tuple[TickStream, list[Tick], asyncio.Event]]:
    got: list[Tick] = []
    came = asyncio.Event()

    def deliver(ticks) -> None:
        got.extend(ticks)
        came.set()

    stream = source.stream(deliver)
    await stream.open()
    try:
        yield stream, got, came
    finally:
        await stream.close()
        await stream.close()
