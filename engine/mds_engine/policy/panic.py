"""The panic rule: when health alone keeps every source out, a probe before its time beats a sure failure."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import msgspec


class PanicSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the last resort is taken."""

    enabled: bool = True
    """Whether a source is probed before its time when no other is left."""
    interval_s: float = 1.0
    """A source gets at most one such probe in so many seconds, so that a dead vendor is not stormed."""

    def __post_init__(self) -> None:
        """Refuse what would storm a vendor."""
        if self.interval_s <= 0:
            raise ValueError("interval_s must be above 0")


class PanicCandidate(NamedTuple):
    """A source that may not be asked now."""

    name: str
    """The source."""
    due_in_s: float
    """Seconds until its own next probe; infinite if it has none."""
    only_health: bool
    """True if nothing but its breakers keeps it out: no ban, spent quota, forced open, missing login."""


class PanicRule:
    """Chooses whom to probe early, and remembers it."""

    __slots__ = ("_probed_at", "settings")

    def __init__(self, settings: PanicSettings) -> None:
        self.settings = settings
        self._probed_at: dict[str, float] = {}

    def choose(self, candidates: Iterable[PanicCandidate], now: float) -> str | None:
        """The source to probe now, None if there is none: the one due soonest, the first of equals.

        `candidates` are all sources of a route, and every one of them is out:
        that is for the caller to see to. A source that is returned counts as
        probed at `now`.
        """
        if not self.settings.enabled:
            return None
        chosen: PanicCandidate | None = None
        for candidate in candidates:
            if self._may_probe(candidate, now) and (chosen is None or candidate.due_in_s < chosen.due_in_s):
                chosen = candidate
        if chosen is None:
            return None
        self._probed_at[chosen.name] = now
        return chosen.name

    def _may_probe(self, candidate: PanicCandidate, now: float) -> bool:
        if not candidate.only_health or candidate.due_in_s == math.inf:
            return False
        probed_at = self._probed_at.get(candidate.name)
        return probed_at is None or now - probed_at >= self.settings.interval_s
