"""Binance stream frames, most of them recorded, against a plain reading by `json`."""

import gzip
import json
from pathlib import Path

import pytest
from mds_engine.errors import InvalidPayload, InvalidRequest, Unavailable
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.sources.binance import plugin
from mds_engine.sources.binance.decode_stream import StreamDecoder

BTC = Instrument("BINANCE", "BTCUSDT")


def decode(frame: str | bytes, received_ns: int = 0) -> list[Tick]:
    return StreamDecoder("bin").decode(frame.encode() if isinstance(frame, str) else frame, received_ns)


def combined(stream: str, data: str) -> str:
    return f'{{"stream":"{stream}","data":{data}}}'


TRADE = (
    '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000",'
    '"T":1723161255342,"m":true,"M":true}'
)
A_TRADE = Tick(
    instrument=BTC,
    kind=TickKind.TRADE,
    price=61837.63,
    size=0.02,
    time_ns=1723161255342_000_000,
    received_ns=7,
    sequence=3735683259,
    buyer_is_maker=True,
    source="bin",
)


@pytest.mark.parametrize(
    "frame",
    [
        combined("btcusdt@trade", TRADE),
        TRADE,
        json.dumps(json.loads(combined("btcusdt@trade", TRADE)), indent=2),
        json.dumps({"data": json.loads(TRADE), "stream": "btcusdt@trade"}),
        combined("btcusdt@trade", TRADE) + "\n",
    ],
    ids=["combined", "raw", "pretty-printed", "data first", "newline at the end"],
)
def test_a_trade_reads_the_same_however_it_is_laid_out(frame: str) -> None:
    decoder = StreamDecoder("bin")
    assert decoder.decode(frame.encode(), 7) == [A_TRADE]
    # Once more: the second frame of a stream is read by what the first has taught.
    assert decoder.decode(frame.encode(), 7) == [A_TRADE]


def test_old_trades_with_order_ids_are_read(recordings: Path) -> None:
    (tick,) = decode((recordings / "binance/ws_spot_trade.json").read_bytes())
    assert (tick.instrument.symbol, tick.price, tick.size, tick.sequence) == (
        "ETHUSDT",
        4149.74,
        0.4387,
        705291099,
    )
    assert tick.bid is None


def test_microsecond_times_are_told_from_milliseconds() -> None:
    (tick,) = decode(TRADE.replace("1723161255342", "1723161255342123"))
    assert tick.time_ns == 1723161255342_123_000


def test_book_ticker_has_no_type_and_no_time() -> None:
    data = '{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21","a":"25.36520000","A":"40.66"}'
    for frame in (data, combined("bnbusdt@bookTicker", data)):
        (tick,) = decode(frame)
        assert (tick.kind, tick.price, tick.time_ns, tick.sequence) == (TickKind.BOOK, None, None, 400900217)
        assert (tick.bid, tick.bid_size, tick.ask, tick.ask_size) == (25.3519, 31.21, 25.3652, 40.66)


def test_an_empty_side_of_the_book_is_absent_not_zero() -> None:
    (tick,) = decode('{"u":1,"s":"X","b":"0.00000000","B":"0.00000000","a":"2.0","A":"1.0"}')
    assert (tick.bid, tick.bid_size, tick.ask) == (None, None, 2.0)


def test_an_empty_candle_is_read() -> None:
    data = (
        '{"e":"kline","E":1681154040009,"s":"ELFBUSD","k":{"t":1681153980000,"T":1681154039999,"s":"ELFBUSD",'
        '"i":"1m","f":-1,"L":-1,"o":"0.3","c":"0.3","h":"0.3","l":"0.3","v":"0.0","n":0,"x":true,"q":"0.0",'
        '"V":"0.0","Q":"0.0","B":"0"}}'
    )
    (tick,) = decode(combined("elfbusd@kline_1m", data))
    assert (tick.kind, tick.closed, tick.volume, tick.price) == (TickKind.BAR, True, 0.0, 0.3)
    assert tick.time_ns == 1681153980000_000_000


