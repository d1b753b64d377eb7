"""Logs of cryptofeed and hftbacktest become recordings, frame for frame."""

import gzip
import json

import pytest
from mds_engine.errors import InvalidPayload, InvalidRequest
from mds_engine.recording.foreign import convert, frame_of_line
from mds_engine.recording.reading import Recording


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b'1617566591.326123: {"stream":"x"}\n', (1617566591326123000, b'{"stream":"x"}')),
        (b"1617566591: [1]", (1617566591000000000, b"[1]")),
        (b'1723160000014460112 {"a": 1}\r\n', (1723160000014460112, b'{"a": 1}')),
        (b'https://www.binance.com/api/v1/depth?symbol=X -> 1617566592.1: {"bids":[]}', None),
        (b"wss://stream.binance.com:9443/stream?streams=x <-> 1617566590.378895", None),
        (b"1617566591.326123: ", None),
        (b"\n", None),
    ],
)
def test_a_line_is_a_frame_with_its_time_or_none(line, frame):
    assert frame_of_line(line) == frame


@pytest.mark.parametrize(
    ("name", "frames", "skipped"),
    [
        ("ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz", 4716, 4),
        ("ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz", 265, 2),
        ("ws_spot_btcusdt_20240808_head.hftbacktest.log.gz", 28000, 0),
        ("ws_spot_ethusdt_20240808_head.hftbacktest.log.gz", 26000, 0),
    ],
)
def test_the_recorded_logs_are_converted_whole(recordings, tmp_path, name, frames, skipped):
    log = recordings / "binance" / name
    converted = convert(log, tmp_path, source="binance", kind="binance")
    assert (converted.frames, converted.skipped) == (frames, skipped)
    assert converted.bytes_written * 4 < converted.bytes_read
    with gzip.open(log) as lines:
        expected = [found for line in lines if (found := frame_of_line(line)) is not None]
    rows = list(Recording(tmp_path).frames())
    assert [(row.received_ns, row.payload) for row in rows] == expected
    assert {(row.source, row.connection) for row in rows} == {("binance", 1)}
    assert all(isinstance(json.loads(row.payload), dict) for row in rows)


def test_a_plain_log_is_taken_too(tmp_path):
    log = tmp_path / "mine.log"
    log.write_bytes(b"1723160000014460112 {}\n")
    converted = convert(log, tmp_path / "out", source="mine", kind="binance")
    assert converted.paths[0].name.startswith("mine-20240808T")
    assert Recording(tmp_path / "out").sources["mine"].kind == "binance"


def test_a_log_is_converted_once(tmp_path):
    log = tmp_path / "mine.log"
    log.write_bytes(b"1723160000014460112 {}\n")
    convert(log, tmp_path, source="mine", kind="binance")
    with pytest.raises(InvalidRequest, match="has its recording already"):
        convert(log, tmp_path, source="mine", kind="binance")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"time,price\n1,2\n", "no line of it is a frame"),
        (b"", "no line of it is a frame"),
        (gzip.compress(b"1723160000014460112 {}\n" * 1000)[:-20], "the gzip file is damaged"),
        (b"\x1f\x8bnot really", "the gzip file is damaged"),
    ],
    # The names must not hold the bytes: gzip writes the time of day into them.
    ids=["no frames", "empty", "cut gzip", "no gzip"],
)
def test_what_cannot_be_converted_leaves_nothing_behind(tmp_path, content, why):
    log = tmp_path / "mine.log.gz"
    log.write_bytes(content)
    with pytest.raises(InvalidPayload, match=why):
        convert(log, tmp_path / "out", source="mine", kind="binance")
    assert list(tmp_path.glob("out/*")) == []
