"""Binance's recordings as json, csv and struct alone say them: nothing of the engine."""

import csv
import gzip
import io
import json
import zipfile
from typing import Any

from tests.cli.read_by_hand.rows import Row, at_ms, bar


def binance_rows(lines: Any) -> list[Row]:
    rows = []
    for line in lines:
        opened = int(line[0])
        rows.append(bar(at_ms(opened if len(str(opened)) == 13 else opened // 1000), line[1:6]))
    return rows


def binance_klines(content: bytes) -> list[Row]:
    return binance_rows(json.loads(content))


def binance_csv(content: bytes) -> list[Row]:
    return binance_rows(csv.reader(io.StringIO(content.decode())))


def binance_zip(content: bytes) -> list[Row]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return binance_csv(archive.read(archive.namelist()[0]))


TICKER = {
    "lastPrice": "price", "price": "price", "openPrice": "open", "highPrice": "high", "lowPrice": "low",
    "prevClosePrice": "previous_close", "volume": "volume", "bidPrice": "bid", "bidQty": "bid_size",
    "askPrice": "ask", "askQty": "ask_size",
}  # fmt: skip


def binance_ticker(content: bytes) -> list[Row]:
    told = json.loads(content)
    row: Row = {"type": "quote", "instrument": f"BINANCE:{told['symbol']}"}
    row |= {ours: float(told[theirs]) for theirs, ours in TICKER.items() if theirs in told}
    if "closeTime" in told:
        row["time"] = at_ms(told["closeTime"])
    if "price" not in row:
        row |= {"type": "tick", "kind": "book"}
    return [row]


EVENTS = {
    "trade": ("trade", {"p": "price", "q": "size", "t": "sequence", "m": "buyer_is_maker"}),
    "aggTrade": ("trade", {"p": "price", "q": "size", "a": "sequence", "m": "buyer_is_maker"}),
    "bookTicker": ("book", {"b": "bid", "B": "bid_size", "a": "ask", "A": "ask_size", "u": "sequence"}),
    "kline": ("bar", {"c": "price", "o": "open", "h": "high", "l": "low", "v": "volume", "x": "closed"}),
    "24hrTicker": (
        "quote",
        {
            "c": "price", "Q": "size", "o": "open", "h": "high", "l": "low", "x": "previous_close",
            "v": "volume", "b": "bid", "B": "bid_size", "a": "ask", "A": "ask_size",
        },
    ),
}  # fmt: skip


def binance_event(told: Row) -> Row | None:
    told = told.get("data", told)
    event = told.get("e", "bookTicker" if "s" in told else "")
    if event not in EVENTS:
        return None
    kind, names = EVENTS[event]
    values = told["k"] if event == "kline" else told
    row = {"type": "tick", "kind": kind, "instrument": f"BINANCE:{told['s']}"}
    row |= {ours: float(values[theirs]) for theirs, ours in names.items()}
    time = {"trade": "T", "aggTrade": "T", "kline": "t", "24hrTicker": "E"}.get(event)
    return row | ({"time": at_ms(values[time])} if time else {})


def binance_frame(content: bytes) -> list[Row]:
    return [row for row in [binance_event(json.loads(content))] if row]


def binance_log(content: bytes) -> list[Row]:
    rows = []
    for line in gzip.decompress(content).decode().splitlines():
        stamp, _, frame = line.partition(" ")
        if not frame.startswith("{"):
            continue
        row = binance_event(json.loads(frame))
        if row:
            whole, _, fraction = stamp.rstrip(":").partition(".")
            received_ns = int(whole) if len(whole) == 19 else int(whole + fraction.ljust(9, "0"))
            rows.append(row | {"received": received_ns})
    return rows
