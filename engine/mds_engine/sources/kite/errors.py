"""What Kite's refusals mean."""

import msgspec

from mds_engine.errors import (
    AuthRequired,
    InvalidRequest,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.sources.http import Reply, classify_status
from mds_engine.sources.scrub import Scrubber

_LOGIN = frozenset({"TokenException", "PermissionException", "UserException", "TwoFAException"})
_OUT_OF_ORDER = frozenset({"GeneralException", "NetworkException", "DataException", "OrderException"})
_ABOUT_THE_LOGIN = ("api_key", "access_token", "api credentials")
_ABOUT_THE_INSTRUMENT = ("instrument", "symbol", "token", "interval", "max limit", "exchange", "segment")


class _Refusal(msgspec.Struct):
    status: str = ""
    message: str | None = None
    error_type: str | None = None


_REFUSAL = msgspec.json.Decoder(_Refusal)


def classify(reply: Reply, *, wall: float, scrub: Scrubber) -> SourceError | None:
    """The error that a reply stands for, None for a good one. `wall` is now, in epoch seconds."""
    if reply.status in (418, 429):
        # Its error type is NetworkException, the same as for a broken gateway: only the status tells.
        return classify_status(reply, wall=wall, scrub=scrub)
    refusal = _refusal(reply.body)
    if refusal is None:
        return classify_status(reply, wall=wall, scrub=scrub)
    return _by_type(refusal, scrub, scrub(reply.body)) or classify_status(reply, wall=wall, scrub=scrub)


def classify_body(body: bytes) -> SourceError | None:
    """The error that a recorded body stands for, its HTTP status unknown; None for data."""
    refusal, scrub = _refusal(body), Scrubber()
    if refusal is None:
        return None
    if "too many" in (refusal.message or "").lower():
        return Throttled("the vendor asks us to slow down", raw=scrub(body))
    return _by_type(refusal, scrub, scrub(body)) or Unavailable(
        f"the vendor says: {scrub(refusal.message or '')}", raw=scrub(body)
    )


def classify_message(message: str, scrub: Scrubber) -> SourceError:
    """What an error that came over the stream stands for; it has no type, only words."""
    told = f"the vendor says: {scrub(message)}"
    if any(word in message.lower() for word in (*_ABOUT_THE_LOGIN, "tokenexception")):
        return AuthRequired(told, raw=scrub(message))
    return Unavailable(told, raw=scrub(message))


def _by_type(refusal: _Refusal, scrub: Scrubber, raw: str) -> SourceError | None:
    message = refusal.message or ""
    told, words = f"the vendor says: {scrub(message)} ({refusal.error_type})", message.lower()
    if refusal.error_type in _LOGIN:
        return AuthRequired(told, raw=raw)
    if refusal.error_type in _OUT_OF_ORDER:
        return Unavailable(told, raw=raw)
    if refusal.error_type != "InputException":
        return None
    if any(word in words for word in _ABOUT_THE_LOGIN):
        # Kite calls a wrong key an input error too.
        return AuthRequired(told, raw=raw)
    if any(word in words for word in _ABOUT_THE_INSTRUMENT):
        # Not the caller's mistake: another vendor may know the instrument, or the interval so far back.
        return NotFound(told, raw=raw)
    return InvalidRequest(told, raw=raw)


def _refusal(body: bytes) -> _Refusal | None:
    if body.lstrip()[:1] != b"{":
        return None
    try:
        refusal = _REFUSAL.decode(body)
    except msgspec.DecodeError:
        return None
    return refusal if refusal.status == "error" else None
