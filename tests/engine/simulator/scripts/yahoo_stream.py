"""yfinance's AsyncWebSocket against the simulator, unmodified but for its URL: prints what it decoded.

Arguments: WebSocket URL, number of messages wanted of each symbol, then symbols.
"""

import asyncio
import json
import logging
import sys
from collections import Counter

import yfinance as yf


async def main(url: str, wanted: str, *names: str) -> None:
    logging.disable(logging.CRITICAL)
    received: list[dict] = []
    enough = asyncio.Event()

    def on_message(message: dict) -> None:
        received.append(message)
        counts = Counter(one["id"] for one in received)
        if all(counts[name] >= int(wanted) for name in names):
            enough.set()

    async with yf.AsyncWebSocket(url=url, verbose=False) as socket:
        await socket.subscribe(list(names))
        listening = asyncio.create_task(socket.listen(on_message))
        await enough.wait()
        listening.cancel()
    json.dump(received, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
