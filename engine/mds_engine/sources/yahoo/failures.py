"""Yahoo's ways of saying no, classified."""

import msgspec

from mds_engine.errors import AuthRequired, InvalidPayload, NotFound, SourceError, Throttled, Unavailable

_RAW_SHOWN = 300


class ErrorBody(msgspec.Struct):
    """`{"code": "Not Found", "description": "…"}`, inside `chart`, `finance` or `quoteResponse`."""

    code: str = ""
    description: str = ""


class _Envelope(msgspec.Struct):
    error: ErrorBody | None = None


class _AnyBody(msgspec.Struct):
    chart: _Envelope | None = None
    finance: _Envelope | None = None
    quote_response: _Envelope | None = msgspec.field(default=None, name="quoteResponse")


_BODY = msgspec.json.Decoder(_AnyBody)


def excerpt(body: bytes | str) -> str:
    """The beginning of a body, for the operator."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    return text[:_RAW_SHOWN]


def is_throttle_text(body: bytes | str) -> bool:
    """Whether a body is Yahoo's plain-text throttle, which also comes in place of a crumb."""
    return "too many requests" in excerpt(body).lower()


def classify_error(error: ErrorBody, status: int = 200) -> SourceError:
    """The class of an error object; the HTTP status decides where its code is unknown."""
    words = f"Yahoo says {error.code}: {error.description}"
    by_code: dict[str, type[SourceError]] = {
        "Not Found": NotFound,
        # A range or interval that Yahoo does not keep; another vendor may.
        "Unprocessable Entity": NotFound,
        "Bad Request": NotFound,
        "argument-error": NotFound,
        "Unauthorized": AuthRequired,
        "Too Many Requests": Throttled,
        "internal-error": Unavailable,
        "Internal Server Error": Unavailable,
        "Service Unavailable": Unavailable,
    }
    return by_code.get(error.code, _class_of_status(status))(words, raw=words)


def classify_status(status: int, body: bytes | str, retry_after_s: float | None = None) -> SourceError:
    """The class of an answer whose HTTP status is 400 or more."""
    raw = excerpt(body)
    if status in {418, 429} or is_throttle_text(raw):
        return Throttled(
            f"Yahoo answered {status}: too many requests",
            retry_after_s=retry_after_s,
            banned=status == 418,
            raw=raw,
        )
    if status < 500 and (error := error_in(body)) is not None:
        return classify_error(error, status)
    if status < 500 and _is_cut_short(body):
        return InvalidPayload(f"Yahoo's words to its HTTP {status} were cut short", raw=raw)
    return _class_of_status(status)(f"Yahoo answered HTTP {status}", raw=raw)


def error_in(body: bytes | str) -> ErrorBody | None:
    """The error object of a body, None where there is none or the body is not JSON."""
    try:
        found = _BODY.decode(body)
    except msgspec.MsgspecError:
        return None
    envelopes = (found.chart, found.finance, found.quote_response)
    return next((envelope.error for envelope in envelopes if envelope and envelope.error), None)


def not_understood(body: bytes, why: Exception) -> SourceError:
    """The class of a 200 whose body is not what was asked for."""
    if is_throttle_text(body):
        return Throttled("Yahoo answered 200 with: Too Many Requests", raw=excerpt(body))
    if (error := error_in(body)) is not None:
        return classify_error(error)
    return InvalidPayload(f"Yahoo's body cannot be read: {why}", raw=excerpt(body))


def _is_cut_short(body: bytes | str) -> bool:
    """Whether it began as JSON and does not end as such."""
    if excerpt(body).lstrip()[:1] != "{":
        return False
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return True
    return False


def _class_of_status(status: int) -> type[SourceError]:
    if status >= 500 or status in {408, 425}:
        return Unavailable
    if status in {401, 403, 407}:
        return AuthRequired
    if status in {400, 404, 410, 422}:
        return NotFound
    return InvalidPayload
