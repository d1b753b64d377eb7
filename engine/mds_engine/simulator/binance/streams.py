"""One WebSocket connection: subscriptions, pushes, pings, limits, and the end after 24 hours.

Rules: developers.binance.com, "WebSocket Streams for Binance".
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from mds_engine.clock import Clock
from mds_engine.simulator.binance.feeds import Feed, make_feed, stamp
from mds_engine.simulator.binance.recordings import play
from mds_engine.simulator.push_log import Told
from mds_engine.simulator.stream import Stream, until_first_ends
from mds_engine.simulator.vendor import Call, Vendor


@dataclass(frozen=True, slots=True)
class StreamRules:
    """The server's side of the contract; the defaults are Binance's."""

    ping_every_s: float = 20.0
    pong_within_s: float = 60.0
    longest_connection_s: float = 86_400.0
    shutdown_notice_s: float = 600.0
    """serverShutdown is sent this long before the end."""
    messages_per_s: int = 5
    most_streams: int = 1_024
    step_s: float = 0.05
    """How often a connection looks for what is due."""
    recorded_pace: float = 0.0
    """Recorded frames: 1 plays them as they came, 10 ten times faster, 0 as fast as they are taken."""


class Connection:
    """Serves one client until either side has had enough."""

    def __init__(self, vendor: Vendor, call: Call, stream: Stream, rules: StreamRules, listed: int) -> None:
        self._vendor = vendor
        self._call = call
        self._stream = stream
        self._rules = rules
        self._listed = listed
        self._clock: Clock = call.clock
        self._combined = call.request.path == "/stream"
        micro = call.query.get("timeUnit", "").upper() == "MICROSECOND"
        self._unit = 1_000_000 if micro else 1_000
        self._feeds: dict[str, Feed | None] = {}
        self._arrivals: deque[float] = deque()
        self._unanswered: dict[bytes, float] = {}
        self._playing: asyncio.Queue[list[str]] = asyncio.Queue()
        stream.on_ping = lambda _: self._count_message()
        stream.on_pong = self._pong
        stream.on_shutdown = self._announce_shutdown

    async def serve(self) -> None:
        """Run until the client leaves or is sent away."""
        self._subscribe(self._names_in_url())
        push = self._push if self._vendor.folder is None else self._play
        await until_first_ends(self._listen(), push(), self._keep_alive(), self._end_in_time())

    def _names_in_url(self) -> list[str]:
        if self._combined:
            joined = self._call.query.get("streams", "")
        else:
            joined = self._call.request.match_info.get("streams", "")
        return [name for name in joined.split("/") if name]

    # What the client says.

    async def _listen(self) -> None:
        while (message := await self._stream.receive()) is not None:
            self._count_message()
            answer = self._obey(message)
            await self._stream.send(msgspec.json.encode(answer).decode())

    def _obey(self, message: str | bytes) -> Any:
        try:
            request = msgspec.json.decode(message)
        except msgspec.DecodeError as error:
            return {"code": 3, "msg": f"Invalid JSON: {error}"}
        if not isinstance(request, dict):
            return {"code": 2, "msg": "Invalid request: request must be a JSON object"}
        number = request.get("id")
        if not _is_id(number):
            return {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer or a string"}
        return {**self._result(request), "id": number}

    def _result(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request.get("method"), request.get("params", [])
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(self._feeds)}
        if not isinstance(params, list):
            return {"code": 2, "msg": "Invalid request: params must be an array"}
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            if not all(isinstance(name, str) for name in params) or not params:
                return {"code": 2, "msg": "Invalid request: params must be an array of stream names"}
            return self._subscribe(params) if method == "SUBSCRIBE" else self._unsubscribe(params)
        if method in ("SET_PROPERTY", "GET_PROPERTY"):
            return self._property(method, params)
        return {"code": 2, "msg": f"Invalid request: unknown variant {method!r}"}

    def _subscribe(self, names: list[str]) -> dict[str, Any]:
        new = [name for name in names if name not in self._feeds]
        if len(self._feeds) + len(new) > self._rules.most_streams:
            limit = self._rules.most_streams
            return {"code": 2, "msg": f"Invalid request: a connection takes at most {limit} streams"}
        market = self._call.market_now()
        for name in new:
            self._feeds[name] = make_feed(name, market, market.now(), self._listed)
        self._playing.put_nowait(new)
        return {"result": None}

    def _unsubscribe(self, names: list[str]) -> dict[str, Any]:
        for name in names:
            self._feeds.pop(name, None)
        return {"result": None}

    def _property(self, method: str, params: list[Any]) -> dict[str, Any]:
        if not params or params[0] != "combined":
            return {"code": 0, "msg": "Unknown property"}
        if method == "GET_PROPERTY":
            return {"result": self._combined}
        if len(params) != 2 or not isinstance(params[1], bool):
            return {"code": 1, "msg": "Invalid value type: expected Boolean"}
        self._combined = params[1]
        return {"result": None}

    def _count_message(self) -> None:
        now = self._clock.now()
        while self._arrivals and self._arrivals[0] <= now - 1.0:
            self._arrivals.popleft()
        self._arrivals.append(now)
        if len(self._arrivals) > self._rules.messages_per_s:
            # Pings, pongs and requests all count, and the server does not say goodbye.
            self._stream.abort()
            raise ConnectionResetError("too many messages")

    # What the server says.

    async def _push(self) -> None:
        while True:
            market = self._call.market_now()
            now = market.now()
            for name, feed in list(self._feeds.items()):
                if feed is not None and feed.due <= now:
                    for payload in feed.payloads(market, now, self._unit):
                        await self._stream.push(
                            told_by(name, payload, self._unit), partial(self._frame, name)
                        )
            await self._clock.sleep(self._rules.step_s)

    async def _play(self) -> None:
        while True:
            names = await self._playing.get()
            folder = self._vendor.folder
            if folder is not None:
                await play(
                    folder, names, self._stream, self._clock, self._rules.recorded_pace, self._combined
                )

    def _frame(self, name: str, payloads: list[Any]) -> str:
        # Only the streams of all symbols bring several payloads, and those bring a list.
        payload = payloads if name.startswith("!") else payloads[0]
        return msgspec.json.encode({"stream": name, "data": payload} if self._combined else payload).decode()

    async def _keep_alive(self) -> None:
        while True:
            await self._clock.sleep(self._rules.ping_every_s)
            now = self._clock.now()
            if any(now - sent >= self._rules.pong_within_s for sent in self._unanswered.values()):
                self._stream.abort()
                return
            payload = str(round(self._clock.wall() * 1000)).encode()
            self._unanswered[payload] = now
            await self._stream.ping(payload)

    def _pong(self, payload: bytes) -> None:
        self._count_message()
        # Only a copy of a ping's payload counts as its answer.
        if payload in self._unanswered:
            self._unanswered.clear()

    async def _end_in_time(self) -> None:
        rules = self._rules
        notice_s = min(rules.shutdown_notice_s, rules.longest_connection_s)
        await self._clock.sleep(rules.longest_connection_s - notice_s)
        await self._announce_shutdown()
        await self._clock.sleep(notice_s)
        await self._stream.close(1001, "connection lifetime is over")

    async def _announce_shutdown(self) -> None:
        event = {"e": "serverShutdown", "E": stamp(self._clock.wall(), self._unit)}
        frame = {"stream": "!serverShutdown", "data": event} if self._combined else event
        await self._stream.send(msgspec.json.encode(frame).decode())


def told_by(name: str, payload: Any, unit: int) -> list[tuple[Told, Any]]:
    """What a payload of a stream says, for the simulator's own log; `unit` is time units per second."""
    symbol, _, kind = name.partition("@")
    if isinstance(payload, list):
        kind = symbol.removeprefix("!")
        return [(Told(f"BINANCE:{one['s']}", kind, price=float(one["c"])), one) for one in payload]
    instrument = f"BINANCE:{symbol.upper()}"
    if kind in ("trade", "aggTrade"):
        told = Told(
            instrument,
            kind,
            price=float(payload["p"]),
            time=payload["T"] / unit,
            size=float(payload["q"]),
            number=payload["t" if kind == "trade" else "a"],
        )
    elif "c" in payload:
        told = Told(instrument, kind, price=float(payload["c"]), volume=float(payload["v"]))
    else:
        told = Told(instrument, kind, number=payload.get("u"))
    return [(told, payload)]


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 36
    return value is None or (isinstance(value, int) and not isinstance(value, bool))
