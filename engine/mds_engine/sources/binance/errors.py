"""What Binance's refusals mean."""

import math
import re

import msgspec

from mds_engine.errors import (
    AuthRequired,
    InvalidRequest,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.policy.retry_after import parse_retry_after
from mds_engine.sources.http import Reply, classify_status
from mds_engine.sources.scrub import Scrubber

INVALID_SYMBOL = -1121

_BANNED_UNTIL_MS = re.compile(r"banned until (\d{13})")
_TOO_MANY = frozenset({-1003, -1015, -1034})
_OUT_OF_ORDER = frozenset({-1000, -1001, -1006, -1007, -1008, -1016})
_LOGIN = frozenset({-1002, -1022, -2014, -2015})
_NOT_OFFERED = frozenset({-1100, -1120, INVALID_SYMBOL, -1122, -1220})
"""Wrong symbol, interval or status: another vendor may have what is wanted."""
_MALFORMED = frozenset({-1101, -1102, -1103, -1104, -1105, -1106, -1127, -1128, -1130, -1151})
"""A request that no vendor could make sense of."""


class _Refusal(msgspec.Struct):
    code: int
    msg: str = ""


_REFUSAL = msgspec.json.Decoder(_Refusal)


def refusal_code(reply: Reply) -> int | None:
    """Binance's own error code in a body, None where there is none."""
    refusal = _refusal(reply)
    return None if refusal is None else refusal.code


def classify(reply: Reply, *, wall: float, scrub: Scrubber) -> SourceError | None:
    """The error that a reply stands for, None for a good one. `wall` is now, in epoch seconds."""
    if reply.status < 300 and not reply.body.startswith(b'{"code":'):
        return classify_status(reply, wall=wall, scrub=scrub)
    raw, refusal = scrub(reply.body), _refusal(reply)
    if reply.status in (418, 429) or (refusal is not None and refusal.code in _TOO_MANY):
        return _throttled(reply, refusal, wall, raw)
    if reply.status == 403:
        # Binance's firewall, set off by too many or odd requests. There is no login that would end it,
        # so not AuthRequired; it passes by itself if we slow down.
        return Throttled(
            "the vendor's firewall turned the request away (403)",
            retry_after_s=parse_retry_after(reply.headers.get("retry-after"), wall),
            raw=raw,
        )
    if refusal is None:
        return classify_status(reply, wall=wall, scrub=scrub)
    return _by_code(refusal, scrub, raw) or classify_status(reply, wall=wall, scrub=scrub)


def classify_recorded(body: bytes, status: int | None = None) -> SourceError | None:
    """The error that a recorded body stands for, None for data.

    `status` is its HTTP status, None if that was not kept. When it was recorded
    is not known, so neither is how long a ban still lasts.
    """
    scrub, reply = Scrubber(), Reply(200 if status is None else status, {}, body)
    refusal = _refusal(reply)
    if refusal is None or status in (403, 418):
        return classify(reply, wall=math.inf, scrub=scrub)
    if refusal.code in _TOO_MANY:
        return _throttled(reply, refusal, math.inf, scrub(body), status_known=status is not None)
    return _by_code(refusal, scrub, scrub(body)) or NotFound(
        f"the vendor says: {scrub(refusal.msg)} ({refusal.code})", raw=scrub(body)
    )


def _by_code(refusal: "_Refusal", scrub: Scrubber, raw: str) -> SourceError | None:
    told = f"the vendor says: {scrub(refusal.msg)} ({refusal.code})"
    for codes, kind in (
        (_NOT_OFFERED, NotFound),
        (_MALFORMED, InvalidRequest),
        (_LOGIN, AuthRequired),
        (_OUT_OF_ORDER, Unavailable),
    ):
        if refusal.code in codes:
            return kind(told, raw=raw)
    return None


def _throttled(
    reply: Reply, refusal: _Refusal | None, wall: float, raw: str, *, status_known: bool = True
) -> Throttled:
    message = refusal.msg if refusal is not None else ""
    retry_after_s = parse_retry_after(reply.headers.get("retry-after"), wall)
    until = _BANNED_UNTIL_MS.search(message)
    if until is not None and math.isfinite(wall):
        # The longer of the two: a ban that is asked into grows.
        retry_after_s = max(int(until[1]) / 1000 - wall, retry_after_s or 0.0, 0.0)
    banned = reply.status == 418 or until is not None
    what = "banned this address" if banned else "asks us to slow down"
    number = reply.status if status_known or refusal is None else refusal.code
    return Throttled(f"the vendor {what} ({number})", retry_after_s=retry_after_s, banned=banned, raw=raw)


def _refusal(reply: Reply) -> _Refusal | None:
    if not reply.body.startswith(b"{"):
        return None
    try:
        return _REFUSAL.decode(reply.body)
    except msgspec.DecodeError:
        return None
