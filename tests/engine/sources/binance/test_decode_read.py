"""Frames that came at once, most of them recorded: they read as they do one by one."""

import gzip
from pathlib import Path

import pytest
from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, TickKind
from mds_engine.model.tick_read import TickRead
from mds_engine.sources.binance.decode_read import ReadDecoder
from mds_engine.sources.binance.decode_stream import StreamDecoder

TRADE = (
    '{"e":"%(event)s","E":1723161255343,"s":"%(symbol)s","%(key)s":%(number)d,"p":"61837.63000000",'
    '"q":"0.02000000","T":1723161255342,"m":true,"M":true}'
)


def frame(name: str, number: int) -> bytes:
    symbol, _, event = name.partition("@")
    key = "a" if event == "aggTrade" else "t"
    data = TRADE % {"event": event, "symbol": symbol.upper(), "key": key, "number": number}
    return f'{{"stream":"{name}","data":{data}}}'.encode()


def read(decoder: ReadDecoder, frames: list[bytes]) -> TickRead:
    found = TickRead()
    decoder.decode(frames, 7, found)
    return found


def test_a_recording_reads_as_it_does_one_by_one(recordings: Path) -> None:
    log = recordings / "binance/ws_spot_btcusdt_20240808_head.hftbacktest.log.gz"
    frames = [line.split(b" ", 1)[1].strip() for line in gzip.decompress(log.read_bytes()).splitlines()]
    alone, decoder = StreamDecoder("bin"), ReadDecoder("bin")
    at_once, with_trades = [], 0
    for start in range(0, len(frames), 7):
        came = read(decoder, frames[start : start + 7])
        at_once += came
        if came and came.trades is not None:
            with_trades += 1
            assert [tick for run in came.trades.values() for tick in run] == came
            assert {tick.kind for tick in came} == {TickKind.TRADE}
    assert at_once == [tick for one in frames for tick in alone.decode(one, 7)]
    assert with_trades > 10


@pytest.mark.parametrize("event", ["trade", "aggTrade"])
def test_trades_are_told_by_instrument_once_their_streams_are_known(event: str) -> None:
    decoder = ReadDecoder("bin")
    names = [f"{symbol}@{event}" for symbol in ("btcusdt", "x", "1000000mogusdt")]
    first = read(decoder, [frame(name, 1) for name in names])
    assert first.trades is None
    assert len(first) == 3
    came = read(decoder, [frame(name, number) for number in (2, 3) for name in names])
    assert came == [StreamDecoder("bin").decode(frame(name, n), 7)[0] for n in (2, 3) for name in names]
    assert came.trades == {
        Instrument("BINANCE", name.partition("@")[0].upper()): came[place::3]
        for place, name in enumerate(names)
    }
    again = read(decoder, [frame(names[0], 4)])
    assert again.trades == {Instrument("BINANCE", "BTCUSDT"): list(again)}


def test_times_in_microseconds_read_as_they_do_one_by_one() -> None:
    decoder, name = ReadDecoder("bin"), "btcusdt@trade"
    frames = [frame(name, n).replace(b'"T":1723161255342', b'"T":1723161255342123') for n in (1, 2, 3)]
    read(decoder, frames[:1])
    came = read(decoder, frames[1:])
    assert came.trades is not None
    assert came == [StreamDecoder("bin").decode(one, 7)[0] for one in frames[1:]]
    assert came[0].time_ns == 1_723_161_255_342_123_000


def test_a_read_with_something_else_in_it_is_told_in_its_order_alone() -> None:
    decoder = ReadDecoder("bin")
    read(decoder, [frame("btcusdt@trade", 1)])
    book = b'{"stream":"btcusdt@bookTicker","data":{"u":9,"s":"BTCUSDT","b":"1.0","B":"2","a":"1.1","A":"3"}}'
    came = read(decoder, [frame("btcusdt@trade", 2), book, frame("btcusdt@trade", 3)])
    assert [tick.sequence for tick in came] == [2, 9, 3]
    assert came.trades is None
    assert read(decoder, [frame("btcusdt@trade", 4), b'{"result":null,"id":1}']).trades is not None


def test_a_name_too_long_to_be_told_by_its_first_bytes_is_read_all_the_same() -> None:
    decoder = ReadDecoder("bin")
    names = ["a" * 26 + f"{end}@trade" for end in ("1usdt", "2usdt")]
    for number in (1, 2):
        came = read(decoder, [frame(name, number) for name in names])
        assert [tick.instrument.symbol[-5:] for tick in came] == ["1USDT", "2USDT"]


def test_another_layout_of_a_known_stream_is_read_too() -> None:
    decoder = ReadDecoder("bin")
    plain = frame("btcusdt@trade", 2)
    read(decoder, [frame("btcusdt@trade", 1)])
    (tick,) = read(decoder, [plain.replace(b'"data":{', b'"data": {').replace(b"}}", b"}}\n")])
    assert tick == StreamDecoder("bin").decode(plain, 7)[0]


def test_what_came_before_a_frame_that_cannot_be_read_is_kept() -> None:
    decoder, found = ReadDecoder("bin"), TickRead()
    read(decoder, [frame("btcusdt@trade", 1)])
    good = frame("btcusdt@trade", 2)
    with pytest.raises(InvalidPayload):
        decoder.decode([good, frame("btcusdt@trade", 3), good[:-20], good], 7, found)
    assert [tick.sequence for tick in found] == [2, 3]
    assert found.trades == {Instrument("BINANCE", "BTCUSDT"): list(found)}
    with pytest.raises(InvalidPayload, match="price of 0"):
        read(decoder, [good.replace(b"61837.63000000", b"0.00000000")])
    assert [tick.sequence for tick in read(decoder, [good])] == [2]


def test_two_streams_of_one_instrument_are_told_together() -> None:
    decoder = ReadDecoder("bin")
    names = ["btcusdt@trade", "btcusdt@aggTrade"]
    read(decoder, [frame(name, 1) for name in names])
    came = read(decoder, [frame(names[0], 5), frame(names[1], 2), frame(names[0], 6)])
    assert came.trades is not None
    assert sorted(tick.sequence for tick in came.trades[Instrument("BINANCE", "BTCUSDT")]) == [2, 5, 6]
