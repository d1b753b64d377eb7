"""Recorded frames through the vendors' own decoders, with the notes that they need."""

import base64
import json

import pytest
from mds_engine.errors import InvalidPayload, SourceError
from mds_engine.sources.plugins import find_plugins


@pytest.fixture(scope="module")
def decoder():
    plugins = find_plugins()
    return lambda kind: plugins[kind].frame_decoder("mine")


def named(ticks):
    return [(str(tick.instrument), tick.source, tick.received_ns) for tick in ticks]


def test_kites_tokens_are_named_by_the_notes(decoder, recordings):
    packet = base64.b64decode((recordings / "kite" / "ticker_full.packet").read_bytes())
    frame = b"\x00\x01" + len(packet).to_bytes(2, "big") + packet
    kite = decoder("kite")
    assert named(kite.decode(frame, 5)) == [("KITE:408065", "mine", 5)]
    kite.note(b'{"instruments": {"408065": "NSE:INFY", "5633": "NSE:ACC"}}')
    assert named(kite.decode(frame, 7)) == [("NSE:INFY", "mine", 7)]
    assert list(kite.decode(b"\x00", 7)) == []


def test_kites_texts_give_no_ticks_and_its_errors_are_raised(decoder):
    kite = decoder("kite")
    assert list(kite.decode(b'{"type": "order", "data": {}}', 1)) == []
    with pytest.raises(SourceError):
        kite.decode(b'{"type": "error", "data": "Invalid `api_key` or `access_token`."}', 1)
    with pytest.raises(InvalidPayload):
        kite.decode(b'{"type": ', 1)
    with pytest.raises(InvalidPayload):
        kite.note(b'{"instruments": ["NSE:INFY"]}')


def test_yahoos_symbols_have_the_desks_names_where_they_are_noted(decoder, recordings):
    lines = (recordings / "yahoo" / "stream_messages.jsonl").read_text().splitlines()
    message = next(json.loads(line) for line in lines if line.strip())
    frame = next(value for value in message.values() if isinstance(value, str) and len(value) > 60).encode()
    yahoo = decoder("yahoo")
    (before,) = yahoo.decode(frame, 3)
    assert named([before]) == [(str(before.instrument), "mine", 3)]
    other = f"BATS:{before.instrument.symbol}"
    yahoo.note(json.dumps({"instruments": [other, str(before.instrument)]}).encode())
    assert {str(tick.instrument) for tick in yahoo.decode(frame, 3)} == {other, str(before.instrument)}
    with pytest.raises(InvalidPayload):
        yahoo.note(b"[]")


def test_binance_needs_no_notes(decoder):
    binance = decoder("binance")
    binance.note(b"anything")
    frame = b'{"u":1,"s":"BNBUSDT","b":"25.35","B":"31.21","a":"25.36","A":"40.66"}'
    assert named(binance.decode(frame, 9)) == [("BINANCE:BNBUSDT", "mine", 9)]


def test_a_vendor_without_a_stream_has_no_decoder_of_frames():
    assert find_plugins()["alphavantage"].frame_decoder is None
