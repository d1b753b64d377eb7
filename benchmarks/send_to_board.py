"""How long a tick takes from the vendor's send to the board, against a bare receive of the same frames."""

import json
from contextlib import ExitStack
from statistics import median, quantiles

from benchmarks.report import Row
from benchmarks.stream_path import receiver
from benchmarks.stream_server import stream_server

ABOUT = "Binance's trades at an even pace, from the send in another process to the board and to a reader"
ROUNDS, A_SECOND, FOR_S = 7, 5_000, 2.0
_COUNT = int(A_SECOND * FOR_S)


async def run() -> list[Row]:
    """The rows."""
    rounds: dict[str, list[list[float]]] = {"bare": [], "board": [], "reader": []}
    with stream_server() as server, ExitStack() as stack:
        bare = stack.enter_context(receiver("bare_each", server.url("bare"), _COUNT))
        ours = stack.enter_context(receiver("binance_each", server.url("ours"), _COUNT))
        for number in range(ROUNDS + 1):
            server.make("binance", _COUNT)
            sent_ns = server.send_paced("bare", 0, A_SECOND)
            found = {"bare": _since(sent_ns, json.loads(next(bare)))}
            sent_ns = server.send_paced("ours", 1, A_SECOND)
            on_board, at_reader = json.loads(next(ours))
            found |= {"board": _since(sent_ns, on_board), "reader": _since(sent_ns, at_reader)}
            if number:  # the first round warms up
                for name, times in found.items():
                    rounds[name].append(times)
    half = {name: [median(times) for times in found] for name, found in rounds.items()}
    worst = {name: median([quantiles(times, n=100)[98] for times in found]) for name, found in rounds.items()}
    ratio = {
        name: median([one / other for one, other in zip(half[name], half["bare"], strict=True)])
        for name in ("board", "reader")
    }
    return [
        Row(what=f"send to board at {A_SECOND:,} ticks/s, p50, times as long as a bare websockets receive",
            value=ratio["board"], at_most=2.0,
            note=f"websockets {_us(half['bare'])}, ours {_us(half['board'])}"),
        Row(what="the same, p99", value=worst["board"] / 1e6, unit="ms", at_most=10.0,
            note=f"websockets {worst['bare'] / 1e6:.3g} ms"),
        Row(what="send to a reader, p50, times as long as a bare websockets receive", value=ratio["reader"],
            note=f"{_us(half['reader'])}, p99 {worst['reader'] / 1e6:.3g} ms"),
    ]  # fmt: skip


def _since(sent_ns: list[int], came_ns: list[int]) -> list[float]:
    """Nanoseconds on the way, of each."""
    return [float(came - sent) for sent, came in zip(sent_ns, came_ns, strict=True)]


def _us(rounds_ns: list[float]) -> str:
    return f"{median(rounds_ns) / 1e3:.0f} us"
