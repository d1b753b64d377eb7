"""When a login is needed, and when it is time to say so: before the exchange opens, not at it. Pure.

All times are epoch seconds UTC.
"""

from collections.abc import Callable
from typing import NamedTuple


class Need(NamedTuple):
    """From when on a source's exchange trades without it, unless somebody logs in."""

    at: float
    """Now, if it trades already."""
    soon: bool
    """Whether it is time to say so: a login of now would last until then, and `at` is near."""


def known_end(
    ends_at: Callable[[float], float],
    *,
    logged_in_at: float | None,
    proven_at: float | None,
    honoured_s: float,
) -> float | None:
    """When the vendor ends the credentials that are in use; None while nothing is known of them.

    `ends_at` says when a login ends that was done at a time. `logged_in_at` is
    None for credentials of unknown age; `proven_at` is when the vendor last
    honoured them. What it honours within `honoured_s` after an end proves no
    newer login; of credentials of unknown age it proves nothing at all.
    """
    ends = []
    if logged_in_at is not None:
        ends.append(ends_at(logged_in_at))
    if proven_at is not None:
        end = ends_at(proven_at - honoured_s)
        if end > proven_at or ends:
            ends.append(end)
    return max(ends, default=None)


def need(
    *,
    refused: bool,
    until: float | None,
    now: float,
    ahead_s: float,
    ends_at: Callable[[float], float],
    next_open: Callable[[float], float],
) -> Need | None:
    """Whether a login is needed; None if not, or not before a later login would have to be done anyway.

    `refused`: the vendor honours the credentials no more, whenever they should
    have ended. `next_open` gives, for a time, the first one from then on at which
    an exchange of the source trades. `ahead_s` is how long before that to say so.
    """
    if not refused and until is None:
        return None
    at = next_open(now if refused or until is None else max(until, now))
    lasts = ends_at(now) > at
    if not refused and not lasts:
        return None
    return Need(at, soon=lasts and now >= at - ahead_s)
