"""`python -m benchmarks [NAME...]`: runs benchmarks one after the other, prints a table, keeps the JSON."""

import argparse
import asyncio
import importlib
import logging
import sys
import traceback
from pathlib import Path

import structlog

from benchmarks.report import Result, as_table, make_report, write_json

NAMES = (
    "guarded_call",
    "quote_over_http",
    "failover",
    "decode_kite",
    "decode_binance",
    "decode_yahoo",
    "stream_path",
    "send_to_board",
    "stream_failover",
    "stream_load",
    "console_load",
    "first_paint",
    "memory",
)
_RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Exit 1 if a row broke its limit or a benchmark did not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="folder for the JSON")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    # Our events go to a file when the console runs; here they would only stand in the way.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    results = []
    for name in options.names or NAMES:
        result = _run(name)
        print(as_table(result), flush=True)
        results.append(result)
    file = write_json(make_report(results), options.output)
    print(f"written: {file}")
    return 0 if all(result.passed for result in results) else 1


def _run(name: str) -> Result:
    module = importlib.import_module(f"benchmarks.{name}")
    try:
        rows = asyncio.run(module.run())
    except Exception as error:  # noqa: BLE001  the others shall still run
        traceback.print_exc()
        return Result(name=name, about=module.ABOUT, failure=f"{type(error).__name__}: {error}")
    return Result(name=name, about=module.ABOUT, rows=tuple(rows))


if __name__ == "__main__":
    sys.exit(main())
