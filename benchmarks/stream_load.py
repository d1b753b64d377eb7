"""Thousands of instruments and three readers, one of which stands still: memory, and whether a tick is lost.

`BENCH_LOAD_S` says for how many seconds. The first thirty warm up: each lane
remembers the last 64 ticks of its instrument, which come four a second.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.report import Row
from benchmarks.stream_server import stream_server

ABOUT = "an engine under load, the vendor in another process, one of three readers stalled"
INSTRUMENTS, A_SECOND = 5_000, 20_000
FOR_S = float(os.environ.get("BENCH_LOAD_S", "60"))
_WARM_S = 30.0
_GROWTH_MB = 5.0


async def run() -> list[Row]:
    """The rows."""
    with stream_server() as server, _engine(server.url("load")) as engine:
        sent = server.load("load", INSTRUMENTS, A_SECOND, FOR_S)
        told, _ = engine.communicate()
    figures = json.loads(told)
    resident, whole = figures["resident_mb"][-int(FOR_S) :], sum(sent.values())  # one a second
    measured = resident[int(min(_WARM_S, FOR_S / 2)) :]
    tenth = max(1, len(measured) // 10)
    before, after = median(measured[:tenth]), median(measured[-tenth:])
    lost = [whole - sum(ticks.values()) for ticks in figures["ticks"]]
    return [
        Row(what=f"resident memory gained in {len(measured)} s, once the lanes are full",
            value=after - before, unit="MB", at_most=_GROWTH_MB,
            note=f"{before:.1f} MB, then {after:.1f} MB; {INSTRUMENTS:,} instruments,"
                 f" {whole / FOR_S:,.0f} ticks/s"),
        Row(what="ticks that the two readers lost which did not stall", value=sum(map(abs, lost)), unit="",
            at_most=0, note=f"{whole:,} sent; the one that stalled missed {figures['stalled_missed']:,}"),
        Row(what="ticks twice or out of order at these two, misses and gaps told to them", unit="",
            value=figures["disordered"] + figures["told"], at_most=0),
    ]  # fmt: skip


@contextmanager
def _engine(url: str) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "benchmarks.load_process", url, str(INSTRUMENTS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
