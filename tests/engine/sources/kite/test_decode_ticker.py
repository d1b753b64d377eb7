"""Kite's binary frames, against the official SDK reading the same bytes."""

import base64
import json
import math
import random
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kiteconnect import KiteTicker
from mds_engine.errors import AuthRequired, InvalidPayload, Unavailable
from mds_engine.model import Instrument, Tick
from mds_engine.sources.kite import plugin
from mds_engine.sources.kite.decode_ticker import FIELDS, TickerFrame, decode_frame, decode_ticks

SEGMENTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12)
LENGTHS = (8, 28, 32, 44, 184)


def frame_of(*packets: bytes) -> bytes:
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(one)) + one for one in packets)


def random_packet(chance: random.Random, length: int) -> bytes:
    """Any values at all, in the vendor's layout; the padding of the depth is zero."""
    token = chance.randrange(1 << 23) << 8 | (9 if length in (28, 32) else chance.choice(SEGMENTS))
    octets = bytearray(struct.pack(">I", token) + chance.randbytes(length - 4))
    if length == 184:
        for level in range(10):
            octets[64 + 12 * level + 10 : 64 + 12 * level + 12] = b"\0\0"
        octets[44:48] = octets[60:64] = struct.pack(">I", 1_625_461_887)
    if length == 32:
        octets[28:32] = struct.pack(">I", 1_625_461_887)
    return bytes(octets)


def by_sdk(frame: bytes) -> list[dict[str, Any]]:
    ticks = KiteTicker("key", "token")._parse_binary(frame)
    for tick in ticks:
        tick.pop("change", None)
    return ticks


def epoch(moment: datetime | None) -> float:
    return math.nan if moment is None else moment.timestamp()


def row_of_sdk(tick: dict[str, Any]) -> dict[str, float]:
    """The SDK's tick in our columns."""
    ohlc = tick.get("ohlc", {})
    row = {
        "last_price": tick["last_price"],
        "last_quantity": tick.get("last_traded_quantity"),
        "average_price": tick.get("average_traded_price"),
        "volume": tick.get("volume_traded"),
        "buy_quantity": tick.get("total_buy_quantity"),
        "sell_quantity": tick.get("total_sell_quantity"),
        **{name: ohlc.get(name) for name in ("open", "high", "low", "close")},
        "last_trade_time": epoch(tick.get("last_trade_time")),
        "open_interest": tick.get("oi"),
        "open_interest_high": tick.get("oi_day_high"),
        "open_interest_low": tick.get("oi_day_low"),
        "exchange_time": epoch(tick.get("exchange_timestamp")),
    }
    return {name: math.nan if value is None else float(value) for name, value in row.items()}


def depth_of_sdk(tick: dict[str, Any]) -> np.ndarray:
    if "depth" not in tick:
        return np.full((10, 3), math.nan)
    levels = tick["depth"]["buy"] + tick["depth"]["sell"]
    return np.array([[level["quantity"], level["price"], level["orders"]] for level in levels])


def assert_equals_sdk(frame: bytes) -> None:
    ours, theirs = decode_frame(frame), by_sdk(frame)
    assert len(ours) == len(theirs)
    assert ours.token.tolist() == [tick["instrument_token"] for tick in theirs]
    for place, tick in enumerate(theirs):
        expected = row_of_sdk(tick)
        np.testing.assert_array_equal(ours.values[place], [expected[name] for name in FIELDS])
        np.testing.assert_array_equal(ours.depth[place], depth_of_sdk(tick))
    for tick, theirs_one in zip(decode_ticks(frame, {}), theirs, strict=True):
        assert_tick_equals_sdk(tick, theirs_one)


def none_for_zero(value: float | None) -> float | None:
    return value or None