def test_a_ticker_and_a_list_of_mini_tickers(recordings: Path) -> None:
    (tick,) = decode((recordings / "binance/docs_ws_ticker_24hr.json").read_bytes())
    assert (tick.kind, tick.price, tick.previous_close, tick.size) == (TickKind.QUOTE, 0.0025, 0.0009, 10.0)
    mini = (
        '{"e":"24hrMiniTicker","E":1672515782136,"s":"%s","c":"5","o":"4","h":"6","l":"3","v":"10","q":"18"}'
    )
    frame = combined("!miniTicker@arr", f"[{mini % 'BTCUSDT'},{mini % 'ETHUSDT'}]")
    assert [(tick.instrument.symbol, tick.price, tick.bid) for tick in decode(frame)] == [
        ("BTCUSDT", 5.0, None),
        ("ETHUSDT", 5.0, None),
    ]


@pytest.mark.parametrize(
    "frame",
    [
        '{"result":null,"id":1}',
        '{"result":["btcusdt@trade"],"id":3}',
        combined("btcusdt@depth@100ms", '{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}'),
        '{"e":"somethingNew","E":1,"s":"BTCUSDT","x":[1]}',
        combined("btcusdt@avgPrice", '{"e":"avgPrice","E":1,"s":"BTCUSDT","w":"25776.86"}'),
    ],
)
def test_what_is_no_market_event_is_passed_over(frame: str) -> None:
    assert decode(frame) == []


@pytest.mark.parametrize(
    "frame",
    [
        '{"e":"serverShutdown","E":1770123456789}',
        combined("!serverShutdown", '{"e":"serverShutdown","E":1770123456789}'),
    ],
)
def test_an_announced_shutdown_is_kept_in_mind_and_what_comes_after_it_is_decoded(frame: str) -> None:
    decoder = StreamDecoder()
    assert decoder.decode(TRADE.encode())
    assert not decoder.shutdown_announced
    assert decoder.decode(frame.encode()) == []
    assert decoder.shutdown_announced
    assert decoder.decode(TRADE.encode())


@pytest.mark.parametrize(
    "frame",
    [
        '{"code":2,"msg":"Invalid request: unknown variant"}',
        '{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":5}',
    ],
)
def test_a_refused_message_is_our_own_mistake(frame: str) -> None:
    with pytest.raises(InvalidRequest, match="unknown variant"):
        decode(frame)


@pytest.mark.parametrize(
    "frame",
    [
        combined("btcusdt@trade", TRADE)[:-20],
        TRADE[:50],
        combined("btcusdt@trade", TRADE.replace('"61837.63000000"', '"-1.0"')),
        combined("btcusdt@trade", TRADE.replace('"61837.63000000"', '"nan"')),
        combined("btcusdt@trade", TRADE.replace('"61837.63000000"', '"dear"')),
        "<html>",
        "",
    ],
)
def test_what_cannot_be_is_an_invalid_payload(frame: str) -> None:
    with pytest.raises(InvalidPayload):
        decode(frame)


def _plain(frame: bytes) -> list[tuple[object, ...]]:
    """The same frame by `json`, as the fields that matter."""
    data = json.loads(frame)
    data = data.get("data", data)
    event = data.get("e", "bookTicker" if "B" in data else None)
    if event in ("trade", "aggTrade"):
        number = data["t"] if event == "trade" else data["a"]
        return [
            ("trade", data["s"], float(data["p"]), float(data["q"]), data["T"] * 10**6, number, data["m"])
        ]
    if event == "bookTicker":
        return [("book", data["s"], *(float(data[name]) or None for name in "bBaA"), data["u"])]
    if event == "kline":
        bar = data["k"]
        return [("bar", data["s"], bar["t"] * 10**6, *(float(bar[name]) for name in "ohlcv"), bar["x"])]
    return []


