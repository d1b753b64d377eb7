"""One instrument as one source tells it: what its price, its book and its times usually do.

`QualityMonitor` writes the newest tick and the extremes straight into a feed,
tick by tick; everything else is done once a second, in `visit`.
"""

from collections import deque
from math import inf

from mds_engine.model import Tick, TickKind
from mds_engine.policy.quality_settings import QualitySettings

_LEARNED_CHANGES = 20
"""Changes of a price before its standstills count as known."""
_LEARNED_LAGS = 10
"""Times seen before the usual lag counts as known."""
_FORGETTING = 0.98
"""The longest usual standstill shrinks by so much with each change, so that it follows the day."""
_LAG_WEIGHT = 0.05
_ABSURD_S = 3600.0
"""A time further ahead than this is a wrong zone or unit, whatever was learned."""
_LONGEST_VISIT_S = 2.0
_BARE_STILL_S = 60.0
"""Without a book and without another source a standstill is told no earlier than this."""


class Hold:
    """Something that counts once it was seen for a while, until it was gone for a while."""

    __slots__ = ("active", "since", "times")

    def __init__(self) -> None:
        self.active = False
        self.since = 0.0
        """When what contradicts `active` was seen first; only means anything while `times` is not 0."""
        self.times = 0

    def note(self, seen: bool, now: float, begin_s: float, end_s: float) -> bool:
        """Take one look. Returns whether `active` changed by it."""
        if seen == self.active:
            self.times = 0
            return False
        if not self.times:
            self.since = now
        self.times += 1
        if self.times < _LOOKS or now - self.since < (begin_s if seen else end_s):
            return False
        self.active, self.times = seen, 0
        return True


_LOOKS = 3


