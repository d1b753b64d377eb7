"""Kite's daily list of instruments, a CSV of about a hundred thousand rows. Pure."""

import csv
import io
from datetime import date

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument


class KiteInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the list."""

    instrument: Instrument
    token: int
    name: str
    expiry: date | None
    strike: float
    tick_size: float
    lot_size: float
    instrument_type: str
    segment: str


def decode_instruments(body: bytes) -> list[KiteInstrument]:
    """Every row, in the vendor's order. Columns are found by name. Raises InvalidPayload."""
    reader = csv.reader(io.StringIO(_text(body)))
    header = _header(next(reader, []))
    try:
        return [_instrument(dict(zip(header, row, strict=True))) for row in reader if row]
    except ValueError as error:
        raise InvalidPayload(f"row {reader.line_num} of the instruments cannot be read: {error}") from error


def decode_tokens(body: bytes) -> dict[Instrument, int]:
    """Only each instrument's token: a tenth of the work and of the memory. Raises InvalidPayload."""
    reader = csv.reader(io.StringIO(_text(body)))
    header = _header(next(reader, []))
    exchange, symbol, token = (
        header.index(name) for name in ("exchange", "tradingsymbol", "instrument_token")
    )
    try:
        return {
            Instrument(row[exchange], row[symbol]): int(row[token])
            for row in reader
            if row and _is_whole(row, header)
        }
    except ValueError as error:
        raise InvalidPayload(f"row {reader.line_num} of the instruments cannot be read: {error}") from error


def _is_whole(row: list[str], header: list[str]) -> bool:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} columns where {len(header)} are due")
    return True


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidPayload(f"the instruments are no text: {error}") from error


_NEEDED = frozenset(
    {"instrument_token", "tradingsymbol", "name", "expiry", "strike"}
    | {"tick_size", "lot_size", "instrument_type", "segment", "exchange"}
)


def _header(names: list[str]) -> list[str]:
    missing = _NEEDED.difference(names)
    if missing:
        raise InvalidPayload(f"the instruments have no column {', '.join(sorted(missing))}")
    return names


def _instrument(row: dict[str, str]) -> KiteInstrument:
    return KiteInstrument(
        instrument=Instrument(row["exchange"], row["tradingsymbol"]),
        token=int(row["instrument_token"]),
        name=row["name"],
        expiry=date.fromisoformat(row["expiry"]) if row["expiry"] else None,
        strike=float(row["strike"] or 0),
        tick_size=float(row["tick_size"] or 0),
        lot_size=float(row["lot_size"] or 0),
        instrument_type=row["instrument_type"],
        segment=row["segment"],
    )
