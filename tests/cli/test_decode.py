import base64
import json

import pytest
from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Quote
from mds_engine.sources.contract import DecodeKind

from mds_tui.cli.decode import decode_frame
from mds_tui.cli.framing import frames

TRADE = (
    '{"e":"trade","E":1639351062244,"s":"ETHUSDT","t":705291099,"p":"4149.74000000","q":"0.43870000",'
    '"T":1639351062243,"m":true,"M":true}'
)


def test_a_trade_is_a_tick(run, lines, tmp_path):
    (tmp_path / "frames").write_text(TRADE)
    result = run("decode", "binance", "stream", tmp_path / "frames", "--json")
    assert result.exit_code == 0
    (tick,) = lines(result)
    assert tick["type"] == "tick"
    assert tick["kind"] == "trade"
    assert tick["instrument"] == "BINANCE:ETHUSDT"
    assert tick["time"] == "2021-12-12T23:17:42.243Z"
    assert (tick["price"], tick["size"]) == (4149.74, 0.4387)


def test_a_line_that_is_not_json_is_an_error_in_its_place(run, lines):
    log = f"{TRADE}\nno json\n\n1639351062.25: rubbish\n{TRADE}\nwss://an.address/stream <-> 1639351062.2\n"
    result = run("decode", "binance", "stream", "-", "--json", stdin=log.encode())
    assert [row.get("message", row["type"]) for row in lines(result)] == [
        "tick",
        "line 2: it is not JSON",
        "line 4: it is not JSON",
        "tick",
    ]
    assert {row["class"] for row in lines(result) if row["type"] == "error"} == {"InvalidPayload"}
    assert result.exit_code == 6


def test_a_file_that_is_one_line_of_no_json_is_an_error(run, lines):
    result = run("decode", "binance", "stream", "-", "--json", stdin=b"no json\n")
    assert [row["message"] for row in lines(result)] == ["it is not JSON"]
    assert result.exit_code == 6


def test_stdin_is_a_file_too(run, lines):
    (tick,) = lines(run("decode", "binance", "stream", "-", "--json", stdin=TRADE.encode()))
    assert tick["price"] == 4149.74


def test_without_json_it_is_for_people(run, tmp_path):
    (tmp_path / "frames").write_text(TRADE)
    result = run("decode", "binance", "stream", tmp_path / "frames")
    assert result.stdout.startswith(
        "2021-12-12T23:17:42.243Z  kind trade  instrument BINANCE:ETHUSDT  price 4149.74"
    )


def test_what_the_vendor_says_is_wrong_is_a_record_and_was_decoded(run, lines, recordings):
    file = recordings / "alphavantage" / "http200_burst_limit.Information.json"
    result = run("decode", "alphavantage", "quote", file, "--json")
    (error,) = lines(result)
    assert (error["type"], error["class"]) == ("error", "Throttled")
    assert error["message"]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("vendor", "kind"),
    [("binance", "klines"), ("kite", "quote"), ("yahoo", "chart"), ("alphavantage", "series")],
)
def test_what_cannot_be_read_is_told_with_its_code(run, lines, tmp_path, vendor, kind):
    (tmp_path / "body").write_bytes(b'{"truncated": [1, 2')
    result = run("decode", vendor, kind, tmp_path / "body", "--json")
    assert result.exit_code == 6
    (error,) = lines(result)
    assert error["class"] == "InvalidPayload"


def test_one_bad_frame_does_not_hide_the_others(run, lines, recordings, tmp_path):
    good = [
        json.loads(line)["message"]
        for line in (recordings / "yahoo" / "stream_messages.jsonl").read_text().splitlines()
    ]
    (tmp_path / "frames").write_text("\n".join([good[0], "!!!", good[1]]))
    result = run("decode", "yahoo", "stream", tmp_path / "frames", "--json")
    assert [record["type"] for record in lines(result)] == ["tick", "error", "tick"]
    assert lines(result)[1]["frame"] == 2
    assert result.exit_code == 6


def test_yahoos_own_base64_is_not_taken_for_ours(run, lines, recordings):
    result = run("decode", "yahoo", "stream", recordings / "yahoo" / "stream_messages.jsonl", "--json")
    assert {record["type"] for record in lines(result)} == {"tick"}
    assert lines(result)[0]["instrument"].endswith("BTC-USD") or "BTC" in lines(result)[0]["instrument"]


