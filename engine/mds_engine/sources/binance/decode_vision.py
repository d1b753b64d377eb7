"""Binance Vision's archives: klines as CSV, bare or zipped. Pure."""

import csv
import io
import zipfile
import zlib

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.model import Bars, Instrument, Interval
from mds_engine.sources.binance.decode_rest import Kline, bars_of

_ZIP = b"PK\x03\x04"
_LARGEST_CSV = 256 * 1024 * 1024


def decode_vision(payload: bytes, instrument: Instrument, interval: Interval) -> Bars:
    """A kline archive, CSV or the zip around it. Raises InvalidPayload.

    Spot files have no header and print microseconds from 2025 on, milliseconds
    before; newer futures files have a header.
    """
    text = (_unzipped(payload) if payload.startswith(_ZIP) else payload).decode("ascii", "replace")
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise InvalidPayload(f"the archive cannot be read: {error}") from error
    if rows and rows[0][0] == "open_time":
        del rows[0]
    try:
        klines = msgspec.convert(rows, list[Kline], strict=False)
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"the archive cannot be read: {error}") from error
    return bars_of(klines, instrument, interval)


def _unzipped(payload: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise InvalidPayload(f"the archive holds {len(members)} files where one is due")
            if members[0].file_size > _LARGEST_CSV:
                raise InvalidPayload(f"the archive claims to unpack to {members[0].file_size} bytes")
            return archive.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InvalidPayload(f"the zip file is damaged: {error}") from error
