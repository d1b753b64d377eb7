"""Two sources of one instrument, held against each other once a second.

A late vendor is no liar: it is held against the range of the other's prices
over the seconds that it may be late, and either of the two may be the late one.
"""

from mds_engine.policy.quality_feed import Feed, Hold
from mds_engine.policy.quality_settings import QualitySettings

_FRESH_S = 2.0
"""Both must have sent something within so many seconds."""
_SLACK_S = 1.0
"""Vendors cut their times to whole seconds."""
_LEARNING_WEIGHT = 0.02
_BEYOND_WOBBLE = 2.5
"""Times what two prices usually are off from each other: only so far has one of them left the other."""
_ALIVE_CHANGES = 2
"""A source whose price changed so many times since the two parted does not stand still."""


class Pair:
    """What two feeds of one instrument usually differ by, and whether they are apart."""

    __slots__ = (
        "_changes",
        "_counted",
        "_offset",
        "_wobble",
        "apart",
        "compared",
        "departure_bps",
        "first",
        "first_step",
        "first_still_moves",
        "known",
        "met",
        "second",
        "second_step",
        "second_still_moves",
        "usual_bps",
    )

    def __init__(self, first: Feed, second: Feed) -> None:
        self.first = first
        self.second = second
        self.apart = Hold()
        self.known = False
        """Whether they could be compared at the last visit."""
        self.compared = 0
        self.usual_bps = 0.0
        self.departure_bps = 0.0
        self.met = False
        """Whether they ever agreed closely."""
        self.first_step = self.second_step = 0.0
        """The largest step of each since they last agreed closely."""
        self.first_still_moves = self.second_still_moves = 0
        """Visits, since this one moved last, at which the other moved to where it should have followed."""
        self._changes = (0, 0)
        """Of each, when they agreed closely last."""
        self._counted = (0, 0)
        self._offset = self._wobble = 0.0
        """By how much the first is usually above the second, as a share, and how far it is off that."""

    def band_bps(self, settings: QualitySettings) -> float:
        """By how much they may differ now."""
        if self.compared < settings.learn_after:
            return settings.widest_bps
        return min(settings.widest_bps, max(settings.band_bps, settings.band_factor * self.usual_bps))

    def visit(self, now: float, settings: QualitySettings) -> None:
        """Compare, if both are there to be compared."""
        first, second = self.first, self.second
        left = (first.changed or second.changed) and self._has_left()
        if first.changed:
            self.first_still_moves = 0
        elif second.changed and left:
            self.first_still_moves += 1
        if second.changed:
            self.second_still_moves = 0
        elif first.changed and left:
            self.second_still_moves += 1
        self.first_step = max(self.first_step, first.step)
        self.second_step = max(self.second_step, second.step)
        reach_s = self._reach_s(now, settings)
        self.known = reach_s is not None
        if reach_s is None:
            return
        heard = (first.ticks, second.ticks)
        if heard[0] == self._counted[0] or heard[1] == self._counted[1]:
            return  # nothing new to compare from one of them
        self._counted = heard
        self._compare(now, reach_s, settings)

    def moved_since_agreed(self, feed: Feed) -> bool:
        """Whether that feed went on telling other prices since the two were apart."""
        since = self._changes[0] if feed is self.first else self._changes[1]
        return feed.changes - since >= _ALIVE_CHANGES

    def liar(self, settings: QualitySettings) -> Feed | None:
        """The one that jumped while the other went on as before; None if that cannot be told."""
        if not self.met:
            return None
        least = self.band_bps(settings) / 2 * 1e-4
        if self.first_step >= least and self.second_step < self.first_step / 2:
            return self.first if self.moved_since_agreed(self.second) else None
        if self.second_step >= least and self.first_step < self.second_step / 2:
            return self.second if self.moved_since_agreed(self.first) else None
        return None

    def _has_left(self) -> bool:
        """Whether the two are further from each other than their wobble, as of a vendor that tells another
        exchange's price, takes them."""
        first, second = self.first.price, self.second.price
        return bool(second) and abs(first / second - 1.0 - self._offset) > _BEYOND_WOBBLE * self._wobble

    def _learn_wobble(self, first: Feed, second: Feed, weight: float) -> None:
        """From prices that follow each other: a standstill that is longer than usual says nothing of it."""
        if first.still_s > first.usual_still_s or second.still_s > second.usual_still_s:
            return
        offset = first.price / second.price - 1.0
        self._wobble += (abs(offset - self._offset) - self._wobble) * weight
        self._offset += (offset - self._offset) * weight

    def _reach_s(self, now: float, settings: QualitySettings) -> float | None:
        """How far back the ranges must reach; None if the two prices are not of the same time."""
        first, second = self.first, self.second
        if not first.price or not second.price:
            return None
        if now - first.heard_at > _FRESH_S or now - second.heard_at > _FRESH_S:
            return None
        if first.time_s is None or second.time_s is None:
            return settings.window_s
        apart_s = abs(first.time_s - second.time_s)
        return min(settings.window_s, apart_s + _SLACK_S) if apart_s <= settings.window_s else None

    def _compare(self, now: float, reach_s: float, settings: QualitySettings) -> None:
        first, second = self.first, self.second
        since = now - reach_s
        departure = min(
            _outside(first.price, second.range(since)), _outside(second.price, first.range(since))
        )
        self.departure_bps = departure_bps = departure * 1e4
        band_bps = self.band_bps(settings)
        limit_bps = band_bps / 2 if self.apart.active else band_bps
        self.apart.note(departure_bps > limit_bps, now, settings.hold_s, settings.recover_s)
        if departure_bps > band_bps:
            return
        self.compared += 1
        weight = max(_LEARNING_WEIGHT, 1.0 / self.compared)
        self.usual_bps += (departure_bps - self.usual_bps) * weight
        self._learn_wobble(first, second, weight)
        if abs(first.price / second.price - 1.0) * 1e4 <= band_bps / 2:
            self.met = True
            self.first_step = self.second_step = 0.0
            self._changes = (first.changes, second.changes)


def _outside(price: float, span: tuple[float, float]) -> float:
    """How far a price lies outside of a range, as a share of it; 0.0 within."""
    low, high = span
    if price < low:
        return low / price - 1.0
    if price > high:
        return price / high - 1.0
    return 0.0
