"""A vendor whose streams send prepared frames when told: a process of its own, so that who is measured has a
core for itself.

The first segment of a client's path is its name. `StreamServer` is the handle;
the process speaks JSON lines on its standard input and output.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed

from benchmarks.stream_frames import aggregate_trade, aggregate_trades, kite_frames, kite_token, on_the_wire

_PIECE = 256 * 1024
_MOST_UNSENT = 2 * _PIECE
_CLIENT_WITHIN_S = 20.0
_STEP_S = 0.01
_LIST_HEAD = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
LISTED = 3000
"""Instruments in the list that a Kite source asks for."""


class StreamServer:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.port: int = self._read()["port"]

    def url(self, name: str, scheme: str = "ws") -> str:
        """Where the client of that name connects to."""
        return f"{scheme}://127.0.0.1:{self.port}/{name}"

    def make(self, kind: str, count: int, *, packets: int = 0) -> None:
        """Prepare the next frames: `binance` or `kite`."""
        self._ask(make=kind, count=count, packets=packets)

    def send(self, name: str, after_messages: int) -> int:
        """Send what was prepared as fast as the client takes it, once it has sent so many messages.

        Returns the monotonic nanosecond at which it began.
        """
        return int(self._ask(send=name, after_messages=after_messages)["began_ns"])

    def send_paced(self, name: str, after_messages: int, a_second: float) -> list[int]:
        """Send what was prepared one by one. Returns the monotonic nanosecond of each."""
        return list(self._ask(send=name, after_messages=after_messages, a_second=a_second)["sent_ns"])

    def load(self, name: str, instruments: int, a_second: float, for_s: float) -> dict[str, int]:
        """Send trades of all that the clients of that name have subscribed, once these are so many.

        Returns how many of them each symbol had.
        """
        told = self._ask(send=name, instruments=instruments, a_second=a_second, for_s=for_s)
        return dict(told["sent"])

    def _ask(self, **command: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "the server died"}')
        if "error" in told:
            raise RuntimeError(told["error"])
        return told


@contextmanager
def stream_server() -> Iterator[StreamServer]:
    """One, while it runs."""
    command = [sys.executable, "-m", "benchmarks.stream_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield StreamServer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


class _Vendor:
    def __init__(self) -> None:
        self._clients: dict[str, ServerConnection] = {}
        self._asked: Counter[str] = Counter()
        """Messages from each client."""
        self._made: dict[str, int] = {}
        self._frames: list[bytes] = []
        self._subscribed: dict[ServerConnection, list[str]] = {}

    async def serve(self) -> None:
        async with serve(
            self._client, "127.0.0.1", 0, compression=None, ping_interval=None, process_request=_answer
        ) as server:
            _tell(port=server.sockets[0].getsockname()[1])
            loop = asyncio.get_running_loop()
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                try:
                    _tell(**await self._obey(**json.loads(line)))
                except TimeoutError:
                    _tell(error=f"no client for {line.strip()}")

    async def _client(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        name = _name_of(connection.request.path)
        self._clients[name] = connection
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                self._asked[name] += 1
                if b"@aggTrade" in (asked := message if isinstance(message, bytes) else message.encode()):
                    names = [one.partition("@")[0].upper() for one in json.loads(asked)["params"]]
                    self._subscribed.setdefault(connection, []).extend(names)

    async def _obey(
        self,
        *,
        make: str = "",
        count: int = 0,
        packets: int = 0,
        send: str = "",
        after_messages: int = 0,
        a_second: float = 0.0,
        instruments: int = 0,
        for_s: float = 0.0,
    ) -> dict[str, object]:
        if make:
            first = self._made.get(make, 0)
            self._made[make] = first + count
            binary = make == "kite"
            payloads = kite_frames(first, count, packets) if binary else aggregate_trades(first, count)
            self._frames = [on_the_wire(payload, binary=binary) for payload in payloads]
            return {}
        async with asyncio.timeout(_CLIENT_WITHIN_S):
            while send not in self._clients or self._asked[send] < after_messages:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while sum(map(len, self._subscribed.values())) < instruments:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        if instruments:
            return {"sent": await _load(self._subscribed, a_second, for_s)}
        transport = self._clients[send].transport
        if a_second:
            return {"sent_ns": await _pace(transport, self._frames, a_second)}
        return {"began_ns": await _flood(transport, _pieces(self._frames))}


def _pieces(frames: list[bytes]) -> list[bytes]:
    """Of whole frames, for a pong may go out between two of them."""
    each = max(1, _PIECE // len(frames[0]))
    return [b"".join(frames[start : start + each]) for start in range(0, len(frames), each)]


async def _flood(transport: asyncio.Transport, pieces: list[bytes]) -> int:
    began_ns = time.monotonic_ns()
    for piece in pieces:
        while transport.get_write_buffer_size() > _MOST_UNSENT:  # noqa: ASYNC110  it is the loop that sends
            await asyncio.sleep(0)
        transport.write(piece)
    return began_ns


async def _pace(transport: asyncio.Transport, frames: list[bytes], a_second: float) -> list[int]:
    """At even distances, waited for without sleep: a sleep wakes up a millisecond late, for five frames at
    once."""
    sent_ns: list[int] = []
    due_ns, step_ns = time.monotonic_ns(), int(1e9 / a_second)
    for frame in frames:
        due_ns += step_ns
        while (now_ns := time.monotonic_ns()) < due_ns:
            pass
        sent_ns.append(now_ns)
        transport.write(frame)
    return sent_ns


async def _load(
    subscribed: dict[ServerConnection, list[str]], a_second: float, for_s: float
) -> dict[str, int]:
    """Trades of all symbols in turn, a hundredth of a second's at a time."""
    everyone = [(connection, symbol) for connection, symbols in subscribed.items() for symbol in symbols]
    sent = {symbol: 0 for _, symbol in everyone}
    began, done = time.monotonic(), 0
    while (passed_s := time.monotonic() - began) < for_s:
        out: dict[ServerConnection, list[bytes]] = {connection: [] for connection in subscribed}
        due = int(passed_s * a_second)
        for number in range(done, due):
            connection, symbol = everyone[number % len(everyone)]
            out[connection].append(on_the_wire(aggregate_trade(symbol, sent[symbol], number)))
            sent[symbol] += 1
        done = due
        for connection, frames in out.items():
            connection.transport.write(b"".join(frames))
        await asyncio.sleep(_STEP_S)
    return sent


def _answer(_connection: ServerConnection, request: Request) -> Response | None:
    """What a source asks over HTTP; None lets a WebSocket in."""
    if "Upgrade" in request.headers:
        return None
    path = request.path.partition("?")[0]
    if "/instruments" in path:
        return _reply("text/csv", _kite_list())
    return _reply("application/json", b'{"status":"success","data":{},"rateLimits":[]}')


def _reply(kind: str, body: bytes) -> Response:
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body))})
    return Response(HTTPStatus.OK, "OK", headers, body)


def _kite_list() -> bytes:
    lines = [_LIST_HEAD]
    for number in range(LISTED):
        token = kite_token(number)
        lines.append(f"{token},{token >> 8},S{number},S{number},0.0,,0.0,0.05,1,EQ,NSE,NSE")
    return "\n".join(lines).encode()


def _name_of(path: str) -> str:
    return path.lstrip("/").partition("?")[0].partition("/")[0]


def _tell(**told: object) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(_Vendor().serve())
