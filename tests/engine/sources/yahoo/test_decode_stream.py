"""The streamer's frames, versions 1 and 2."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, TickKind
from mds_engine.sources.yahoo import plugin
from mds_engine.sources.yahoo.decode_stream import decode_stream

AAPL = "CgRBQVBMFZqZmUMY8PTPovpnKgNOTVMwCDgBRc9iNL9I9PGVBWUAhQvAsAFi2AEE"
BITCOIN = (
    "CgdCVEMtVVNEFYoMuUcYwLCVgIplIgNVU0QqA0NDQzApOAFFPWrEP0iAgOrxvANVx/25R12csrRHZYD8skR9/7i0R7ABgIDq8bwD2AEE"
    "4AGAgOrxvAPoAYCA6vG8A/IBA0JUQ4ECAAAAwPrjckGJAgAA2P5ZT3tC"
)


def test_both_versions_of_the_frame_say_the_same() -> None:
    ((symbol, tick),) = decode_stream(AAPL)
    assert symbol == "AAPL"
    assert tick.instrument == Instrument("NASDAQ", "AAPL")
    assert tick.kind is TickKind.QUOTE
    assert (tick.price, tick.size, tick.volume) == (307.2, 49, 5422202)
    assert decode_stream(json.dumps({"type": "pricing", "message": AAPL})) == [(symbol, tick)]
    assert decode_stream(AAPL.encode() + b"\n") == [(symbol, tick)]


def test_the_time_is_zigzag_milliseconds() -> None:
    ((_, tick),) = decode_stream(BITCOIN)
    assert tick.time_ns == 1_736_509_140_000 * 10**6


def test_prices_are_what_yahoo_meant_by_float32() -> None:
    ((_, tick),) = decode_stream(BITCOIN)
    assert (tick.price, tick.open, tick.high, tick.low) == (94745.08, 92529.99, 95227.555, 92517.22)


def test_zero_is_left_out_and_so_absent() -> None:
    ((_, tick),) = decode_stream(AAPL)
    assert [tick.open, tick.bid, tick.ask, tick.previous_close, tick.open_interest] == [None] * 5


def test_the_day_volume_of_crypto_in_the_place_of_a_size_is_no_size() -> None:
    ((_, tick),) = decode_stream(BITCOIN)
    assert tick.volume == 59712028672
    assert tick.size is None


def test_every_recorded_message_is_read(recordings: Path) -> None:
    lines = (recordings / "yahoo" / "stream_messages.jsonl").read_bytes().splitlines()
    ticks = [tick for line in lines for tick in plugin.decoders["stream"].decode(line)]
    assert [tick.price for tick in ticks] == [94745.08, 168.99, 307.2, 314.765]


PRICES = {
    "price": "price", "bid": "bid", "ask": "ask", "open": "open_price", "high": "day_high", "low": "day_low",
    "previous_close": "previous_close",
}  # fmt: skip
COUNTS = {
    "size": "last_size", "volume": "day_volume", "bid_size": "bid_size", "ask_size": "ask_size",
    "open_interest": "open_interest",
}  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(list(PRICES)), st.integers(0, 999_999_999).map(lambda thousandths: thousandths / 1000)
    ),
    st.dictionaries(st.sampled_from(list(COUNTS)), st.integers(0, 2**53)),
    st.sampled_from((8, 41)),
)
def test_whatever_fields_a_message_has_are_those_of_the_tick(
    prices: dict[str, float], counts: dict[str, int], quote_type: int
) -> None:
    from mds_engine.sources.yahoo.decode_stream import _pricing_type

    fields = {PRICES[name]: value for name, value in prices.items()}
    fields |= {COUNTS[name]: value for name, value in counts.items()}
    message = _pricing_type()(id="X", quote_type=quote_type, **fields)
    ((_, tick),) = decode_stream(base64.b64encode(message.SerializeToString()))
    for name in PRICES:
        value = prices.get(name)
        assert getattr(tick, name) == (float(str(np.float32(value))) if value else None)
    if quote_type == 41 and counts.get("size") == counts.get("volume"):
        counts.pop("size", None)
    for name in COUNTS:
        assert getattr(tick, name) == (counts.get(name) or None)


def test_our_reading_agrees_with_yfinance() -> None:
    from yfinance.live import BaseWebSocket

    for message in (AAPL, BITCOIN):
        theirs = BaseWebSocket("", verbose=False)._decode_message(message)
        ((symbol, tick),) = decode_stream(message)
        assert symbol == theirs["id"]
        assert tick.price == pytest.approx(theirs["price"], rel=1e-7)
        assert tick.time_ns == int(theirs["time"]) * 10**6
        assert tick.volume == float(theirs["day_volume"])


def test_a_frame_of_another_type_bears_no_tick() -> None:
    assert decode_stream('{"type":"heartbeat"}') == []
    assert decode_stream("") == []


@pytest.mark.parametrize(
    "frame",
    [
        "not base64!",
        AAPL[:-12],
        '{"type":"pricing","message":',
        '{"type":"pricing","message":"not base64!"}',
        f'{{"type":"pricing","message":"{AAPL[:-12]}"}}',
        base64.b64encode(b"\x15\x00\x00\x80\x3f").decode(),
        base64.b64encode(b"\x0a\x04AAPL\x15\x00\x00\xc0\x7f").decode(),
        base64.b64encode(b"\x0a\x04AAPL\x15\x00\x00\x80\xbf").decode(),
    ],
    ids=[
        "text",
        "cut short",
        "JSON cut short",
        "text in JSON",
        "cut short in JSON",
        "no symbol",
        "NaN",
        "negative",
    ],
)
def test_what_cannot_be_read_is_an_invalid_payload(frame: str) -> None:
    with pytest.raises(InvalidPayload):
        decode_stream(frame)
