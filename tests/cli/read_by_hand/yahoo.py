"""Yahoo's recordings as json, csv and struct alone say them: nothing of the engine."""

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from tests.cli.read_by_hand.rows import PRICES, Row, at, at_ms, bar


def yahoo_chart(content: bytes) -> list[Row]:
    told = json.loads(content)
    body = told["response"].get("bodyJson") if "response" in told else told
    if body is None:
        body = json.loads(told["response"]["body"])
    result = body["chart"]["result"][0]
    columns = result["indicators"]["quote"][0]
    nothing = [None] * len(result["timestamp"])
    rows = zip(*(columns.get(name, nothing) for name in PRICES), strict=True)
    return [bar(at(time), list(values)) for time, values in zip(result["timestamp"], rows, strict=True)]


QUOTE = {
    "regularMarketPrice": "price", "regularMarketOpen": "open", "regularMarketDayHigh": "high",
    "regularMarketDayLow": "low", "regularMarketPreviousClose": "previous_close",
    "regularMarketVolume": "volume", "bid": "bid", "ask": "ask", "bidSize": "bid_size", "askSize": "ask_size",
}  # fmt: skip


LISTINGS = {"NMS": "NASDAQ", "NYQ": "NYSE"}


def yahoo_quote(content: bytes) -> list[Row]:
    response = json.loads(content)["response"]
    body = response["bodyJson"] if "bodyJson" in response else response["body"]
    rows = []
    for told in (json.loads(body) if isinstance(body, str) else body)["quoteResponse"]["result"]:
        symbol = told["symbol"]
        name = f"INDEX:{symbol[1:]}" if symbol[0] == "^" else f"{LISTINGS[told['exchange']]}:{symbol}"
        row = {"type": "quote", "instrument": name, "currency": told["currency"]}
        row["time"] = at(told["regularMarketTime"])
        row |= {ours: told[theirs] for theirs, ours in QUOTE.items() if told.get(theirs)}
        for side in ("bid", "ask"):
            if side not in row:
                row.pop(f"{side}_size", None)
        rows.append(row)
    return rows


def varint(content: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = content[offset]
        value |= (octet & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if octet < 0x80:
            return value, offset


def protobuf(content: bytes) -> Iterator[tuple[int, Any]]:
    offset = 0
    while offset < len(content):
        tag, offset = varint(content, offset)
        if tag & 7 == 0:
            value, offset = varint(content, offset)
            yield tag >> 3, value >> 1 ^ -(value & 1)
        elif tag & 7 == 2:
            length, offset = varint(content, offset)
            yield tag >> 3, content[offset : offset + length].decode()
            offset += length
        else:
            size, form = {1: (8, "<d"), 5: (4, "<f")}[tag & 7]
            yield tag >> 3, struct.unpack_from(form, content, offset)[0]
            offset += size


PRICING = {
    2: "price", 9: "volume", 10: "high", 11: "low", 15: "open", 16: "previous_close", 22: "size",
    23: "bid", 24: "bid_size", 25: "ask", 26: "ask_size",
}  # fmt: skip


def yahoo_stream(content: bytes) -> list[Row]:
    rows = []
    for line in content.splitlines():
        told = dict(protobuf(base64.b64decode(json.loads(line)["message"])))
        exchange = {"CCC": "CRYPTO", "NMS": "NASDAQ"}[told[5]]
        row = {"type": "tick", "kind": "quote", "instrument": f"{exchange}:{told[1]}", "time": at_ms(told[3])}
        row |= {name: told[number] for number, name in PRICING.items() if told.get(number)}
        if exchange == "CRYPTO":
            del row["size"]  # the day's volume once more
        rows.append(row)
    return rows
