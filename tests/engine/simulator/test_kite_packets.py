"""The simulated Kite's packets, byte for byte as the official mocks have them."""

import base64
import json
from datetime import datetime
from pathlib import Path

from mds_engine.simulator.kite.packets import frame, packet
from mds_engine.simulator.kite.picture import DepthLevel, Picture


def _mock(recordings: Path, name: str) -> tuple[dict, bytes]:
    folder = recordings / "kite"
    document = json.loads((folder / f"{name}.json").read_text())
    return document, base64.b64decode((folder / f"{name}.packet").read_text())


def _levels(side: list[dict]) -> tuple[DepthLevel, ...]:
    return tuple(DepthLevel(level["price"], level["quantity"], level["orders"]) for level in side)


def _picture(mock: dict) -> Picture:
    day, depth = mock["ohlc"], mock.get("depth", {"buy": [], "sell": []})
    times = [
        int(datetime.fromisoformat(mock.get(name, "1970-01-01T00:00:00+00:00")).timestamp())
        for name in ("last_trade_time", "timestamp")
    ]
    return Picture(
        token=mock["instrument_token"],
        is_index=not mock["tradable"],
        last_price=mock["last_price"],
        last_quantity=mock.get("last_quantity", 0),
        average_price=mock.get("average_price", 0.0),
        volume=mock.get("volume", 0),
        buy_quantity=mock.get("buy_quantity", 0),
        sell_quantity=mock.get("sell_quantity", 0),
        open=day["open"],
        high=day["high"],
        low=day["low"],
        previous_close=day["close"],
        last_trade_time=times[0],
        exchange_time=times[1],
        bids=_levels(depth["buy"]),
        asks=_levels(depth["sell"]),
        lower_circuit=0.0,
        upper_circuit=0.0,
    )


def test_a_full_packet_is_that_of_the_mock(recordings: Path) -> None:
    mock, expected = _mock(recordings, "ticker_full")
    assert packet(_picture(mock), "full") == expected
    assert len(expected) == 184


def test_a_quote_packet_is_that_of_the_mock(recordings: Path) -> None:
    mock, expected = _mock(recordings, "ticker_quote")
    assert packet(_picture(mock), "quote") == expected
    assert len(expected) == 44


def test_an_index_has_shorter_packets_with_high_and_low_before_open(recordings: Path) -> None:
    expected = (recordings / "kite/built/frame_index_quote_full.bin").read_bytes()
    day = {"open": 24500.5, "high": 24616.4, "low": 24399.5, "close": 24486.75}
    values = [int.from_bytes(expected[4 + at : 8 + at], "big") / 100 for at in range(4, 24, 4)]
    last, day["high"], day["low"], day["open"], day["close"] = values
    index = _picture(
        {
            "instrument_token": 256265,
            "tradable": False,
            "last_price": last,
            "ohlc": day,
            "timestamp": "2021-07-05T10:41:27+05:30",
        }
    )
    assert frame([packet(index, "quote"), packet(index, "full")]) == expected


def test_an_ltp_packet_has_eight_bytes(recordings: Path) -> None:
    mock = json.loads((recordings / "kite/ticker_ltp.json").read_text())
    picture = _picture({**mock, "ohlc": {"open": 1, "high": 1, "low": 1, "close": 1}})
    expected = (recordings / "kite/built/frame_ltp.bin").read_bytes()
    assert frame([packet(picture, "ltp")]) == expected