def assert_tick_equals_sdk(tick: Tick, theirs: dict[str, Any]) -> None:
    ohlc, depth = theirs.get("ohlc", {}), theirs.get("depth", {"buy": [{}], "sell": [{}]})
    bid, ask = depth["buy"][0], depth["sell"][0]
    time = theirs.get("exchange_timestamp")
    assert (tick.instrument, tick.kind.value) == (
        Instrument("KITE", str(theirs["instrument_token"])),
        "quote",
    )
    assert (tick.price, tick.size, tick.volume) == (
        theirs["last_price"],
        theirs.get("last_traded_quantity"),
        theirs.get("volume_traded"),
    )
    assert tick.time_ns == (None if time is None else int(time.timestamp()) * 10**9)
    assert (tick.open, tick.high, tick.low, tick.previous_close) == tuple(
        none_for_zero(ohlc.get(name)) for name in ("open", "high", "low", "close")
    )
    assert (tick.bid, tick.ask) == (none_for_zero(bid.get("price")), none_for_zero(ask.get("price")))
    assert tick.bid_size == (bid["quantity"] if tick.bid else None)
    assert tick.ask_size == (ask["quantity"] if tick.ask else None)
    assert tick.open_interest == none_for_zero(theirs.get("oi"))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("count", [1, 2, 4, 5, 60])
def test_packets_of_one_kind_read_as_the_sdk_reads_them(length: int, count: int) -> None:
    chance = random.Random(f"{length}/{count}")
    assert_equals_sdk(frame_of(*(random_packet(chance, length) for _ in range(count))))


@pytest.mark.parametrize("count", [3, 7, 120])
def test_packets_of_all_kinds_keep_their_order(count: int) -> None:
    chance = random.Random(count)
    assert_equals_sdk(frame_of(*(random_packet(chance, chance.choice(LENGTHS)) for _ in range(count))))


def test_equal_total_but_different_lengths_is_not_taken_for_equal_packets() -> None:
    # 44 + 44 + 44 + 44 + 44 and 8 + 28 + 32 + ... cannot be told apart by the size of the frame alone.
    chance = random.Random(5)
    lengths = (44, 8, 80, 44, 44)
    packets = [random_packet(chance, length) for length in lengths]
    frame = decode_frame(frame_of(*packets))
    assert (len(frame), frame.skipped) == (4, 1)
    assert frame.token.tolist() == [
        int.from_bytes(packet[:4], "big") for packet in packets if len(packet) != 80
    ]


@pytest.mark.parametrize(
    "name",
    ["full_realpayload", "quote_realpayload", "index_quote_full", "ltp", "mixed_5"],
)
def test_recorded_and_built_frames_read_as_the_sdk_reads_them(recordings: Path, name: str) -> None:
    assert_equals_sdk((recordings / f"kite/built/frame_{name}.bin").read_bytes())


@pytest.mark.parametrize("kind", ["full", "quote"])
def test_the_official_packets_say_what_their_json_says(recordings: Path, kind: str) -> None:
    packet = (recordings / f"kite/ticker_{kind}.packet").read_bytes()
    expected = json.loads((recordings / f"kite/ticker_{kind}.json").read_text())
    (tick,) = plugin.decoders["ticker"].decode(packet)
    assert tick.instrument == Instrument("KITE", str(expected["instrument_token"]))
    assert (tick.price, tick.volume) == (expected["last_price"], expected["volume"])
    assert tick.previous_close == expected["ohlc"]["close"]
    if kind == "full":
        assert tick.ask == none_for_zero(expected["depth"]["sell"][0]["price"])
        # The stream's times are true UTC, though the JSON prints them in IST.
        assert tick.time_ns == 1625461887 * 10**9
        assert expected["timestamp"].startswith("2021-07-05T10:41:27")


def test_an_index_has_its_prices_in_another_order_and_no_volume(recordings: Path) -> None:
    quote, full = decode_ticks((recordings / "kite/built/frame_index_quote_full.bin").read_bytes(), {})
    for tick in (quote, full):
        assert tick.high is not None
        assert tick.low is not None
        assert tick.low <= tick.price <= tick.high
        assert (tick.volume, tick.size, tick.bid) == (None, None, None)
    assert quote.time_ns is None
    assert full.time_ns is not None


@pytest.mark.parametrize(
    ("segment", "divisor"), [(1, 100), (3, 10_000_000), (4, 100), (6, 10_000), (7, 100), (12, 10_000)]
)
@pytest.mark.parametrize("copies", [1, 9])
def test_prices_are_divided_by_what_the_segment_says(segment: int, divisor: int, copies: int) -> None:
    packet = struct.pack(">II", 260_617 << 8 | segment, 883_425_000)
    frame = frame_of(*[packet] * copies)
    assert decode_frame(frame).column("last_price").tolist() == [883_425_000 / divisor] * copies
    assert [tick.price for tick in decode_ticks(frame, {})] == [883_425_000 / divisor] * copies


