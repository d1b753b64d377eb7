"""Frames read by the layouts of earlier ones: as the parser of protobuf reads them, whatever is in them."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Tick
from mds_engine.sources.yahoo.decode_stream import decode_stream
from mds_engine.sources.yahoo.read_stream import stream_reader

APPLE, LISTED_TWICE = Instrument("NASDAQ", "AAPL"), Instrument("US", "AAPL")
WANTED = {b"AAPL": [APPLE]}
TRADE = {
    "id": "AAPL",
    "price": 307.2,
    "time": 1_785_937_395_000,
    "exchange": "NMS",
    "quote_type": 8,
    "market_hours": 1,
    "change_percent": -0.7046327,
    "day_volume": 5_422_202,
    "change": -2.179993,
    "last_size": 49,
    "price_hint": 2,
}
DAY = {"day_high": 309.01, "day_low": 301.5, "open_price": 305.77, "previous_close": 309.38}
BOOK = {"bid": 307.19, "bid_size": 200, "ask": 307.21, "ask_size": 1_000}
CRYPTO = {"id": "AAPL", "quote_type": 41, "currency": "USD", "price": 94745.08, "day_volume": 59_712_028_672}


def packed(**fields: object) -> bytes:
    from mds_engine.sources.yahoo.decode_stream import _pricing_type

    return _pricing_type()(**fields).SerializeToString()  # type: ignore[no-any-return]


def frame_of(message: bytes) -> str:
    return json.dumps({"type": "pricing", "message": base64.b64encode(message).decode()})


def parsed(frame: str, received_ns: int = 42) -> list[Tick]:
    """What the parser makes of it, for APPLE."""
    return [
        msgspec.structs.replace(tick, instrument=APPLE, source="yahoo", received_ns=received_ns)
        for symbol, tick in decode_stream(frame)
        if symbol == "AAPL"
    ]


@pytest.mark.parametrize(
    "more", [{}, DAY, BOOK, DAY | BOOK | {"open_interest": 12, "short_name": "Apple"}, CRYPTO]
)
def test_a_second_message_of_a_layout_is_read_as_the_first(more: dict[str, Any]) -> None:
    read = stream_reader("yahoo")
    for step in range(20):
        fields = TRADE | more | {"time": 1_785_937_395_000 + 250 * step, "last_size": 40 + step}
        fields["price"] += 0.01 * step
        fields["day_volume"] += 40 * step
        frame = frame_of(packed(**fields))
        assert read(frame, WANTED, step) == parsed(frame, step)


def test_what_a_message_of_a_known_layout_has_no_use_for_is_not_looked_at() -> None:
    read = stream_reader("yahoo")
    message = packed(**TRADE)
    spoilt = frame_of(message.replace(b"NMS", b"\xff\xff\xff"))
    with pytest.raises(InvalidPayload):
        stream_reader("yahoo")(spoilt, WANTED, 42)
    assert read(frame_of(message), WANTED, 42) == read(spoilt, WANTED, 42)


def test_a_message_whose_layout_differs_by_one_length_is_read_by_what_it_is() -> None:
    read = stream_reader("yahoo")
    for volume, size in (
        (127, 300),
        (128, 3),
        (16_383, 0),
        (16_384, 63),
        (64, 8_191),
        (63, 8_192),
        (2**40, 1),
    ):
        frame = frame_of(packed(**TRADE | {"day_volume": volume, "last_size": size}))
        assert read(frame, WANTED, 42) == parsed(frame)
        assert read(frame, WANTED, 42) == parsed(frame)


def test_messages_of_the_same_lengths_and_other_fields_are_told_apart() -> None:
    read = stream_reader("yahoo")
    for name in ("bid", "ask", "open_price", "bid", "day_high", "day_low", "ask"):
        frame = frame_of(packed(**TRADE | {name: 307.19}))
        assert read(frame, WANTED, 42) == parsed(frame)


def test_the_day_volume_of_crypto_in_the_place_of_a_size_is_no_size() -> None:
    read = stream_reader("yahoo")
    volume, index = 59_712_028_672, {"quote_type": 9}
    sizes = []
    for more in ({}, {}, {"last_size": volume - 1}, index, index, {}):
        frame = frame_of(packed(**TRADE | CRYPTO | {"last_size": volume} | more))
        sizes += [tick.size for tick in read(frame, WANTED, 42)]
    assert sizes == [None, None, volume - 1, volume, volume, None]


@pytest.mark.parametrize("more", [{}, DAY])
def test_a_trade_of_the_whole_day_volume_has_its_size(more: dict[str, Any]) -> None:
    read = stream_reader("yahoo")
    frame = frame_of(packed(**TRADE | {"last_size": 300, "day_volume": 300} | more))
    assert [read(frame, WANTED, 42)[0].size for _ in range(3)] == [300] * 3


@pytest.mark.parametrize(
    "price",
    [
        168.99,
        314.765,
        131071.99,
        150000.1,
        200000.25,
        0.07,
        0.5,
        0.1234567,
        1e-20,
        2.0**24,
        1e30,
        1.0,
        128.0,
        0.0,
    ],
)
@pytest.mark.parametrize("field", ["price", "ask", "open_price"])
def test_prices_are_what_yahoo_meant_by_float32(field: str, price: float) -> None:
    read = stream_reader("yahoo")
    read(frame_of(packed(**TRADE | {field: 300.0})), WANTED, 42)
    names = {"price": "price", "ask": "ask", "open_price": "open"}
    frame = frame_of(packed(**TRADE | {field: price}))
    for tick in (*read(frame, WANTED, 42), *parsed(frame)):
        assert getattr(tick, names[field]) == (price or None)


def test_what_is_wanted_comes_for_each_instrument_of_its_symbol() -> None:
    read = stream_reader("yahoo")
    frame = frame_of(packed(**TRADE))
    for _ in range(3):
        ticks = read(frame, {b"AAPL": [APPLE, LISTED_TWICE]}, 42)
        assert [tick.instrument for tick in ticks] == [APPLE, LISTED_TWICE]
        assert [msgspec.structs.replace(tick, instrument=APPLE) for tick in ticks] == parsed(frame) * 2
        assert read(frame, {b"AAPL": []}, 42) == []
        assert read(frame, {b"MSFT": [APPLE]}, 42) == []
        assert read(frame_of(packed(**TRADE | {"id": "MSFT"})), WANTED, 42) == []
        assert read('{"type":"heartbeat"}', WANTED, 42) == []
        assert read("", WANTED, 42) == []


def test_a_frame_of_version_1_is_read_as_well() -> None:
    read = stream_reader("yahoo")
    message = packed(**TRADE)
    bare = base64.b64encode(message).decode()
    for _ in range(2):
        assert (
            read(bare, WANTED, 42) == read(bare.encode(), WANTED, 42) == read(frame_of(message), WANTED, 42)
        )


def test_every_recorded_message_is_read_the_same_by_its_layout(recordings: Path) -> None:
    read = stream_reader("yahoo")
    for line in (recordings / "yahoo" / "stream_messages.jsonl").read_text().splitlines():
        frame = json.dumps({"type": "pricing", "message": json.loads(line)["message"]})
        ((symbol, tick),) = decode_stream(frame)
        wanted = {symbol.encode(): [tick.instrument]}
        expected = msgspec.structs.replace(tick, source="yahoo")
        for reader in (read, stream_reader("yahoo")):
            assert [reader(frame, wanted, 0) for _ in range(9)] == [[expected]] * 9


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.5])
@pytest.mark.parametrize("field", ["price", "bid", "day_high"])
def test_an_impossible_price_is_an_invalid_payload_in_a_known_layout_too(field: str, value: float) -> None:
    read = stream_reader("yahoo")
    good = TRADE | ({} if field == "price" else {field: 300.0})
    assert read(frame_of(packed(**good)), WANTED, 42)
    with pytest.raises(InvalidPayload, match="impossible price"):
        read(frame_of(packed(**good | {field: value})), WANTED, 42)


def test_what_cannot_be_read_is_an_invalid_payload() -> None:
    read = stream_reader("yahoo")
    message = packed(**TRADE)
    read(frame_of(message), WANTED, 42)
    for bad in (message[:-1], message[:1], message[1:], b"\x08", bytes(len(message))):
        with pytest.raises(InvalidPayload):
            read(frame_of(bad), WANTED, 42)


prices = st.one_of(
    st.integers(0, 99_999_999).map(lambda thousandths: thousandths / 1000), st.floats(0, 2.0**127, width=32)
)
counts = st.one_of(st.integers(0, 300), st.integers(0, 2**53), st.integers(-5, -1))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "price": prices,
    "time": counts,
    "currency": st.text(max_size=4),
    "quote_type": st.sampled_from((8, 41, 300)),
    "change": st.floats(-9, 9, width=32),
    "day_volume": counts,
    "day_high": prices,
    "day_low": prices,
    "short_name": st.text(max_size=140),
    "open_price": prices,
    "previous_close": prices,
    "open_interest": counts,
    "last_size": counts,
    "bid": prices,
    "bid_size": counts,
    "ask": prices,
    "ask_size": counts,
    "price_hint": counts,
    "market_cap": st.floats(0, 1e13),
}
optional = st.fixed_dictionaries({}, optional=FIELDS)


@settings(max_examples=300)
@given(st.lists(optional, min_size=1, max_size=3), st.data())
def test_messages_of_any_layouts_in_any_order_are_read_as_they_are_parsed(
    shapes: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Each message has the fields of one of the shapes, so that layouts come again with other values."""
    read = stream_reader("yahoo")
    for fields in shapes:  # the first of all is learned from at once, so each has its turn
        for known in (read, stream_reader("yahoo")):
            frame = frame_of(packed(id="AAPL", **fields))
            assert known(frame, WANTED, 42) == parsed(frame)
            again = data.draw(st.fixed_dictionaries({name: FIELDS[name] for name in fields}))
            frame = frame_of(packed(id="AAPL", **again))
            assert known(frame, WANTED, 42) == parsed(frame)
