"""The Retry-After header in both of its forms (RFC 9110, section 10.2.3)."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime


def parse_retry_after(value: str | None, wall_now: float) -> float | None:
    """Seconds from `wall_now` (epoch seconds UTC) until the vendor wants to be asked again.

    Takes seconds, whole or not, or an HTTP date; a time that is past is 0.
    None if there is no header or it cannot be read, so that the caller uses a wait of its own.
    """
    text = (value or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _until_date(text, wall_now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until_date(text: str, wall_now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone means GMT: HTTP knows no other.
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, at - wall_now)
