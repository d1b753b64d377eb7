"""Yahoo's streamer: subscriptions in JSON, prices as base64 of protobuf inside of JSON."""

import base64
import json
from collections.abc import Iterable

from mds_engine.clock import Clock
from mds_engine.simulator.market import Market
from mds_engine.simulator.push_log import Told
from mds_engine.simulator.recorded import TimedFrame
from mds_engine.simulator.stream import Stream, until_first_ends
from mds_engine.simulator.vendor import Call
from mds_engine.simulator.yahoo import symbols
from mds_engine.simulator.yahoo.pricing import PricingData, encode
from mds_engine.simulator.yahoo.symbols import Symbol

PACE_S = 0.5
"""How often the market is looked at."""

_REGULAR, _POST = 1, 2


class Streamer:
    """One client's connection."""

    def __init__(self) -> None:
        self._seen: dict[Symbol, float | None] = {}
        """Epoch seconds up to which a symbol's trades were told; None for a new one."""

    async def run(self, call: Call, stream: Stream) -> None:
        """Serve until the client leaves."""
        await until_first_ends(self._listen(call, stream), self._tell(call, stream))

    async def replay(self, call: Call, stream: Stream, frames: Iterable[TimedFrame]) -> None:
        """Serve recorded frames, once, from the client's first word on."""
        if await stream.receive() is None:
            return
        await until_first_ends(self._listen(call, stream), _play(call.clock, stream, frames))

    async def _listen(self, call: Call, stream: Stream) -> None:
        while (message := await stream.receive()) is not None:
            self._obey(message, call.market)

    async def _tell(self, call: Call, stream: Stream) -> None:
        while True:
            for told, message in self._moved(call.market_now()):
                await stream.push([(told, message)], _only_frame)
            await call.clock.sleep(PACE_S)

    def _moved(self, market: Market) -> list[tuple[Told, bytes]]:
        now, messages = market.now(), []
        for symbol, seen in self._seen.items():
            if seen is None or market.trade_ids(symbol.instrument, seen, now):
                data = pricing(market, symbol)
                messages.append((_told(symbol, data), encode(data)))
                self._seen[symbol] = now
        return messages

    def _obey(self, message: str | bytes, market: Market) -> None:
        # Whatever it does not understand, the streamer passes over in silence.
        try:
            order = json.loads(message)
        except ValueError:
            return
        if not isinstance(order, dict):
            return
        for text in _texts(order.get("subscribe")):
            symbol = symbols.find(market, text)
            if symbol is not None:
                self._seen.setdefault(symbol, None)
        for text in _texts(order.get("unsubscribe")):
            symbol = symbols.find(market, text)
            if symbol is not None:
                self._seen.pop(symbol, None)


def frame(message: bytes) -> str:
    """A message as version 2 of the protocol sends it."""
    document = {"type": "pricing", "message": base64.b64encode(message).decode()}
    return json.dumps(document, separators=(",", ":"))


def pricing(market: Market, symbol: Symbol) -> PricingData:
    """What is sent of a symbol now: little for shares, more for coins."""
    seen = market.snapshot(symbol.instrument)
    change = seen.last - seen.previous_close
    data = PricingData(
        id=symbol.text,
        price=seen.last,
        time=round(seen.last_time * 1_000),
        exchange=symbol.house.code,
        quote_type=symbol.quote_type.number,
        market_hours=_REGULAR if market.is_open(symbol.instrument) else _POST,
        change_percent=change / seen.previous_close * 100,
        day_volume=int(seen.volume),
        change=change,
        price_hint=symbol.price_hint,
    )
    if symbol.listing.kind == "equity":
        data["last_size"] = int(seen.last_size)
    if symbol.listing.kind == "crypto":
        turnover = int(seen.volume * seen.average)
        data |= PricingData(
            currency=symbol.currency,
            day_volume=turnover,
            day_high=seen.high,
            day_low=seen.low,
            open_price=seen.open,
            last_size=turnover,
            vol_24hr=turnover,
            vol_all_currencies=turnover,
            from_currency=symbol.text.removesuffix("-USD"),
        )
    return data


def _told(symbol: Symbol, data: PricingData) -> Told:
    """What a message says, for the simulator's own log."""
    return Told(
        symbol.instrument,
        "pricing",
        price=data["price"],
        time=data["time"] / 1_000,
        size=data.get("last_size"),
        volume=data["day_volume"],
    )


def _only_frame(messages: list[bytes]) -> str:
    return frame(messages[0])


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


async def _play(clock: Clock, stream: Stream, frames: Iterable[TimedFrame]) -> None:
    start = clock.now()
    for one in frames:
        wait = start + one.at - clock.now()
        if wait > 0:
            await clock.sleep(wait)
        await stream.replay(one.data)
    while True:
        await clock.sleep(PACE_S)
