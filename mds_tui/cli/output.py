"""Model objects as JSON lines: the one shape that every verb prints and every script may rely on.

Absent fields are left out; times are ISO 8601 in UTC, as exact as the vendor
gave them.
"""

import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import msgspec
    from mds_engine.errors import MdsError
    from mds_engine.model import Bars

Record = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BAR_COLUMNS = ("open", "high", "low", "close", "volume")
_TIMES = {
    "time_ns": "time",
    "received_ns": "received",
    "after_ns": "after_time",
    "before_ns": "before_time",
}
_NEWS = frozenset({"switched", "gap", "missed"})
"""What a stream says between its ticks."""
_FIRST = ("type", "kind", "instrument", "time")


def iso_time(time_ns: int) -> str:
    """UTC nanoseconds since the epoch as `2025-01-01T09:15:00.123Z`; trailing zeros go in threes."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{nanoseconds:09d}"
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def records(thing: Any, *, everything: bool = False) -> Iterator[Record]:
    """The records of one model object; `Bars` are many. `everything` adds what only some vendors have."""
    from mds_engine.model import Bars, Gap, Missed, Quote, SourceSwitched, Tick

    if isinstance(thing, Bars):
        yield from bar_records(thing, everything=everything)
    elif isinstance(thing, Tick):
        yield _record("tick", thing)
    elif isinstance(thing, Quote):
        yield _record("quote", thing)
    elif isinstance(thing, SourceSwitched | Gap | Missed):
        yield _record(str(thing.__struct_config__.tag), thing)
    else:
        yield _record("instrument", thing)


def bar_records(bars: "Bars", *, everything: bool = False) -> Iterator[Record]:
    """One record a bar, oldest first."""
    from mds_engine.sources.contract import UNTOLD

    columns = {name: getattr(bars, name).tolist() for name in _BAR_COLUMNS}
    named: Record = {}
    if everything:
        columns |= {name: column.tolist() for name, column in bars.extra.items()}
        # A payload that does not say whose bars it holds does not say their interval either.
        if bars.instrument.symbol != UNTOLD:
            named = {"instrument": str(bars.instrument), "interval": bars.interval.value}
    for index, time_ns in enumerate(bars.time_ns.tolist()):
        row = {name: _number(column[index]) for name, column in columns.items()}
        yield {"type": "bar", **named, "time": iso_time(time_ns)} | _present(row)


def error_record(error: "MdsError", **more: Any) -> Record:
    """An error as a record: its class is one of the words of DESIGN."""
    return {"type": "error", "class": type(error).__name__, "message": str(error), **more}


def _record(kind: str, struct: "msgspec.Struct") -> Record:
    import msgspec
    from mds_engine.model import Instrument

    found: Record = {"type": kind}
    for name in type(struct).__struct_fields__:
        value = getattr(struct, name)
        if name in _TIMES:
            # Zero is "not received": nothing was, where a file is decoded.
            found[_TIMES[name]] = iso_time(value) if value else None
        elif name == "flags":
            found[name] = _flags(value)
        elif isinstance(value, Instrument):
            found[name] = str(value)
        elif isinstance(value, msgspec.Struct):
            found[name] = msgspec.to_builtins(value)
        else:
            found[name] = _number(value)
    found = _present(found)
    return {name: found[name] for name in _FIRST if name in found} | found


def _flags(bits: int) -> list[str] | None:
    """How a tick came, in words; absent for one that came straight from a live stream."""
    from mds_engine.model import TickFlag

    return [str(flag.name).lower() for flag in TickFlag(bits)] or None


def _number(value: Any) -> Any:
    """Floats that are whole read better without a fraction; what is not a number is absent."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _present(record: Record) -> Record:
    return {name: value for name, value in record.items() if value is not None and value != ""}


def print_records(found: Iterable[Record], *, as_json: bool) -> int:
    """One line each; returns how many there were."""
    count = 0
    for record in found:
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else plain_line(record))
        count += 1
    return count


def print_json(value: Any) -> None:
    """One JSON value on one line."""
    import msgspec

    click.echo(msgspec.json.encode(value).decode())


def plain_line(record: Record) -> str:
    """A record for people: its time, or what it is where it is no data, then `name value` pairs."""
    pairs = (
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in record.items()
        if name not in ("type", "time")
    )
    first = record["type"] if record.get("type") in _NEWS else record.get("time", "")
    return "  ".join([str(first), *pairs]).strip()
