"""Kite sources and their streams, opened and closed for a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mds_engine.config.secret import Secret
from mds_engine.model import Tick
from mds_engine.sources.contract import Source, TickStream
from mds_engine.sources.kite import plugin


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
