"""A place in a recording, as an operator writes it: `14:03:21`, `+30s`, `-5m`, `start`, `end`. Pure."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from mds_engine.replay_link import Playback

from mds_tui.format.numbers import clock, zone_name

_BY = re.compile(r"([+-])(\d+(?:\.\d+)?)(ms|s|m|h|)\Z")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


class UnknownPlaceError(Exception):
    """What was written is no place in the recording; the message says what would be."""


def place_of(words: str, playback: Playback, zone: tzinfo | None) -> float:
    """The time that is meant, epoch seconds. Raises UnknownPlaceError."""
    if words in ("start", "end"):
        return playback.start if words == "start" else playback.end
    if found := _BY.match(words):
        sign, number, unit = found.groups()
        return playback.aim + float(f"{sign}1") * float(number) * _SECONDS[unit]
    if found := _CLOCK.match(words):
        hours, minutes, seconds = found.groups()
        times = _times_of_day(int(hours), int(minutes), float(seconds or 0), playback, zone)
    else:
        times = _whole(words, zone)
    inside = [at for at in times if playback.start - 1.0 < at < playback.end + 1.0]
    if not inside:
        first, last = clock(playback.start, zone), clock(playback.end, zone)
        raise UnknownPlaceError(
            f"{words!r} is not in the recording, which goes from {first} to {last} "
            f"{zone_name(playback.start, zone)}"
            if times
            else f"{words!r} is no time: write 14:03:21, 2026-01-31T14:03, +30s, -5m, start or end"
        )
    return min(inside, key=lambda at: abs(at - playback.at))


def _times_of_day(
    hours: int, minutes: int, seconds: float, playback: Playback, zone: tzinfo | None
) -> list[float]:
    """That time on each day of the recording."""
    if hours > 23 or minutes > 59 or seconds >= 60:
        return []
    since = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    day = datetime.fromtimestamp(playback.start, UTC).astimezone(zone).date()
    last = datetime.fromtimestamp(playback.end, UTC).astimezone(zone).date()
    times = []
    while day <= last:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        times.append((midnight + since).timestamp())
        day += timedelta(days=1)
    return times


def _whole(words: str, zone: tzinfo | None) -> list[float]:
    try:
        time = datetime.fromisoformat(words)
    except ValueError:
        return []
    return [(time if time.tzinfo is not None else time.replace(tzinfo=zone)).timestamp()]
