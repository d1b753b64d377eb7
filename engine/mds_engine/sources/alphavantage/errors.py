"""Alpha Vantage's failures, which come as HTTP 200. Pure.

The word "premium" is in the throttle's text and in the refusal of a paid
endpoint alike, and the burst throttle also names the daily limit: what tells
them apart is the most specific phrase, looked for first.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    QuotaExhausted,
    SourceError,
    Throttled,
    Unavailable,
)

EASTERN = ZoneInfo("America/New_York")
"""The zone of the vendor's times and of its day."""

_BURST_S = 1.0
_MINUTE_S = 60.0
_RAW_SHOWN = 300

_KEY_ECHO = re.compile(r"(API key as )\S+", re.IGNORECASE)
_PER_SECOND = re.compile(r"requests? per second", re.IGNORECASE)
_PER_MINUTE = re.compile(r"(calls|requests) per minute", re.IGNORECASE)
_PER_DAY = re.compile(r"(calls|requests) per day", re.IGNORECASE)
_PAID = re.compile(r"premium (endpoint|feature|parameter|function)", re.IGNORECASE)
_KEY = re.compile(
    r"apikey is invalid|invalid api ?key|demo\W* api key|claim your free api key", re.IGNORECASE
)


_DOWN = re.compile(r"temporarily unavailable|try again later", re.IGNORECASE)


class _Refusal(msgspec.Struct):
    information: str = msgspec.field(default="", name="Information")
    note: str = msgspec.field(default="", name="Note")
    error: str = msgspec.field(default="", name="Error Message")


_REFUSAL = msgspec.json.Decoder(_Refusal)


def refusal(body: bytes, wall: float | None = None) -> SourceError | None:
    """What a 200 refuses, classified; None if it refuses nothing.

    `wall` is the time now in epoch seconds, which a spent daily plan needs to
    tell when it starts anew. The caller's key is masked in every text.
    """
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        found = _REFUSAL.decode(body)
    except msgspec.MsgspecError:
        return None
    text = mask_key(found.error or found.information or found.note)
    if not text:
        return None
    if found.error:
        return _of_error_message(text)
    return _of_information(text, wall)


def mask_key(text: str) -> str:
    """The vendor's words without the key that one of its variants repeats."""
    return _KEY_ECHO.sub(r"\1***", text)


def next_reset(wall: float) -> float:
    """When the plan's day ends, in epoch seconds: the next midnight of US/Eastern after `wall`."""
    today = datetime.fromtimestamp(wall, UTC).astimezone(EASTERN).date()
    return datetime.combine(today + timedelta(days=1), datetime.min.time(), EASTERN).timestamp()


def excerpt(body: bytes) -> str:
    """The beginning of a body, key masked, for the operator."""
    return mask_key(body[: 2 * _RAW_SHOWN].decode("utf-8", "replace"))[:_RAW_SHOWN]


def _of_error_message(text: str) -> SourceError:
    if _KEY.search(text):
        return AuthRequired("Alpha Vantage refuses the API key", raw=text)
    # Function and interval are ours and right, so it is the symbol that it does not know.
    return NotFound("Alpha Vantage does not know what was asked for", raw=text)


def _of_information(text: str, wall: float | None) -> SourceError:
    if _PER_SECOND.search(text):
        return Throttled("Alpha Vantage: more than one request a second", retry_after_s=_BURST_S, raw=text)
    if _PER_MINUTE.search(text):
        return Throttled("Alpha Vantage: too many calls a minute", retry_after_s=_MINUTE_S, raw=text)
    if _PER_DAY.search(text):
        resets_at = None if wall is None else next_reset(wall)
        return QuotaExhausted(
            "Alpha Vantage: the plan's calls of today are spent", resets_at=resets_at, raw=text
        )
    if _PAID.search(text):
        # Not AuthRequired: the key is good, and would be taken out of service with
        # everything that its plan does include.
        return NotFound("Alpha Vantage: the key's plan does not include this data", raw=text)
    if _KEY.search(text):
        return AuthRequired("Alpha Vantage wants an API key of our own", raw=text)
    if _DOWN.search(text):
        return Unavailable("Alpha Vantage says that it cannot answer now", raw=text)
    return InvalidPayload("Alpha Vantage answered with a text instead of data", raw=text)
