"""The whole path of live ticks over a real socket, against what receives the same frames by other means.

Each contender is a process of its own, so is the vendor; they take turns with
the same frames. A round ends when the contender's reader has the last tick.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.report import Row
from benchmarks.stream_server import StreamServer, stream_server
from benchmarks.timing import Times

ABOUT = "live ticks from the socket to a reader, every contender and the vendor in a process of its own"
ROUNDS = 9
ROUNDS_IN_MEMORY = 31
TRADES, SMALL_FRAMES, LARGE_FRAMES = 40_000, 1_500, 200
_SMALL, _LARGE = 20, 500
_MESSAGES_FIRST = {"binance": 1, "kite": 2}
"""What our own sources send before they want data."""
PEER_PYTHON = Path(__file__).parents[1] / ".peer-venvs" / "cryptofeed" / "bin" / "python"
_CRYPTOFEED = Path(__file__).with_name("cryptofeed_process.py")


async def run() -> list[Row]:
    """The rows."""
    with stream_server() as server:
        trades = _rounds(server, "binance", TRADES, ("bare", "binance", "cryptofeed"))
        small = _rounds(server, "kite", SMALL_FRAMES, ("kite_ticker", "kite"), packets=_SMALL)
        large = _rounds(server, "kite", LARGE_FRAMES, ("kite",), packets=_LARGE)
    handled = _without_a_socket()
    return [
        Row(what="Binance's trades to one reader, times as many a second as websockets alone receives",
            value=trades.ratio("bare", "binance"), at_least=0.7,
            note=f"websockets {_rate(trades, 'bare')}, ours {_rate(trades, 'binance')}"),
        Row(what="the same, times as many as cryptofeed's whole path",
            value=trades.ratio("cryptofeed", "binance"), at_least=1.4,
            note=f"cryptofeed, on its uvloop, {_rate(trades, 'cryptofeed')}"),
        Row(what="without a socket, decoder to a reader that takes what waits; times as many as cryptofeed's "
                 "handler",
            value=handled.ratio("cryptofeed", "at once"), at_least=2.5,
            note=f"cryptofeed {_rate(handled, 'cryptofeed')}, ours {_rate(handled, 'at once')}"),
        Row(what="the same, to a reader that awaits each tick; times as many",
            value=handled.ratio("cryptofeed", "one by one"), note=_rate(handled, "one by one")),
        Row(what="the decoder alone, frames to Tick objects; times as many as cryptofeed's handler",
            value=handled.ratio("cryptofeed", "decoder"), note=_rate(handled, "decoder")),
        Row(what=f"Kite's frames of {_SMALL} to a reader of batches, times as many as by KiteTicker",
            value=small.ratio("kite_ticker", "kite"), at_least=25.0,
            note=f"KiteTicker {_rate(small, 'kite_ticker', _SMALL)}, ours {_rate(small, 'kite', _SMALL)}"),
        Row(what=f"Kite's frames of {_LARGE} to a reader of batches, ticks a second",
            value=_LARGE / large.seconds("kite") / 1e6, unit="M/s", at_least=1.0,
            note=f"{large.micro('kite')} a frame"),
    ]  # fmt: skip


def _rate(times: Times, name: str, ticks: int = 1) -> str:
    return f"{ticks / times.seconds(name) / 1e6:.3g} M ticks/s"


def _rounds(server: StreamServer, kind: str, frames: int, names: Sequence[str], *, packets: int = 0) -> Times:
    """Seconds a frame of each contender, in turns with the same frames; the first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        told = {
            name: stack.enter_context(
                receiver(name, server.url(f"{name}-{packets}"), frames * (packets or 1))
            )
            for name in names
        }
        for number in range(ROUNDS + 1):
            server.make(kind, frames, packets=packets)
            for name in names:
                began_ns = server.send(f"{name}-{packets}", _MESSAGES_FIRST.get(name, 0))
                ended_ns = int(next(told[name]))
                if number:
                    found[name].append((ended_ns - began_ns) / 1e9 / frames)
    return Times(found)


@contextmanager
def receiver(name: str, url: str, ticks: int) -> Iterator[Iterator[bytes]]:
    """A contender at work, and the lines that it prints."""
    if name == "cryptofeed":
        command = [peer_python(), str(_CRYPTOFEED), url, str(ticks)]
    else:
        command = [sys.executable, "-m", "benchmarks.stream_receivers", name, url, str(ticks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield iter(process.stdout.readline, b"")
        finally:
            process.kill()


def peer_python() -> str:
    """cryptofeed's. Raises FileNotFoundError where it was not built."""
    if not PEER_PYTHON.exists():
        raise FileNotFoundError(f"there is no {PEER_PYTHON}: make .venv/.peers builds it")
    return str(PEER_PYTHON)


_CONTENDERS = ("decoder", "one by one", "at once", "cryptofeed")


def _without_a_socket() -> Times:
    """Seconds a trade of each contender from memory, in turns; the first round warms up."""
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        contenders = {name: stack.enter_context(_handling(name)) for name in _CONTENDERS}
        for number in range(ROUNDS_IN_MEMORY + 1):
            for name, one_round in contenders.items():
                took_s = one_round()
                if number:
                    found.setdefault(name, []).append(took_s / TRADES)
    return Times(found)


@contextmanager
def _handling(name: str) -> Iterator[Callable[[], float]]:
    """Seconds that a contender takes for the next trades, in a process that has them in memory."""
    if name == "cryptofeed":
        command = [peer_python(), str(_CRYPTOFEED), "-", str(TRADES)]
    else:
        command = [sys.executable, "-m", "benchmarks.binance_handling", name, str(TRADES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        to_it, from_it = process.stdin, process.stdout

        def one_round() -> float:
            to_it.write(b"\n")
            to_it.flush()
            return int(from_it.readline()) / 1e9

        try:
            yield one_round
        finally:
            to_it.close()
