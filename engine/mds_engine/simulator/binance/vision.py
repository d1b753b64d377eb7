"""Archives of klines: a zip with one headerless CSV, and its checksum beside it.

Spot archives count in milliseconds up to 2024 and in microseconds from
2025-01-01 on. Path and layout: github.com/binance/binance-public-data.
"""

import calendar
import hashlib
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

from mds_engine.simulator.binance.rest import kline_rows
from mds_engine.simulator.binance.symbols import INTERVALS_S, edges
from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.market import Market, UnknownInstrumentError

_PATH = re.compile(
    r"/data/spot/(?P<period>daily|monthly)/klines/(?P<symbol>[A-Z0-9]+)/(?P<interval>\d+[smhdw]o?)/"
    r"(?P<stem>[A-Z0-9]+-\w+-(?P<year>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d))?)\.zip(?P<checksum>\.CHECKSUM)?"
)
_MICROSECONDS_FROM = datetime(2025, 1, 1, tzinfo=UTC)


def archive(path: str, market: Market) -> bytes | None:
    """The file at a path, None if there is none (yet: a day's file appears when the day is over)."""
    asked = _PATH.fullmatch(path)
    if asked is None:
        return None
    interval = "1M" if asked["interval"] == "1mo" else asked["interval"]
    if asked["stem"].split("-")[:2] != [asked["symbol"], asked["interval"]] or interval not in INTERVALS_S:
        return None
    period = _period(asked)
    if period is None or period[1].timestamp() > market.now():
        return None
    rows = _rows(f"BINANCE:{asked['symbol']}", interval, *period, market)
    if rows is None:
        return None
    packed = _zip(f"{asked['stem']}.csv", rows, period[0])
    if asked["checksum"] is None:
        return packed
    return f"{hashlib.sha256(packed).hexdigest()}  {asked['stem']}.zip\n".encode()


def _period(asked: re.Match[str]) -> tuple[datetime, datetime] | None:
    if (asked["day"] is not None) != (asked["period"] == "daily"):
        return None
    try:
        start = datetime(int(asked["year"]), int(asked["month"]), int(asked["day"] or 1), tzinfo=UTC)
    except ValueError:
        return None
    days = 1 if asked["day"] is not None else calendar.monthrange(start.year, start.month)[1]
    return start, start + timedelta(days=days)


def _rows(instrument: str, interval: str, start: datetime, end: datetime, market: Market) -> bytes | None:
    try:
        listing = market.listing(instrument)
    except UnknownInstrumentError:
        return None
    first = max(start.timestamp(), float(listing.listed_at // DAY_S * DAY_S))
    bars = market.candles_between(instrument, edges(interval, first, end.timestamp() - 1))
    if len(bars) == 0:
        return None
    unit = 1_000_000 if start >= _MICROSECONDS_FROM else 1_000
    return "".join(",".join(map(str, row)) + "\n" for row in kline_rows(bars, unit)).encode()


def _zip(name: str, content: bytes, made: datetime) -> bytes:
    buffer = io.BytesIO()
    entry = zipfile.ZipInfo(name, date_time=(made.year, made.month, made.day, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr(entry, content)
    return buffer.getvalue()
