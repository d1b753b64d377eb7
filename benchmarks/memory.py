"""How much memory an engine takes whose sources need no pandas: Binance and Kite, the simulator elsewhere."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Row

ABOUT = "resident memory of an engine on Binance and Kite after a minute's worth of calls"
CALLS, CALLERS, FOR_S, WITHIN_S = 600, 4, 15.0, 120.0
"""Ten calls a second make a minute's worth; Kite's limit of one a second is kept, so its share takes time."""
HEAVY = ("yfinance", "pandas", "kiteconnect", "pyarrow")
INSTRUMENTS = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "NSE:RELIANCE", "NSE:INFY")


async def run() -> list[Row]:
    """The rows."""
    with simulator() as address:
        # In a process of its own: this one holds the peers of the other benchmarks.
        engine = await asyncio.create_subprocess_exec(
            sys.executable, *("-m", "benchmarks.engine_process", address), stdout=subprocess.PIPE
        )
        told, _ = await asyncio.wait_for(engine.communicate(), WITHIN_S)
    figures = json.loads(told)
    heavy = figures["heavy"]
    return [
        Row(
            what="resident at the end",
            value=figures["rss_mb"],
            unit="MB",
            at_most=120.0,
            note=f"{figures['answered']} quotes and {figures['ticks']} ticks in {figures['took_s']:.0f} s",
        ),
        Row(what="of it, once started and called for the first time", value=figures["started_mb"], unit="MB"),
        Row(
            what=f"of {', '.join(HEAVY)}, how many are imported at the end",
            value=len(heavy),
            unit="",
            at_most=0,
            note=", ".join(heavy),
        ),
    ]


@contextmanager
def simulator() -> Iterator[str]:
    """Where the vendors of a simulator in another process listen, while it runs."""
    command = [sys.executable, "-m", "mds_tui.cli", "simulate", "--json", "--with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().decode()
        process.stdin.close()


def resident_mb() -> float:
    """What this process holds in memory now, in megabytes (millions of bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this system does not tell a process's resident memory")
