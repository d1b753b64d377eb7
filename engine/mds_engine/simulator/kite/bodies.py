"""Kite's JSON bodies: one envelope around everything, success and error alike."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from mds_engine.simulator.kite.picture import DepthLevel, Picture
from mds_engine.simulator.market import Candles

IST = timezone(timedelta(hours=5, minutes=30))

WRONG_TOKEN = "Incorrect `api_key` or `access_token`."  # noqa: S105 - the vendor's words, not a secret
TOO_MANY_REQUESTS = "Too many requests"

_NOTHING: Mapping[str, float | int] = {"price": 0, "quantity": 0, "orders": 0}


def success(data: Any) -> bytes:
    """The envelope of an answer."""
    return _json({"status": "success", "data": data})


def error(message: str, error_type: str) -> bytes:
    """The envelope of a refusal; `error_type` names the SDK's exception class."""
    return _json({"status": "error", "message": message, "data": None, "error_type": error_type})


def throttled() -> bytes:
    """The body of a 429: written by the gateway, so without `data`, and with other spacing."""
    return json.dumps(
        {"status": "error", "message": TOO_MANY_REQUESTS, "error_type": "NetworkException"}
    ).encode()


def quote(picture: Picture) -> dict[str, Any]:
    """One entry of `/quote`."""
    return {
        "instrument_token": picture.token,
        "timestamp": local_time(picture.exchange_time),
        "last_trade_time": None if picture.is_index else local_time(picture.last_trade_time),
        "last_price": number(picture.last_price),
        "last_quantity": picture.last_quantity,
        "buy_quantity": picture.buy_quantity,
        "sell_quantity": picture.sell_quantity,
        "volume": picture.volume,
        "average_price": number(picture.average_price),
        "oi": picture.open_interest,
        "oi_day_high": picture.open_interest_high,
        "oi_day_low": picture.open_interest_low,
        "net_change": number(round(picture.last_price - picture.previous_close, 2)),
        "lower_circuit_limit": number(picture.lower_circuit),
        "upper_circuit_limit": number(picture.upper_circuit),
        "ohlc": _day(picture),
        "depth": {"buy": _levels(picture.bids), "sell": _levels(picture.asks)},
    }


def ohlc(picture: Picture) -> dict[str, Any]:
    """One entry of `/quote/ohlc`."""
    return {**ltp(picture), "ohlc": _day(picture)}


def ltp(picture: Picture) -> dict[str, Any]:
    """One entry of `/quote/ltp`."""
    return {"instrument_token": picture.token, "last_price": number(picture.last_price)}


def candles(bars: Candles, *, with_open_interest: bool) -> dict[str, Any]:
    """The data of `/instruments/historical`: rows of six columns, or of seven with open interest."""
    tail = [0] if with_open_interest else []
    return {
        "candles": [
            [candle_time(start), *(number(price) for price in prices), int(volume), *tail]
            for start, *prices, volume in _rows(bars)
        ]
    }


def local_time(epoch_s: float) -> str:
    """A naive Indian time, as quotes have it."""
    return datetime.fromtimestamp(epoch_s, UTC).astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")


def candle_time(epoch_s: float) -> str:
    """An Indian time with its offset, but without the colon that ISO 8601's extended form wants."""
    return datetime.fromtimestamp(epoch_s, UTC).astimezone(IST).strftime("%Y-%m-%dT%H:%M:%S%z")


def number(value: float) -> float | int:
    """A price as Kite prints it: 1075, not 1075.0."""
    return int(value) if value == int(value) else value


def _day(picture: Picture) -> dict[str, float | int]:
    return {
        "open": number(picture.open),
        "high": number(picture.high),
        "low": number(picture.low),
        "close": number(picture.previous_close),
    }


def _levels(levels: Sequence[DepthLevel]) -> list[Mapping[str, float | int]]:
    shown: list[Mapping[str, float | int]] = [
        {"price": number(level.price), "quantity": level.quantity, "orders": level.orders} for level in levels
    ]
    return shown + [_NOTHING] * (5 - len(shown))


def _rows(bars: Candles) -> Iterable[tuple[int, float, float, float, float, float]]:
    columns = (bars.start, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return zip(*(column.tolist() for column in columns), strict=True)


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