class Feed:
    """What is known of one instrument from one source."""

    __slots__ = (
        "_lags",
        "_previous",
        "_ring",
        "_seen_ticks",
        "_visited_at",
        "book",
        "changed",
        "changes",
        "contradicted_s",
        "crossed",
        "future",
        "heard_at",
        "high",
        "low",
        "news",
        "past",
        "price",
        "source",
        "step",
        "still_s",
        "tick",
        "ticks",
        "time_s",
        "usual_lag_s",
        "usual_still_s",
        "wrong",
    )

    def __init__(self, source: str, now: float) -> None:
        self.source = source
        # Written tick by tick.
        self.tick: Tick | None = None
        """The newest with a price."""
        self.book: Tick | None = None
        """The newest with a bid or an ask."""
        self.heard_at = now
        self.ticks = 0
        self.high = -inf
        self.low = inf
        """Of the prices since the last visit, the one before it included."""
        # Written by visits.
        self.price = 0.0
        """At the last visit; 0.0 before there is one."""
        self.time_s: float | None = None
        """Exchange time of that price, epoch seconds."""
        self.news = False
        """Whether ticks came between the last two visits."""
        self.changed = False
        """Whether the price was another one at the last visit."""
        self.changes = 0
        self.step = 0.0
        """Between the last two visits, as a share of the price."""
        self.still_s = 0.0
        """How long the price has stood still, counted only while ticks come."""
        self.usual_still_s = 0.0
        self.contradicted_s = 0.0
        """How much of `still_s` its own trades went on, and no book confirmed the price."""
        self.usual_lag_s = 0.0
        self.crossed = Hold()
        self.future = Hold()
        self.past = Hold()
        self.wrong = 0
        """How many checks tell against it now."""
        self._lags = 0
        self._previous: Tick | None = None
        self._ring: deque[tuple[float, float, float]] = deque(maxlen=8)
        self._seen_ticks = 0
        self._visited_at = now

    @property
    def learned_still(self) -> bool:
        """Whether it is known how long the price usually stands still."""
        return self.changes >= _LEARNED_CHANGES

    def range(self, since: float) -> tuple[float, float]:
        """Lowest and highest price since then, the one that stood at that moment included."""
        low = high = self.price
        for at, its_low, its_high in reversed(self._ring):
            low, high = min(low, its_low), max(high, its_high)
            if at < since:
                break
        return low, high

    def visit(self, now: float, is_open: bool, settings: QualitySettings) -> None:
        """Take stock of what came since the last visit."""
        elapsed_s = min(now - self._visited_at, _LONGEST_VISIT_S)
        self._visited_at = now
        self.news = self.ticks != self._seen_ticks
        self._seen_ticks = self.ticks
        self.changed, self.step = False, 0.0
        if not self.news:
            if self.price:
                self._ring.append((now, self.price, self.price))
            return
        tick, before = self.tick, self._previous
        price = tick.price if tick is not None else _middle(self.book)
        if price is None or not price > 0:
            return
        self._note_price(price, now)
        self._previous = tick
        fresh = tick is not None and tick is not before
        traded = fresh and _goes_on(before, tick)
        if is_open:
            self._note_standstill(elapsed_s, traded)
            crossed = _is_crossed(self.book)
            if crossed is not None:
                self.crossed.note(crossed, now, settings.hold_s, settings.recover_s)
        else:
            self.still_s = self.contradicted_s = 0.0
        if fresh and tick is not None and tick.kind is not TickKind.BAR:
            self._note_time(tick, now, traded and is_open, settings)

    def frozen_alone(self, settings: QualitySettings) -> bool:
        """Whether its own trades go on while its price stands still, by no other source's word."""
        if not self.learned_still:
            return False
        longest_s = settings.frozen_factor * self.usual_still_s
        if _two_sided(self.book):
            return self.contradicted_s >= max(settings.frozen_s, longest_s)
        return self.contradicted_s >= max(_BARE_STILL_S, 2 * longest_s)

    def _note_price(self, price: float, now: float) -> None:
        before = self.price
        if self.tick is None or not self.low <= self.high:
            self.low = self.high = price
        self._ring.append((now, min(self.low, before or price), max(self.high, before)))
        moved = self.low != self.high or (before != price and before != 0.0)
        self.low = self.high = self.price = price
        time_ns = self.tick.time_ns if self.tick is not None else None
        self.time_s = None if time_ns is None else time_ns * 1e-9
        if before:
            self.changed = moved
            self.step = abs(price / before - 1.0)

    def _note_standstill(self, elapsed_s: float, traded: bool) -> None:
        if self.changed:
            self.changes += 1
            self.usual_still_s = max(self.still_s, self.usual_still_s * _FORGETTING)
            self.still_s = self.contradicted_s = 0.0
            return
        self.still_s += elapsed_s
        if _confirmed(self.price, self.tick, self.book):
            self.contradicted_s = 0.0
        elif traded:
            self.contradicted_s += elapsed_s

    def _note_time(self, tick: Tick, now: float, traded: bool, settings: QualitySettings) -> None:
        if tick.time_ns is None or not tick.received_ns:
            return
        lag_s = (tick.received_ns - tick.time_ns) * 1e-9
        learned = self._lags >= _LEARNED_LAGS
        ahead = lag_s < -_ABSURD_S or (learned and lag_s < min(self.usual_lag_s, 0.0) - settings.future_s)
        behind = learned and traded and lag_s > max(self.usual_lag_s, 0.0) + settings.past_s
        self.future.note(ahead, now, settings.hold_s, settings.recover_s)
        if traded or not behind:
            self.past.note(behind, now, settings.hold_s, settings.recover_s)
        if lag_s < -_ABSURD_S or ahead or behind or not traded:
            return
        self._lags += 1
        self.usual_lag_s += (lag_s - self.usual_lag_s) * max(_LAG_WEIGHT, 1.0 / self._lags)


def _middle(book: Tick | None) -> float | None:
    return (book.bid + book.ask) / 2 if book is not None and book.bid and book.ask else None


def _is_crossed(book: Tick | None) -> bool | None:
    """Whether the bid is above the ask; None while one of them is missing."""
    return book.bid > book.ask if book is not None and book.bid and book.ask else None


def _two_sided(book: Tick | None) -> bool:
    return book is not None and bool(book.bid) and bool(book.ask)


def _goes_on(before: Tick | None, tick: Tick | None) -> bool:
    """Whether something was traded between two ticks."""
    if before is None or tick is None:
        return False
    if before.volume is not None and tick.volume is not None:
        return tick.volume > before.volume
    return tick.kind is TickKind.TRADE or tick.price != before.price


def _confirmed(price: float, tick: Tick | None, book: Tick | None) -> bool:
    """Whether something besides the price itself says that it may well stand there.

    The book holds it between bid and ask; one of its sides is empty, as at a
    price limit; or it is the day's highest or lowest, as at a price limit too.
    """
    if book is not None:
        if not book.bid or not book.ask:
            return True
        return book.bid <= price <= book.ask
    return tick is not None and price in (tick.high, tick.low)
