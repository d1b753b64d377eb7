"""Yahoo's streaming messages: one to a Tick, against yfinance's own decode to a dict."""

import json
from base64 import b64encode

from mds_engine.model import Instrument
from mds_engine.sources.yahoo.decode_stream import decode_stream
from mds_engine.sources.yahoo.read_stream import stream_reader
from yfinance.live import BaseWebSocket
from yfinance.pricing_pb2 import PricingData

from benchmarks.report import Row
from benchmarks.timing import Times, measure

ABOUT = "Yahoo's streamer, messages of version 2 to Tick objects, against yfinance's json.loads and decode"
ROUNDS, CALLS = 61, 60
_AT_LEAST = 10.0

_SHORT = {"exchange": "NMS", "quote_type": 8, "market_hours": 1, "price_hint": 2, "last_size": 100}
_DAY = {"open_price": 2918.2, "day_high": 2941.75, "day_low": 2909.05, "previous_close": 2921.4}
_BOOK = {"bid": 2934.4, "ask": 2934.5, "bid_size": 200, "ask_size": 100, "currency": "USD"}
_MORE = {"vol_24hr": 59_712_028_672, "market_cap": 1.87e12, "circulating_supply": 1.98e7, "short_name": "X"}


async def run() -> list[Row]:
    """The rows."""
    theirs = BaseWebSocket("", verbose=False)
    names = {"short": {}, "day": _DAY, "full": {**_DAY, **_BOOK, **_MORE}}
    messages = {name: [_message(number, more) for number in range(CALLS)] for name, more in names.items()}
    read = stream_reader("yahoo")
    wanted = {b"AAPL": [Instrument("NASDAQ", "AAPL")]}
    ours_read = read(messages["full"][0], wanted, 0)[0].price
    their_price = theirs._decode_message(json.loads(messages["full"][0])["message"])["price"]  # noqa: SLF001
    if ours_read != 2934.45 or abs(their_price - 2934.45) > 1e-3:
        raise ValueError(f"the decoders disagree: {ours_read}, {their_price}")

    def by_yfinance(found: list[str]) -> None:
        for message in found:
            theirs._decode_message(json.loads(message)["message"])  # noqa: SLF001  the decode has no other name

    def by_us(found: list[str]) -> None:
        for message in found:
            read(message, wanted, 0)

    def parsed(found: list[str]) -> None:
        for message in found:
            decode_stream(message)

    def unwanted(found: list[str]) -> None:
        for message in found:
            read(message, {}, 0)

    contenders = {}
    for name, found in messages.items():
        contenders[f"theirs, {name}"] = lambda found=found: by_yfinance(found)
        contenders[f"ours, {name}"] = lambda found=found: by_us(found)
    contenders["parsed"] = lambda: parsed(messages["short"])
    contenders["unwanted"] = lambda: unwanted(messages["full"])
    times = measure(contenders, rounds=ROUNDS, calls=dict.fromkeys(contenders, 1))
    return [
        _row(times, "full", "with the day's figures, bid and ask"),
        _row(times, "day", "with the day's figures"),
        _row(times, "short", "with price, size and volume alone"),
        Row(what="the same, by protobuf's parser, as the first message of a layout is",
            value=times.ratio("theirs, short", "parsed"), note=_each(times, "parsed")),
        Row(what="message of a symbol that nobody wants, times as fast",
            value=times.ratio("theirs, full", "unwanted"), note=_each(times, "unwanted")),
    ]  # fmt: skip


def _row(times: Times, name: str, what: str) -> Row:
    ours = f"ours, {name}"
    return Row(
        what=f"message {what} to a Tick, times as fast",
        value=times.ratio(f"theirs, {name}", ours),
        at_least=_AT_LEAST,
        note=f"theirs {_each(times, f'theirs, {name}')} to a dict, ours {_each(times, ours)}"
        f" = {CALLS / times.seconds(ours) / 1e6:.3g} M messages/s",
    )


def _each(times: Times, name: str) -> str:
    return f"{times.seconds(name) / CALLS * 1e6:.3g} us"


def _message(number: int, more: dict[str, object]) -> str:
    """Each trade has a price of its own, and so a change of its own; the figures of the day stay."""
    pricing = PricingData(
        id="AAPL",
        price=2934.45 + number / 20,
        time=1_750_000_000_000 + 500 * number,
        day_volume=5_422_202 + 100 * number,
        change=2934.45 + number / 20 - 2921.4,
        change_percent=(2934.45 + number / 20) / 29.214 - 100,
        **_SHORT,
        **more,
    )
    message = b64encode(pricing.SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": message}, separators=(",", ":"))
