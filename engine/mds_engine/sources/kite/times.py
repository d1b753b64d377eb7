"""Kite's clock: Indian Standard Time, which has no summer time."""

from datetime import UTC, datetime, timedelta, timezone

IST = timezone(timedelta(hours=5, minutes=30), "IST")

_NS_A_S = 1_000_000_000


def to_ns(text: str) -> int:
    """UTC nanoseconds of `2021-06-08 15:45:56` (naive: IST) or `2017-12-15T09:15:00+0530`.

    Raises ValueError.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=IST)
    return round(moment.timestamp()) * _NS_A_S


def to_text(time_ns: int) -> str:
    """`yyyy-mm-dd HH:MM:SS` in IST, as the historical endpoint wants it; fractions are cut off."""
    return datetime.fromtimestamp(time_ns // _NS_A_S, IST).strftime("%Y-%m-%d %H:%M:%S")


def next_dump_after(wall: float) -> float:
    """When Zerodha next renews its list of instruments (08:30 IST), epoch seconds; `wall` is now."""
    now = datetime.fromtimestamp(wall, UTC).astimezone(IST)
    today = now.replace(hour=8, minute=30, second=0, microsecond=0)
    return (today if now < today else today + timedelta(days=1)).timestamp()


def login_ends_at(wall: float) -> float:
    """When Zerodha ends a login that was done at `wall`: the next 06:00 IST. Both are epoch seconds UTC."""
    now = datetime.fromtimestamp(wall, UTC).astimezone(IST)
    today = now.replace(hour=6, minute=0, second=0, microsecond=0)
    return (today if now < today else today + timedelta(days=1)).timestamp()
