"""`GLOBAL_QUOTE` and `TIME_SERIES_*` bodies to the model. Pure."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
from numpy.typing import NDArray

from mds_engine.errors import InvalidPayload, NotFound, SourceError
from mds_engine.model import Bars, Instrument, Interval, Quote
from mds_engine.sources.alphavantage.errors import EASTERN, excerpt, refusal
from mds_engine.sources.alphavantage.symbols import to_instrument
from mds_engine.sources.contract import UNTOLD

_SERIES_KEY = re.compile(r"\A(?:Weekly |Monthly )?(?:Adjusted )?Time Series|\ATime Series", re.IGNORECASE)
_INTERVALS = {
    "1min": Interval.M1,
    "5min": Interval.M5,
    "15min": Interval.M15,
    "30min": Interval.M30,
    "60min": Interval.H1,
    "daily": Interval.D1,
    "weekly": Interval.W1,
    "monthly": Interval.MO1,
}
"""By the word in the name of the series: `Time Series (1min)`, `Weekly Time Series`."""

_UNKNOWN = Instrument("US", UNTOLD)
"""CSV does not say what it is about."""

_SECOND_NS = 1_000_000_000


class _GlobalQuote(msgspec.Struct):
    symbol: str = msgspec.field(default="", name="01. symbol")
    open: float | None = msgspec.field(default=None, name="02. open")
    high: float | None = msgspec.field(default=None, name="03. high")
    low: float | None = msgspec.field(default=None, name="04. low")
    price: float | None = msgspec.field(default=None, name="05. price")
    volume: float | None = msgspec.field(default=None, name="06. volume")
    previous_close: float | None = msgspec.field(default=None, name="08. previous close")


class _QuoteBody(msgspec.Struct):
    quote: _GlobalQuote = msgspec.field(name="Global Quote")


class _Row(msgspec.Struct):
    open: float = msgspec.field(name="1. open")
    high: float = msgspec.field(name="2. high")
    low: float = msgspec.field(name="3. low")
    close: float = msgspec.field(name="4. close")
    volume: float | None = msgspec.field(default=None, name="5. volume")
    adjusted_close: float | None = msgspec.field(default=None, name="5. adjusted close")
    volume_beside_adjusted: float | None = msgspec.field(default=None, name="6. volume")


# The vendor writes every number as a string: not strict.
_QUOTE = msgspec.json.Decoder(_QuoteBody, strict=False)
_ROWS = msgspec.json.Decoder(dict[str, _Row], strict=False)
_META = msgspec.json.Decoder(dict[str, str])
_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_quote(body: bytes, instrument: Instrument | None = None, *, wall: float | None = None) -> Quote:
    """The quote of a `GLOBAL_QUOTE` body. It has no time: the vendor tells the trading day only.

    Raises NotFound for the empty quote that an unknown symbol gets, and what
    the body refuses (see `refusal`; `wall` in epoch seconds).
    """
    try:
        quote = _QUOTE.decode(body).quote
    except msgspec.MsgspecError as error:
        raise _not_understood(body, error, wall) from error
    if not quote.symbol and quote.price is None:
        raise NotFound("Alpha Vantage does not know the symbol", raw=excerpt(body))
    if quote.price is None or not quote.price > 0 or quote.price == float("inf"):
        raise InvalidPayload(f"Alpha Vantage's price of {quote.symbol} is {quote.price}", raw=excerpt(body))
    return Quote(
        instrument=instrument or to_instrument(quote.symbol),
        price=quote.price,
        open=quote.open or None,
        high=quote.high or None,
        low=quote.low or None,
        previous_close=quote.previous_close or None,
        volume=quote.volume,
    )


def decode_series(body: bytes, instrument: Instrument | None = None, *, wall: float | None = None) -> Bars:
    """The bars of a `TIME_SERIES_*` body, JSON or CSV, oldest first.

    Times are the zone's own (US/Eastern, daylight saving included). A daily
    bar opens at midnight there; weeks and months, which the vendor names by
    their last day, open on Monday and on the first.
    """
    if (refused := refusal(body, wall)) is not None:
        raise refused
    if body.lstrip().startswith(b"{"):
        return _series_of_json(body, instrument)
    return _series_of_csv(body, instrument or _UNKNOWN)


def _series_of_json(body: bytes, instrument: Instrument | None) -> Bars:
    try:
        parts = _BODY.decode(body)
        name = next((name for name in parts if _SERIES_KEY.match(name)), None)
        if name is None:
            raise _without_series(parts, body)
        meta = {_plain(key): value for key, value in _META.decode(parts.get("Meta Data", b"{}")).items()}
        rows = _ROWS.decode(parts[name])
    except msgspec.MsgspecError as error:
        raise _not_understood(body, error, None) from error
    if not rows:
        raise NotFound("Alpha Vantage has no bars of the symbol", raw=excerpt(body))
    columns = {
        field: [getattr(row, field) for row in rows.values()] for field in ("open", "high", "low", "close")
    }
    volumes = [row.volume if row.volume is not None else row.volume_beside_adjusted for row in rows.values()]
    columns["volume"] = volumes
    if all(row.adjusted_close is not None for row in rows.values()):
        columns["adjusted_close"] = [row.adjusted_close for row in rows.values()]
    zone = _zone(meta.get("time zone", "US/Eastern"), body)
    return _bars(
        instrument or to_instrument(meta.get("symbol", UNTOLD)),
        _named(name, body),
        zone,
        list(rows),
        columns,
        body,
    )


def _series_of_csv(body: bytes, instrument: Instrument) -> Bars:
    lines = body.decode("utf-8", "replace").replace("\r", "").strip().split("\n")
    header = lines[0].lower().split(",")
    if header[:5] not in (
        ["timestamp", "open", "high", "low", "close"],
        ["time", "open", "high", "low", "close"],
    ):
        raise InvalidPayload("Alpha Vantage's answer is neither JSON nor its CSV", raw=excerpt(body))
    rows = [line.split(",") for line in lines[1:] if line]
    if not rows:
        raise NotFound("Alpha Vantage has no bars of the symbol", raw=excerpt(body))
    if any(len(row) != len(header) for row in rows):
        raise InvalidPayload("Alpha Vantage's CSV has a line cut short", raw=excerpt(body))
    cells = list(zip(*rows, strict=True))
    try:
        columns: dict[str, list[float | None]] = {
            name: [float(cell) for cell in cells[place]]
            for place, name in enumerate(header)
            if name in {"open", "high", "low", "close", "volume"}
        }
    except ValueError as error:
        raise InvalidPayload(f"Alpha Vantage's CSV holds no numbers: {error}", raw=excerpt(body)) from error
    if "volume" not in columns:
        columns["volume"] = [None] * len(rows)
    return _bars(instrument, None, EASTERN, list(cells[0]), columns, body)


def _bars(
    instrument: Instrument,
    interval: Interval | None,
    zone: ZoneInfo,
    times: list[str],
    columns: dict[str, list[float | None]],
    body: bytes,
) -> Bars:
    try:
        local = np.array(times, dtype="datetime64[s]")
    except ValueError as error:
        raise InvalidPayload(f"Alpha Vantage's time cannot be read: {error}", raw=excerpt(body)) from error
    order = np.argsort(local, kind="stable")
    local = local[order]
    if interval is None:
        interval = _told_by_times(local, body)
    time_ns = _to_utc(_opening(local, interval), zone) * _SECOND_NS
    if np.any(np.diff(time_ns) <= 0):
        raise InvalidPayload("Alpha Vantage sent two bars of the same time", raw=excerpt(body))
    arrays = {name: np.array(values, dtype=np.float64)[order] for name, values in columns.items()}
    if any(np.any(array < 0) or np.any(np.isinf(array)) for array in arrays.values()):
        raise InvalidPayload("Alpha Vantage's bars hold impossible values", raw=excerpt(body))
    return Bars.from_rows(instrument, interval, time_ns, arrays)


def _opening(local: NDArray[np.datetime64], interval: Interval) -> NDArray[np.datetime64]:
    if interval is Interval.W1:
        # 1970-01-01 was a Thursday, the fourth day of a week that opens on Monday.
        days = local.astype("datetime64[D]").astype(np.int64)
        return (days - (days + 3) % 7).astype("datetime64[D]").astype("datetime64[s]")
    if interval is Interval.MO1:
        return local.astype("datetime64[M]").astype("datetime64[s]")
    return local


def _to_utc(local: NDArray[np.datetime64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Naive local seconds to UTC seconds: one look-up of the zone an hour that occurs, not one a bar."""
    seconds = local.astype(np.int64)
    hours, places = np.unique(seconds // 3600, return_inverse=True)
    epoch = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    offsets = [_offset_s(epoch + timedelta(hours=int(hour)), zone) for hour in hours]
    return seconds - np.array(offsets, dtype=np.int64)[places]


def _offset_s(local: datetime, zone: ZoneInfo) -> int:
    offset = local.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _told_by_times(local: NDArray[np.datetime64], body: bytes) -> Interval:
    """CSV does not say its interval: the shortest step between two of its times does."""
    steps = np.diff(local.astype(np.int64))
    step = int(steps.min()) if len(steps) else Interval.D1.seconds
    for interval in reversed(list(_INTERVALS.values())):
        # A month has 28 days at least, a week with holidays may name Thursday: 4 days on.
        shortest = {Interval.MO1: 25 * 86400, Interval.W1: 4 * 86400}.get(interval, interval.seconds)
        if step >= shortest:
            return interval
    raise InvalidPayload(f"Alpha Vantage's times are {step} s apart", raw=excerpt(body))


def _named(series: str, body: bytes) -> Interval:
    lowered = series.lower()
    for word, interval in _INTERVALS.items():
        if re.search(rf"\b{word}\b", lowered):
            return interval
    raise InvalidPayload(f"Alpha Vantage's series {series!r} is not known", raw=excerpt(body))


def _zone(name: str, body: bytes) -> ZoneInfo:
    if name == "US/Eastern":
        return EASTERN
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidPayload(f"Alpha Vantage's time zone {name!r} is not known", raw=excerpt(body)) from error


def _plain(key: str) -> str:
    """`4. Time Zone` and `4: Time Zone` as `time zone`: the numbers differ from series to series."""
    return re.sub(r"\A\d+[.:]\s*", "", key).lower()


def _without_series(parts: dict[str, msgspec.Raw], body: bytes) -> SourceError:
    if not parts:
        return NotFound("Alpha Vantage sent an empty answer", raw=excerpt(body))
    return InvalidPayload(
        f"Alpha Vantage's answer holds no time series but {', '.join(parts)}", raw=excerpt(body)
    )


def _not_understood(body: bytes, error: Exception, wall: float | None) -> SourceError:
    if (refused := refusal(body, wall)) is not None:
        return refused
    if body.strip() == b"{}":
        return NotFound("Alpha Vantage sent an empty answer")
    return InvalidPayload(f"Alpha Vantage's body cannot be read: {error}", raw=excerpt(body))
