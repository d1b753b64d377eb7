"""Binance's trades: a frame of JSON to a Tick, against json.loads and the same Tick by float()."""

import json

from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.sources.binance.decode_stream import StreamDecoder

from benchmarks.report import Row
from benchmarks.timing import measure

ABOUT = "Binance's trade stream, frames of JSON to Tick objects, against json.loads with float()"
ROUNDS, CALLS = 61, 400


async def run() -> list[Row]:
    """The rows."""
    frame = _frame()
    decode = StreamDecoder("binance").decode
    instrument = Instrument("BINANCE", "BTCUSDT")

    def by_json() -> list[Tick]:
        trade = json.loads(frame)["data"]
        return [
            Tick(
                instrument=instrument,
                kind=TickKind.TRADE,
                price=float(trade["p"]),
                size=float(trade["q"]),
                time_ns=trade["T"] * 1_000_000,
                sequence=trade["t"],
                buyer_is_maker=trade["m"],
                source="binance",
            )
        ]

    def loads_and_floats() -> tuple[float, float]:
        trade = json.loads(frame)["data"]
        return float(trade["p"]), float(trade["q"])

    if decode(frame) != by_json():
        raise ValueError("the decoders disagree")
    names = {"ours": lambda: decode(frame), "to ticks": by_json, "floats alone": loads_and_floats}
    times = measure(names, rounds=ROUNDS, calls=dict.fromkeys(names, CALLS))
    return [
        Row(what="trade to a Tick, times as fast as json.loads, float() and the same Tick",
            value=times.ratio("to ticks", "ours"), at_least=3.0,
            note=f"theirs {times.micro('to ticks')}, ours {times.micro('ours')}"
                 f" = {1e-6 / times.seconds('ours'):.3g} M ticks/s"),
        Row(what="the same, where they make no Tick: json.loads and two float()s alone",
            value=times.ratio("floats alone", "ours"), note=f"theirs {times.micro('floats alone')}"),
    ]  # fmt: skip


def _frame() -> bytes:
    """As Binance lays it out: a combined stream, no spaces."""
    trade = {
        "e": "trade", "E": 1_750_000_000_123, "s": "BTCUSDT", "t": 5_012_345_678, "p": "104250.01000000",
        "q": "0.00123000", "T": 1_750_000_000_122, "m": True, "M": True,
    }  # fmt: skip
    return json.dumps({"stream": "btcusdt@trade", "data": trade}, separators=(",", ":")).encode()
