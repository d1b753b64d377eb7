"""Kite's recordings as json, csv and struct alone say them: nothing of the engine."""

import base64
import csv
import io
import json
import struct
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from tests.cli.read_by_hand.rows import Row, at, bar

IST = timezone(timedelta(hours=5, minutes=30))


def kite_quote(content: bytes) -> list[Row]:
    rows = []
    for key, entry in json.loads(content)["data"].items():
        row = {"type": "quote", "instrument": key, "price": entry["last_price"], "currency": "INR"}
        if "timestamp" in entry:
            moment = datetime.strptime(entry["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
            row |= {"time": at(moment.timestamp()), "volume": entry["volume"]}
        for name, told in (("open", "open"), ("high", "high"), ("low", "low"), ("previous_close", "close")):
            if "ohlc" in entry:
                row[name] = entry["ohlc"][told]
        for side, name in (("buy", "bid"), ("sell", "ask")):
            best = entry.get("depth", {side: [{"price": 0}]})[side][0]
            if best["price"]:
                row |= {name: best["price"], f"{name}_size": best["quantity"]}
        if entry.get("oi"):
            row["open_interest"] = entry["oi"]
        rows.append(row)
    return rows


def kite_historical(content: bytes) -> list[Row]:
    rows = []
    for time, *values in json.loads(content)["data"]["candles"]:
        moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z")
        rows.append(bar(at(moment.timestamp()), values[:5]))
    return rows


def kite_instruments(content: bytes) -> list[Row]:
    rows = []
    for line in csv.DictReader(io.StringIO(content.decode())):
        row = {"type": "instrument", "instrument": f"{line['exchange']}:{line['tradingsymbol']}"}
        row |= {"token": int(line["instrument_token"]), "name": line["name"], "expiry": line["expiry"]}
        row |= {name: float(line[name]) for name in ("strike", "tick_size", "lot_size")}
        row |= {name: line[name] for name in ("instrument_type", "segment")}
        rows.append({name: value for name, value in row.items() if value != ""})
    return rows


def kite_frame(content: bytes) -> list[Row]:
    rows, offset = [], 2
    for _ in range(struct.unpack_from(">H", content)[0]):
        (length,) = struct.unpack_from(">H", content, offset)
        rows.append(kite_packet(content[offset + 2 : offset + 2 + length]))
        offset += 2 + length
    assert offset == len(content)
    return rows


def kite_packet(packet: bytes) -> Row:
    word: Callable[[int], int] = lambda offset: struct.unpack_from(">I", packet, offset)[0]  # noqa: E731
    divisor = {3: 1e7, 6: 1e4}.get(word(0) & 0xFF, 100)
    row = {"type": "tick", "kind": "quote", "instrument": f"KITE:{word(0)}", "price": word(4) / divisor}
    day: dict[str, int] = {}
    if len(packet) in (28, 32):
        day = {"high": 8, "low": 12, "open": 16, "previous_close": 20}
    if len(packet) in (44, 184):
        day = {"open": 28, "high": 32, "low": 36, "previous_close": 40}
        row |= {"size": word(8), "volume": word(16)}
    row |= {name: word(offset) / divisor for name, offset in day.items()}
    if len(packet) in (32, 184):
        row["time"] = at(word({32: 28, 184: 60}[len(packet)]))
    if len(packet) == 184:
        row |= {"bid": word(68) / divisor, "bid_size": word(64)}
        row |= {"ask": word(128) / divisor, "ask_size": word(124)}
        row |= {"open_interest": word(48)} if word(48) else {}
    return row


def kite_bare(content: bytes) -> list[Row]:
    return [kite_packet(base64.b64decode(content))]
