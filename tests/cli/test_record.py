"""`convert`, `replay` and `record` from the command line."""

import json
import os
from pathlib import Path

import pytest
from mds_engine.recording.files import FileBounds
from mds_engine.recording.format import RecordedSource
from mds_engine.recording.recorder import Recorder

from mds_tui.cli.exits import Exit

LOG = "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz"


@pytest.fixture
def converted(run, recordings, tmp_path):
    result = run("convert", recordings / "binance" / LOG, "--out", tmp_path / "out")
    assert result.exit_code == Exit.OK
    assert "265 frames, 2 other lines left out" in result.stderr
    return result.stdout.strip()


def test_a_replay_prints_what_decode_prints_of_the_log(run, lines, recordings, converted):
    played = run("replay", converted, "--speed", "0", "--json")
    assert played.exit_code == Exit.OK
    decoded = lines(run("decode", "binance", "stream", recordings / "binance" / LOG, "--json"))
    assert lines(played) == [row | {"source": "binance"} for row in decoded]
    assert played.stderr == "mds-tui: 88 ticks of 265 frames; the recording ended (2021-10-12 00:29:02 UTC)\n"


def test_a_replay_of_a_torn_file_says_where_it_ends(run, lines, converted):
    file = Path(converted)
    end_of_stream = 8
    file.write_bytes(file.read_bytes()[:-end_of_stream] + b"\xff\xff\xff\xff\x88\x01\x00\x00torn")
    played = run("replay", converted, "--speed", "0", "--json")
    assert played.exit_code == Exit.OK
    assert len(lines(played)) == 88
    assert (
        "breaks off in the middle of a batch, as when its writer is killed; the 265 frames" in played.stderr
    )


def test_a_folder_is_played_in_the_order_of_time(run, lines, recordings, converted, tmp_path):
    run(
        "convert",
        recordings / "binance" / "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz",
        "--out",
        tmp_path / "out",
    )
    played = lines(run("replay", tmp_path / "out", "--speed", "0", "--json"))
    assert len(played) == 2028 + 88
    assert [row["received"] for row in played] == sorted(row["received"] for row in played)


def test_without_a_recording_the_black_box_is_played(run, lines, recordings, monkeypatch, tmp_path):
    from mds_engine.config.schema import EngineSettings, RecordingSettings

    nothing = run("replay", "--json")
    assert nothing.exit_code == Exit.USAGE
    assert "the console's black box holds nothing yet" in nothing.stderr
    recorder = Recorder(RecordingSettings().folder(EngineSettings().name), FileBounds())
    recorder.start("mds", {"binance": RecordedSource("binance")})
    trade = {"e": "trade", "s": "BTCUSDT", "t": 1, "p": "2.5", "q": "1", "T": 1750000000000, "m": True}
    recorder.tap("binance")(json.dumps({"stream": "btcusdt@trade", "data": trade}))
    recorder.close()
    (row,) = lines(run("replay", "--json", "--speed", "0"))
    assert (row["instrument"], row["price"]) == ("BINANCE:BTCUSDT", 2.5)


def test_where_the_own_black_box_is_empty_the_last_one_is_played(run, lines) -> None:
    """As after a demo, without a configuration."""
    from mds_engine.config.schema import EngineSettings, RecordingSettings

    for engine, written_at in (("demo", 2000.0), ("older", 1000.0)):
        folder = RecordingSettings().folder(engine)
        recorder = Recorder(folder, FileBounds())
        recorder.start(engine, {engine: RecordedSource("binance")})
        trade = {"e": "trade", "s": "BTCUSDT", "t": 1, "p": "2.5", "q": "1", "T": 1750000000000, "m": True}
        recorder.tap(engine)(json.dumps({"stream": "btcusdt@trade", "data": trade}))
        recorder.close()
        for file in folder.iterdir():
            os.utime(file, (written_at, written_at))
    RecordingSettings().folder(EngineSettings().name).mkdir()
    (row,) = lines(run("replay", "--json", "--speed", "0"))
    assert row["source"] == "demo"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("replay", "{file}", "--json"), Exit.PAYLOAD, "it is not a recording"),
        (("replay", "{folder}", "--json"), Exit.PAYLOAD, "no file of this folder is a recording"),
        (("replay", "gone.arrows", "--json"), Exit.USAGE, "does not exist"),
        (("replay", "{file}"), Exit.USAGE, "the console needs a terminal"),
        (("convert", "{file}"), Exit.PAYLOAD, "no line of it is a frame"),
        (("convert", "{file}", "--vendor", "binanse"), Exit.USAGE, 'there is no vendor "binanse"'),
        (("convert", "{file}", "--vendor", "alphavantage"), Exit.USAGE, "alphavantage has no live stream"),
        (("record", "SSE:600519", "--for", "1"), Exit.REQUEST, "no configured source streams"),
        (("record", "nonsense", "--for", "1"), Exit.REQUEST, "is not an instrument"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(run, tmp_path, words, code, why):
    (tmp_path / "file.csv").write_text("time,price\n")
    (tmp_path / "folder").mkdir()
    config = tmp_path / "one.toml"
    config.write_text('[sources.binance]\nkind = "binance"\n')
    places = {"file": tmp_path / "file.csv", "folder": tmp_path / "folder"}
    result = run("--config", config, *(word.format(**places) for word in words))
    assert result.exit_code == code
    assert why in result.stderr
    assert "Traceback" not in result.stderr


def test_a_recording_of_nothing_is_a_failure(run, tmp_path):
    config = tmp_path / "one.toml"
    config.write_text(
        '[engine]\nstate_path = ":memory:"\n'
        '[sources.binance]\nkind = "binance"\nendpoints = ["http://127.0.0.1:1"]\n'
        'stream_endpoints = ["ws://127.0.0.1:1"]\n'
    )
    result = run("--config", config, "record", "BINANCE:BTCUSDT", "--for", "0.1", "--out", tmp_path / "out")
    assert result.exit_code == Exit.FAILED
    assert "nothing was recorded of BINANCE:BTCUSDT" in result.stderr
    assert not (tmp_path / "out").exists()
