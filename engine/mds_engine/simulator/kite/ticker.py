"""Kite's WebSocket: subscriptions in JSON, ticks in binary, a heartbeat when there is nothing to tell."""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mds_engine.clock import Clock
from mds_engine.simulator.faults import FaultKind
from mds_engine.simulator.kite.bodies import IST
from mds_engine.simulator.kite.instruments import KiteInstrument, KiteInstruments
from mds_engine.simulator.kite.limits import TOKENS_PER_CONNECTION
from mds_engine.simulator.kite.packets import HEARTBEAT, Mode, frame, packet
from mds_engine.simulator.kite.picture import Picture, picture
from mds_engine.simulator.market import Market
from mds_engine.simulator.push_log import Told
from mds_engine.simulator.recorded import TimedFrame
from mds_engine.simulator.stream import Stream, until_first_ends
from mds_engine.simulator.vendor import Call

PACE_S = 0.2
"""How often the market is looked at; what happened in between goes out as one frame."""

HEARTBEAT_S = 1.0
"""The longest silence."""

_AT_A_TIME = 50
_POLICY_VIOLATION = 1008

_MODES: dict[str, Mode] = {"ltp": "ltp", "quote": "quote", "full": "full"}


class Ticker:
    """One client's connection."""

    def __init__(self, instruments: KiteInstruments, session_begun_at: float) -> None:
        self._instruments = instruments
        self._session_begun_at = session_begun_at
        self._subscribed: dict[int, _Subscription] = {}

    async def run(self, call: Call, stream: Stream) -> None:
        """Serve until the client leaves."""
        await self._greet(call.clock, stream)
        await until_first_ends(self._listen(stream), self._tell(call, stream))

    async def replay(self, call: Call, stream: Stream, frames: Iterable[TimedFrame]) -> None:
        """Serve recorded frames, once, from the client's first word on."""
        await self._greet(call.clock, stream)
        if await stream.receive() is None:
            return
        await until_first_ends(self._listen(stream), _play(call.clock, stream, frames))

    async def _greet(self, clock: Clock, stream: Stream) -> None:
        count = len(self._instruments)
        await stream.send(
            json.dumps({"type": "instruments_meta", "data": {"count": count, "etag": f'W/"{count:x}"'}})
        )
        now = datetime.fromtimestamp(clock.wall(), UTC).astimezone(IST).isoformat(timespec="seconds")
        await stream.send(json.dumps({"type": "app_code", "timestamp": now}, separators=(",", ":")))

    async def _listen(self, stream: Stream) -> None:
        while (message := await stream.receive()) is not None:
            complaint = self._obey(message)
            if complaint:
                await stream.send(json.dumps({"type": "error", "data": complaint}, separators=(",", ":")))

    async def _tell(self, call: Call, stream: Stream) -> None:
        quiet_since = call.clock.now()
        while not stream.stands(FaultKind.TOKEN_EXPIRED, since=self._session_begun_at):
            if await self._tell_moves(call, stream):
                quiet_since = call.clock.now()
            elif call.clock.now() - quiet_since >= HEARTBEAT_S:
                await stream.send(HEARTBEAT)
                quiet_since = call.clock.now()
            await call.clock.sleep(PACE_S)
        await stream.close(_POLICY_VIOLATION, "session expired")

    async def _tell_moves(self, call: Call, stream: Stream) -> bool:
        """Send what moved, some instruments at a time: a thousand take long enough to hold up others."""
        told, market = False, call.market_now()
        subscriptions = list(self._subscribed.values())
        for start in range(0, len(subscriptions), _AT_A_TIME):
            packets = _moved(market, subscriptions[start : start + _AT_A_TIME])
            if packets and await stream.push(packets, frame):
                told = True
            await asyncio.sleep(0)
        return told

    def _obey(self, message: str | bytes) -> str | None:
        try:
            order = json.loads(message)
        except ValueError:
            return "Invalid message: not JSON"
        action, value = (order.get("a"), order.get("v")) if isinstance(order, dict) else (None, None)
        if action == "mode" and isinstance(value, list) and len(value) == 2:
            return self._set_mode(value[0], value[1])
        if action == "subscribe" and isinstance(value, list):
            return self._subscribe(value)
        if action == "unsubscribe" and isinstance(value, list):
            for token in value:
                self._subscribed.pop(token, None)
            return None
        return "Invalid message: unknown action"

    def _subscribe(self, tokens: list[Any]) -> str | None:
        for token in tokens:
            instrument = self._instruments.by_token(token) if isinstance(token, int) else None
            if instrument is None or token in self._subscribed:
                continue
            if len(self._subscribed) >= TOKENS_PER_CONNECTION:
                return f"Subscription limit of {TOKENS_PER_CONNECTION} instruments reached"
            self._subscribed[token] = _Subscription(instrument)
        return None

    def _set_mode(self, wanted: object, tokens: object) -> str | None:
        mode = _MODES.get(wanted) if isinstance(wanted, str) else None
        if mode is None or not isinstance(tokens, list):
            return "Invalid message: unknown mode"
        for token in tokens:
            subscription = self._subscribed.get(token)
            if subscription is not None:
                subscription.mode = mode
                subscription.seen = None
        return None


class _Subscription:
    def __init__(self, instrument: KiteInstrument) -> None:
        self.instrument = instrument
        self.mode: Mode = "quote"
        self.seen: float | None = None
        """Epoch seconds up to which its trades were told; None makes the next packet unconditional."""


def _moved(market: Market, subscriptions: Iterable[_Subscription]) -> list[tuple[Told, bytes]]:
    """Packets of the instruments that traded since they were last looked at, and of the new ones."""
    now = market.now()
    packets: list[tuple[Told, bytes]] = []
    for subscription in subscriptions:
        key = subscription.instrument.key
        if subscription.seen is None or market.trade_ids(key, subscription.seen, now):
            seen = picture(market, subscription.instrument, now, with_book=subscription.mode != "ltp")
            packets.append((_told(key, subscription.mode, seen), packet(seen, subscription.mode)))
            subscription.seen = now
    return packets


def _told(instrument: str, mode: Mode, seen: Picture) -> Told:
    """What a packet says, for the simulator's own log."""
    if mode == "ltp" or seen.is_index:
        return Told(instrument, mode, price=seen.last_price)
    return Told(
        instrument,
        mode,
        price=seen.last_price,
        time=seen.last_trade_time if mode == "full" else None,
        size=seen.last_quantity,
        volume=seen.volume,
    )


async def _play(clock: Clock, stream: Stream, frames: Iterable[TimedFrame]) -> None:
    start = clock.now()
    for one in frames:
        wait = start + one.at - clock.now()
        if wait > 0:
            await clock.sleep(wait)
        await stream.replay(one.data)
    while True:
        await clock.sleep(HEARTBEAT_S)
        await stream.send(HEARTBEAT)