@pytest.mark.parametrize("frame", [b"", b"\0", b"\x01", b"\0\0"])
def test_a_heartbeat_is_an_empty_frame(frame: bytes) -> None:
    assert len(decode_frame(frame)) == 0
    assert decode_frame(frame).token.tolist() == []
    assert decode_ticks(frame, {}) == []


@pytest.mark.parametrize("others", [1, 6])
def test_packets_of_unknown_length_are_passed_over_and_counted(others: int) -> None:
    chance = random.Random(1)
    known = [random_packet(chance, 44) for _ in range(others)]
    # 164 bytes: full packets of the ticker's first version.
    frame = decode_frame(frame_of(known[0], bytes(164), *known[1:], b""))
    assert (len(frame), frame.skipped) == (others, 2)
    assert len(decode_ticks(frame_of(known[0], bytes(164)), {})) == 1


@pytest.mark.parametrize("packets", [1, 2, 8])
def test_a_frame_that_is_cut_anywhere_is_an_invalid_payload(packets: int) -> None:
    chance = random.Random(packets)
    frame = frame_of(*(random_packet(chance, 44) for _ in range(packets)))
    for length in range(2, len(frame)):
        with pytest.raises(InvalidPayload):
            decode_frame(frame[:length])
        with pytest.raises(InvalidPayload):
            decode_ticks(frame[:length], {})


def test_ticks_bear_the_instrument_the_source_and_the_time_of_receipt() -> None:
    infy = Instrument("NSE", "INFY")
    known, unknown = struct.pack(">II", 408065, 157315), struct.pack(">II", 513, 100)
    ticks = decode_ticks(frame_of(known, unknown), {408065: infy}, "zerodha", 42)
    assert [(tick.instrument, tick.source, tick.received_ns) for tick in ticks] == [
        (infy, "zerodha", 42),
        (Instrument("KITE", "513"), "zerodha", 42),
    ]


def test_what_is_not_there_is_absent_not_zero() -> None:
    (tick,) = decode_ticks(frame_of(struct.pack(">I", 408065) + bytes(180)), {})
    assert (tick.bid, tick.bid_size, tick.ask, tick.time_ns, tick.open, tick.open_interest) == (None,) * 6
    assert (tick.size, tick.volume) == (0.0, 0.0)


def test_a_frame_is_decoded_without_copying_its_packets() -> None:
    frame: TickerFrame = decode_frame(frame_of(*[random_packet(random.Random(1), 184)] * 500))
    assert frame.values.shape == (500, len(FIELDS))
    assert frame.depth.shape == (500, 10, 3)
    assert frame.column("close").flags["C_CONTIGUOUS"]


def decode_file(payload: bytes) -> list[Tick]:
    return list(plugin.decoders["ticker"].decode(payload))


def test_a_file_may_hold_frames_or_bare_packets_binary_or_base64(recordings: Path) -> None:
    frame = (recordings / "kite/built/frame_mixed_5.bin").read_bytes()
    expected = decode_ticks(frame, {})
    assert decode_file(frame) == expected
    assert decode_file(frame + frame) == expected * 2
    lines = b"\n".join(base64.b64encode(one) for one in (frame, b"\0", frame))
    assert decode_file(lines + b"\n") == expected * 2
    packet = frame_of(random_packet(random.Random(3), 44))[4:]
    assert decode_file(packet) == decode_ticks(frame_of(packet), {})
    with pytest.raises(InvalidPayload):
        decode_file(frame[:-3])
    with pytest.raises(InvalidPayload):
        decode_file(b"no base64, no JSON")


def test_recorded_texts_are_passed_over_and_their_error_raised(recordings: Path) -> None:
    lines = (recordings / "kite/built/text_messages.jsonl").read_bytes().splitlines()
    for line in lines:
        if b'"error"' in line:
            with pytest.raises(Unavailable, match="string error message"):
                decode_file(line)
        else:
            assert decode_file(line) == []
    with pytest.raises(AuthRequired):
        decode_file(b'{"type":"error","data":"Invalid `access_token`"}')
