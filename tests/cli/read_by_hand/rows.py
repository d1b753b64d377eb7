"""What `decode` prints, as rows: the shapes that all vendors share."""

from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]
PRICES = ("open", "high", "low", "close", "volume")


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at_ms(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return at(seconds) if not rest else at(seconds).replace("Z", f".{rest:03d}Z")


def bar(time: str, values: list[Any]) -> Row:
    told = zip(PRICES, values, strict=True)
    return {"type": "bar", "time": time} | {name: float(value) for name, value in told if value is not None}