def test_bars_come_oldest_first(run, lines, recordings):
    for vendor, kind, name in [
        ("alphavantage", "series", "TIME_SERIES_INTRADAY_MSFT_1min.json"),
        ("binance", "klines", "http_spot_market_klines.json"),
        ("kite", "historical", "historical_minute.json"),
        ("yahoo", "chart", "chart-AAPL-2020-01-01-to-2020-01-03.json"),
    ]:
        rows = lines(run("decode", vendor, kind, recordings / vendor / name, "--json"))
        times = [row["time"] for row in rows]
        assert rows[0]["type"] == "bar"
        assert times == sorted(times)
        assert set(rows[0]) == {"type", "time", "open", "high", "low", "close", "volume"}


def test_all_adds_what_only_some_vendors_have(run, lines, recordings):
    (first, *_) = lines(
        run(
            "decode",
            "binance",
            "klines",
            recordings / "binance" / "http_spot_market_klines.json",
            "--json",
            "--all",
        )
    )
    assert "quote_volume" in first


@pytest.mark.parametrize("name", ["ticker_full.packet", "built/frame_full_realpayload.bin"])
def test_a_binary_frame_may_be_raw_or_base64(run, lines, recordings, name):
    (tick,) = lines(run("decode", "kite", "ticker", recordings / "kite" / name, "--json"))
    assert (tick["type"], tick["kind"], tick["price"]) == ("tick", "quote", 1573.7)


def test_many_binary_frames_one_a_line_or_one_after_the_other(run, lines, recordings, tmp_path):
    frame = (recordings / "kite" / "built" / "frame_quote_realpayload.bin").read_bytes()
    (tmp_path / "lines").write_bytes(b"\n".join([base64.b64encode(frame)] * 3))
    (tmp_path / "raw").write_bytes(frame * 3)
    for name in ("lines", "raw"):
        assert len(lines(run("decode", "kite", "ticker", tmp_path / name, "--json"))) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("binanse", "stream", "f"), 'there is no vendor "binanse"; did you mean "binance"?'),
        (
            ("binance", "streams", "f"),
            'binance has no kind "streams"; known are stream, klines, ticker, vision',
        ),
        (("binance", "stream", "nowhere"), "nowhere: No such file or directory"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_sentence(run, words, sentence):
    result = run("decode", *words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {sentence}"


def test_a_decoder_that_knows_no_base64_gets_the_bytes_behind_it():
    def binary_only(payload):
        if payload != b"\x00\x01":
            raise InvalidPayload("no such frame")
        return [Quote(instrument=Instrument("NSE", "INFY"), price=1.5)]

    kind = DecodeKind(binary_only, "lines", "a third party's")
    found = [
        record
        for frame in frames(b"AAE=\nAAI=", "lines")
        for record in decode_frame(kind, frame, everything=False)
    ]
    assert [record["type"] for record in found] == ["quote", "error"]
    assert found[1]["frame"] == 2


def test_a_file_with_nothing_in_it_is_not_met_with_silence(run, lines, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    result = run("decode", "binance", "stream", tmp_path / "empty", "--json")
    assert (result.stdout, result.stderr) == ("", f"mds-tui: {tmp_path / 'empty'}: is empty\n")
    (tmp_path / "log").write_text("wss://an.address/stream <-> 1639351062.2\n")
    result = run("decode", "binance", "stream", tmp_path / "log", "--json")
    assert result.stderr == f"mds-tui: {tmp_path / 'log'}: nothing in it is of binance stream\n"
    (tmp_path / "noise").write_bytes(bytes(range(200)))
    result = run("decode", "binance", "stream", tmp_path / "noise", "--json")
    assert {row["class"] for row in lines(result)} == {"InvalidPayload"}
    assert result.exit_code == 6


def test_an_archive_that_is_no_csv_is_an_error_record(run, lines, tmp_path):
    (tmp_path / "noise").write_bytes(b"1,2\r3\0\x80")
    result = run("decode", "binance", "vision", tmp_path / "noise", "--json")
    (error,) = lines(result)
    assert (error["class"], result.exit_code) == ("InvalidPayload", 6)
