"""Yahoo's streaming messages: one to a Tick, against yfinance's own decode to a dict."""

import json
from base64 import b64encode
from collections.abc import Callable
from random import Random
from string import ascii_uppercase

from mds_engine.model import Instrument
from mds_engine.sources.yahoo.decode_stream import decode_stream
from mds_engine.sources.yahoo.read_stream import stream_reader
from yfinance.live import BaseWebSocket
from yfinance.pricing_pb2 import PricingData

from benchmarks.report import Row
from benchmarks.timing import Times, measure

ABOUT = "Yahoo's streamer, messages of version 2 to Tick objects, against yfinance's json.loads and decode"
ROUNDS, CALLS = 31, 600
DESK_SYMBOLS, DESK_LEARNED, DESK_CALLS = 200, 20_000, 600
_AT_LEAST = 10.0

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
        Row(what="the same, by protobuf's parser, as the first message of a layout is; times as fast",
            value=times.ratio("theirs, short", "parsed"), note=_each(times, "parsed")),
        Row(what="message of a symbol that nobody wants, times as fast",
            value=times.ratio("theirs, full", "unwanted"), note=_each(times, "unwanted")),
        _desk_row(by_yfinance),
    ]  # fmt: skip


def _desk_row(by_yfinance: Callable[[list[str]], None]) -> Row:
    """By itself, for what it leaves in the processor's caches would be the others' loss."""
    desk, wanted = _desk(DESK_LEARNED + DESK_CALLS)
    read = stream_reader("yahoo")
    for message in desk[:DESK_LEARNED]:
        read(message, wanted, 0)
    found = desk[DESK_LEARNED:]

    def by_us() -> None:
        for message in found:
            read(message, wanted, 0)

    contenders = {"theirs": lambda: by_yfinance(found), "ours": by_us}
    times = measure(contenders, rounds=ROUNDS, calls=dict.fromkeys(contenders, 1))
    theirs, ours = _each(times, "theirs", DESK_CALLS), _each(times, "ours", DESK_CALLS)
    return Row(
        what="messages of 200 symbols, of some hundreds of layouts, times as fast",
        value=times.ratio("theirs", "ours"),
        note=f"theirs {theirs}, ours {ours}",
    )


def _row(times: Times, name: str, what: str) -> Row:
    ours = f"ours, {name}"
    return Row(
        what=f"message {what} to a Tick, times as fast",
        value=times.ratio(f"theirs, {name}", ours),
        at_least=_AT_LEAST,
        note=f"theirs {_each(times, f'theirs, {name}')} to a dict, ours {_each(times, ours)}"
        f" = {CALLS / times.seconds(ours) / 1e6:.3g} M messages/s",
    )


def _each(times: Times, name: str, calls: int = CALLS) -> str:
    return f"{times.seconds(name) / calls * 1e6:.3g} us"


def _desk(count: int) -> tuple[list[str], dict[bytes, list[Instrument]]]:
    """Of many symbols, with names, volumes and sizes of many lengths; some bear more than a trade."""
    chance = Random(7)
    lengths = (1, 2, 3, 3, 4, 4, 4, 5, 9)
    names = ["".join(chance.choices(ascii_uppercase, k=chance.choice(lengths))) for _ in range(DESK_SYMBOLS)]
    opened = [chance.randrange(500, 300_000) / 100 for _ in names]
    volumes = [chance.randrange(10**3, 10**8) for _ in names]
    kinds = [{}, {}, _DAY, _BOOK, {**_DAY, **_BOOK}]
    messages = []
    for number in range(count):
        place = chance.randrange(len(names))
        size = min(10**6, int(chance.paretovariate(0.5))) if chance.random() < 0.8 else 0
        volumes[place] += size
        messages.append(
            _message(
                number,
                {
                    **kinds[place % len(kinds)],
                    "id": names[place],
                    "price": opened[place] + chance.randrange(-20, 20) / 100,
                    "day_volume": volumes[place],
                    "last_size": size,
                },
            )
        )
    return messages, {name.encode(): [Instrument("NASDAQ", name)] for name in names}


def _message(number: int, more: dict[str, object]) -> str:
    """Each trade has a price of its own, and so a change of its own; the figures of the day stay."""
    price = 2934.45 + number % CALLS / 100
    pricing = PricingData(
        **{
            "id": "AAPL",
            "price": price,
            "time": 1_750_000_000_000 + 500 * number,
            "exchange": "NMS",
            "quote_type": 8,
            "market_hours": 1,
            "price_hint": 2,
            "change": price - 2921.4,
            "change_percent": price / 29.214 - 100,
            "day_volume": 5_422_202 + 100 * number,
            "last_size": 100,
            **more,
        }
    )
    message = b64encode(pricing.SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": message}, separators=(",", ":"))
