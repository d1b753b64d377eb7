"""Where the fields of a message lie: of one layout, all is read alike; what is not as usual has none."""

import base64
import json
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Tick
from mds_engine.sources.yahoo.decode_stream import decode_stream
from mds_engine.sources.yahoo.layout import Layouts, key, layout_of
from mds_engine.sources.yahoo.read_stream import stream_reader

AAPL = b"\x0a\x04AAPL"
PRICE = b"\x15" + struct.pack("<f", 307.2)
TIME = b"\x18\xf0\xe7\x9f\xc5\xf4\x67"
VOLUME = b"\x48\xf4\xf1\x95\x05"
SIZE = b"\xb0\x01\x62"
HINT = b"\xd8\x01\x04"


def test_a_layout_says_where_the_fields_of_a_trade_lie() -> None:
    layout = layout_of(AAPL + PRICE + TIME + VOLUME + SIZE + HINT)
    assert layout is not None
    assert not layout.is_whole
    price = struct.unpack("<f", PRICE[1:])[0]
    assert layout.take(AAPL + PRICE + TIME + VOLUME + SIZE + HINT) == (
        b"AAPL",
        price,
        0xE7F0,
        TIME[3:],
        0xF1F4,
        VOLUME[3:],
        b"\x62",
    )


def test_what_is_absent_is_taken_as_no_bytes() -> None:
    layout = layout_of(AAPL + PRICE)
    assert layout is not None
    assert layout.take(AAPL + PRICE)[2:] == (b"", b"", b"", b"", b"")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        AAPL,
        PRICE + AAPL,
        PRICE,
        b"\x0a\x00" + PRICE,
        AAPL + TIME,
        AAPL + PRICE + PRICE,
        AAPL + PRICE + VOLUME + TIME,
        AAPL + PRICE + TIME[:-1],
        AAPL + PRICE[:-1],
        AAPL + PRICE + b"\x1a\x02ab",
        AAPL + b"\x10\x01" + TIME,
        AAPL + PRICE + b"\x4d\x00\x00\x80\x3f",
        AAPL + PRICE + b"\x18\x83\x01",
        AAPL + PRICE + b"\x48\x02",
        AAPL + PRICE + b"\xb0\x01\x03",
        AAPL + PRICE + b"\x18" + b"\xff" * 9 + b"\x01",
        AAPL + PRICE + b"\x32\x01\x08",
        AAPL + PRICE + b"\x6a\x80\x01" + b"x" * 128,
        AAPL + PRICE + b"\x6a\x7f",
        AAPL + PRICE + b"\x6b\x6c",
        AAPL + PRICE + b"\x80\x80\x01\x00",
    ],
    ids=[
        "nothing",
        "no price",
        "symbol second",
        "no symbol",
        "empty symbol",
        "time for a price",
        "a field twice",
        "other order",
        "number cut short",
        "price cut short",
        "time as text",
        "price as a number",
        "volume as a float",
        "negative",
        "short volume",
        "negative size",
        "too long a number",
        "quote type as text",
        "long text",
        "text cut short",
        "a group",
        "a field of a high number",
    ],
)
def test_what_is_not_laid_out_as_usual_has_no_layout(message: bytes) -> None:
    assert layout_of(message) is None


def test_fields_that_are_not_known_are_passed_over() -> None:
    unknown = b"\xa2\x06\x03abc" + b"\xa8\x06\x81\x01" + b"\xb1\x06" + bytes(8)
    layout = layout_of(AAPL + PRICE + SIZE + unknown)
    assert layout is not None
    assert layout.take(AAPL + PRICE + SIZE + unknown)[-1] == SIZE[2:]


def test_one_of_eight_unknown_messages_is_learned_from_the_first_at_once() -> None:
    layouts = Layouts()
    messages = [AAPL + PRICE + b"\x6a" + bytes((length,)) + b"x" * length for length in range(20)]
    for message in messages:
        layouts.learn(message)
    assert list(layouts) == [key(messages[place]) for place in (0, 8, 16)]


def test_of_the_layouts_of_one_key_the_last_eight_are_kept_the_last_one_first() -> None:
    layouts = Layouts()
    alike = [AAPL + PRICE + b"\x18" + _long(length) + b"\x48" + _long(11 - length) for length in range(2, 10)]
    alike.append(AAPL + PRICE + b"\x18" + _long(4) + b"\x48" + _long(4) + SIZE)
    assert len({key(message) for message in alike}) == 1
    for message in alike:
        for _ in range(8):
            layouts.learn(message)
    expected = [layout_of(message) for message in reversed(alike[1:])]
    assert [known[:2] for known in layouts[key(alike[0])]] == [layout and layout[:2] for layout in expected]


def test_neither_the_shortest_nor_the_longest_messages_are_learned() -> None:
    layouts = Layouts()
    layouts.learn(b"\x0a")
    layouts.learn(AAPL + PRICE + (b"\x6a\x7f" + b"x" * 127) * 4)
    assert not layouts


counts = st.one_of(st.integers(0, 300), st.integers(0, 2**53))
floats = st.floats(2.0**-20, 2.0**20, width=32)
FIELDS = {
    "price": floats,
    "time": counts,
    "quote_type": st.sampled_from((8, 41)),
    "market_hours": st.integers(0, 3),
    "change": floats,
    "day_volume": counts,
    "day_high": floats,
    "day_low": floats,
    "open_price": floats,
    "previous_close": floats,
    "open_interest": counts,
    "last_size": counts,
    "bid": floats,
    "bid_size": counts,
    "ask": floats,
    "ask_size": counts,
    "price_hint": counts,
    "market_cap": st.floats(1, 1e13),
}


@settings(max_examples=500)
@given(st.fixed_dictionaries({}, optional=FIELDS), st.binary(min_size=200, max_size=200))
def test_whatever_else_a_message_of_the_same_layout_holds_it_is_read_as_it_is_parsed(
    fields: dict[str, Any], noise: bytes
) -> None:
    from mds_engine.sources.yahoo.decode_stream import _pricing_type

    message = _pricing_type()(id="AAPL", **fields).SerializeToString()
    layout = layout_of(message)
    assume(layout is not None)
    assert layout is not None
    free = ~(layout.mask | int.from_bytes(bytes(2) + b"\xff" * 4 + bytes(len(message) - 6), "big"))
    number = int.from_bytes(message, "big") & ~free | int.from_bytes(noise[: len(message)], "big") & free
    other = number.to_bytes(len(message), "big")
    read = stream_reader("yahoo")
    assert _outcome(lambda: read(_frame(message), {b"AAPL": [_APPLE]}, 42)) == _outcome(
        lambda: _parsed(message)
    )
    assert _outcome(lambda: read(_frame(other), {b"AAPL": [_APPLE]}, 42)) == _outcome(lambda: _parsed(other))


def _long(length: int) -> bytes:
    return b"\x82" * (length - 1) + b"\x02"


_APPLE = Instrument("NASDAQ", "AAPL")


def _frame(message: bytes) -> str:
    return json.dumps({"type": "pricing", "message": base64.b64encode(message).decode()})


def _parsed(message: bytes) -> list[Tick]:
    return [
        msgspec.structs.replace(tick, instrument=_APPLE, source="yahoo", received_ns=42)
        for _, tick in decode_stream(_frame(message))
    ]


def _outcome(read: Any) -> Any:
    try:
        return read()
    except InvalidPayload as error:
        return str(error)