def _summary(tick: Tick) -> tuple[object, ...]:
    symbol = tick.instrument.symbol
    if tick.kind is TickKind.TRADE:
        return ("trade", symbol, tick.price, tick.size, tick.time_ns, tick.sequence, tick.buyer_is_maker)
    if tick.kind is TickKind.BOOK:
        return ("book", symbol, tick.bid, tick.bid_size, tick.ask, tick.ask_size, tick.sequence)
    return (
        *("bar", symbol, tick.time_ns, tick.open, tick.high, tick.low, tick.price, tick.volume, tick.closed),
    )


def _hftbacktest_frames(path: Path) -> list[bytes]:
    return [line.split(b" ", 1)[1].strip() for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.parametrize("coin", ["btcusdt", "ethusdt"])
def test_every_recorded_frame_reads_as_json_reads_it(recordings: Path, coin: str) -> None:
    frames = _hftbacktest_frames(recordings / f"binance/ws_spot_{coin}_20240808_head.hftbacktest.log.gz")
    decoder = StreamDecoder()
    for frame in frames:
        assert [_summary(tick) for tick in decoder.decode(frame)] == _plain(frame)


def decode_file(payload: bytes) -> list[Tick]:
    return list(plugin.decoders["stream"].decode(payload))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz", {"trade", "bar"}),
        ("ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz", {"trade", "bar", "book"}),
        ("ws_binanceTR_2023-04-10.cryptofeed.log.gz", {"bar", "book"}),
    ],
)
def test_a_cryptofeed_log_is_read_and_its_rest_lines_passed_over(
    recordings: Path, name: str, kinds: set[str]
) -> None:
    lines = gzip.decompress((recordings / "binance" / name).read_bytes()).splitlines()
    frames = [line.partition(b": ")[2] for line in lines if line[:1].isdigit()]
    ticks = decode_file((recordings / "binance" / name).read_bytes())
    assert [_summary(tick) for tick in ticks] == [row for frame in frames for row in _plain(frame)]
    assert {tick.kind.value for tick in ticks} == kinds
    first_epoch = float(next(line for line in lines if line[:1].isdigit()).partition(b": ")[0])
    assert ticks[0].received_ns / 1e9 == pytest.approx(first_epoch, abs=600)


def test_a_hftbacktest_log_gives_the_time_of_receipt_and_gaps_in_no_trade_numbers(recordings: Path) -> None:
    ticks = decode_file(
        (recordings / "binance/ws_spot_btcusdt_20240808_head.hftbacktest.log.gz").read_bytes()
    )
    trades = [tick.sequence for tick in ticks if tick.kind is TickKind.TRADE]
    assert trades == list(range(trades[0], trades[0] + len(trades)))
    # The recording host's clock was slow: received before it was sent.
    assert any(tick.time_ns and tick.received_ns < tick.time_ns for tick in ticks)


def test_a_broken_line_does_not_hide_the_others() -> None:
    first, error, last = plugin.decoders["stream"].decode(f'{TRADE}\n{{"e":"tra\n{TRADE}\n'.encode())
    assert (first.price, last.price) == (61837.63, 61837.63)
    assert type(error) is InvalidPayload
    assert "line 2" in error.message


def test_an_announced_shutdown_in_a_log_has_its_place_among_the_ticks() -> None:
    shutdown = '{"e":"serverShutdown","E":1770123456789}'
    first, told, last = plugin.decoders["stream"].decode(f"{TRADE}\n{shutdown}\n{TRADE}\n".encode())
    assert (first.price, last.price) == (61837.63, 61837.63)
    assert type(told) is Unavailable
    assert "line 2: the vendor announced a shutdown" in told.message


def test_a_damaged_gzip_is_an_invalid_payload() -> None:
    with pytest.raises(InvalidPayload, match="gzip"):
        decode_file(gzip.compress(TRADE.encode())[:-12])
