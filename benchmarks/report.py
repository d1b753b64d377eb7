"""What a benchmark tells: rows with their limits and verdicts, as a table and as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec

Verdict = Literal["pass", "fail", "told"]
"""`told` is a figure without a limit, for comparison."""

_VERSIONS_OF = (
    "aiolimiter", "httpx", "kiteconnect", "msgspec", "numpy", "picows", "prometheus-client", "purgatory",
    "stamina", "textual", "websockets", "yfinance",
)  # fmt: skip


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one benchmark."""

    what: str
    value: float
    unit: str = "x"
    """`x` for a ratio, else as `us`, `ms`, `MB`."""
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""
    """What the figure is made of, with the times of this run."""

    @property
    def verdict(self) -> Verdict:
        """Whether it keeps its limit."""
        if self.at_most is None and self.at_least is None:
            return "told"
        too_high = self.at_most is not None and self.value > self.at_most
        too_low = self.at_least is not None and self.value < self.at_least
        return "fail" if too_high or too_low else "pass"

    @property
    def limit(self) -> str:
        """The limit in words."""
        if self.at_most is not None:
            return f"<= {self.at_most:g} {self.unit}"
        return "" if self.at_least is None else f">= {self.at_least:g} {self.unit}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark's rows, or why it has none."""

    name: str
    about: str
    rows: tuple[Row, ...] = ()
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran, and no row broke its limit."""
        return not self.failure and all(row.verdict != "fail" for row in self.rows)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    at: str
    """ISO 8601, UTC."""
    machine: Mapping[str, str | float]
    versions: Mapping[str, str]
    results: tuple[Result, ...]


def make_report(results: Sequence[Result]) -> Report:
    """The run's results with where and on what they were measured."""
    return Report(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine={
            "cores": os.cpu_count() or 0,
            "processor": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
            "load_1_minute": round(os.getloadavg()[0], 2),
        },
        versions={name: metadata.version(name) for name in _VERSIONS_OF},
        results=tuple(results),
    )


def write_json(report: Report, folder: Path) -> Path:
    """Keep a run: one file a run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{report.at.replace(':', '').replace('+0000', 'Z')}.json"
    rows = msgspec.to_builtins(report)
    for result, told in zip(report.results, rows["results"], strict=True):
        for row, line in zip(result.rows, told["rows"], strict=True):
            line["verdict"] = row.verdict
    file.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
    return file


def as_table(result: Result) -> str:
    """One benchmark for the terminal."""
    lines = [f"{result.name}: {result.about}"]
    if result.failure:
        lines.append(f"  FAILED TO RUN: {result.failure}")
    for row in result.rows:
        verdict = "" if row.verdict == "told" else row.verdict.upper()
        lines.append(f"  {verdict:4} {row.value:>9.3g} {row.unit:2}  {row.limit:>10}  {row.what}")
        if row.note:
            lines.append(f"{'':32}{row.note}")
    return "\n".join(lines) + "\n"
