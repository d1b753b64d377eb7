"""Kite's time zone and its mornings."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")
HOUR_S = 3600.0


def wall(text: str) -> float:
    """Epoch seconds of an ISO date and time in India."""
    return datetime.fromisoformat(text).replace(tzinfo=INDIA).timestamp()


def next_six(at: float) -> float:
    """Kite's rule: every login ends at the next 06:00."""
    local = datetime.fromtimestamp(at, INDIA)
    six = local.replace(hour=6, minute=0, second=0, microsecond=0)
    return (six if local < six else six + timedelta(days=1)).timestamp()
