"""A server that answers at once, in a process of its own: `python -m benchmarks.loopback_server`.

It speaks just enough of HTTP and of Binance to be asked for quotes. It prints
its port and ends when its standard input does.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\n"
    b"x-mbx-used-weight-1m: 2\r\nContent-Length: %d\r\n\r\n"
)
_TICKER = {
    "symbol": "?", "priceChange": "-94.99999800", "priceChangePercent": "-0.960",
    "weightedAvgPrice": "104296.28482", "prevClosePrice": "104100.02000", "lastPrice": "104250.00000200",
    "lastQty": "0.20000000", "bidPrice": "104250.00000000", "bidQty": "1.00000000",
    "askPrice": "104250.00000200", "askQty": "1.10000000", "openPrice": "104299.00000000",
    "highPrice": "105100.00000000", "lowPrice": "103000.10000000", "volume": "8913.30000000",
    "quoteVolume": "921532145.30000000", "openTime": 1749913600040, "closeTime": 1750000000040,
    "firstId": 28385, "lastId": 28460, "count": 76,
}  # fmt: skip
_BEFORE, _AFTER = json.dumps(_TICKER, separators=(",", ":")).encode().split(b"?")
_OTHER = b'{"rateLimits":[]}'


class _Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._unread = (self._unread + data).split(b"\r\n\r\n")
        for request in requests:
            target = request.split(b" ", 2)[1]
            symbol = target.partition(b"symbol=")[2]
            body = _BEFORE + symbol + _AFTER if b"ticker" in target else _OTHER
            self._transport.write(_REPLY % len(body) + body)


@contextmanager
def loopback_server() -> Iterator[str]:
    """Its base URL while it runs."""
    command = [sys.executable, "-m", "benchmarks.loopback_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
