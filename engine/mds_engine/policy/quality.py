"""Which source's live data looks wrong: a price apart, frozen, a crossed book, a time that cannot be.

Ticks are only noted as they come, a few attribute writes each. The checks run in
`scan`, once a second for each instrument, on what was noted; every one must hold
for a while before it is told, and be gone for a while before it is over.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from math import ceil, inf

import msgspec

from mds_engine.model import Instrument, Tick
from mds_engine.model.hours import is_open as regular_hours
from mds_engine.model.tick_batch import TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.model.tick_read import TickRead
from mds_engine.policy.quality_feed import Feed
from mds_engine.policy.quality_pair import Pair
from mds_engine.policy.quality_settings import QualitySettings

_EVERY_S = 1.0
_FRAMES_EVERY_S = 0.4
"""Of large frames in columns only the newest is made into ticks, and no more often than this."""
_MOST_FRAMES = 64
"""So many frames with different instruments wait for the next scan before they are taken at once."""
_SHOWN_FOR_S = 60.0
"""A source that said nothing for so long has no part in the spread that is shown."""
_STILL_MOVES = 10
"""A price that stands still while another source's moved at so many visits is frozen."""
_MOVED_AGAIN = 3
"""Changes after which a frozen price is no longer frozen."""


class Check(StrEnum):
    """What looks wrong."""

    PRICE = "price"
    FROZEN = "frozen"
    CROSSED = "crossed"
    FUTURE = "future"
    PAST = "past"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning or the end of something wrong with one source's data of one instrument."""

    source: str
    instrument: Instrument
    check: Check
    why: str
    """One clause, with figures."""
    since: float
    """Monotonic time at which it was told first."""
    active: bool = True
    """False where it is over."""


class _Subject:
    """One instrument: the feeds of its sources, and each two of them."""

    __slots__ = ("feeds", "instrument", "pairs", "visited_at")

    def __init__(self, instrument: Instrument, now: float) -> None:
        self.instrument = instrument
        self.feeds: dict[str, Feed] = {}
        self.pairs: list[Pair] = []
        self.visited_at = now

    @property
    def is_in_doubt(self) -> bool:
        """Whether two of its sources are apart, or one was found wrong."""
        return any(pair.apart.active for pair in self.pairs) or any(
            feed.wrong for feed in self.feeds.values()
        )

    def pair_up(self) -> None:
        """Make the pairs anew; those that stay keep what they learned."""
        kept = {(pair.first, pair.second): pair for pair in self.pairs}
        self.pairs = [kept.get(two) or Pair(*two) for two in combinations(self.feeds.values(), 2)]


class QualityMonitor:
    """Watches the live ticks of all sources, standbys included.

    Ticks that were asked for afterwards (`FILLED`) are not for it.
    """

    def __init__(
        self,
        settings: QualitySettings | None = None,
        *,
        is_open: Callable[[str, float], bool] = regular_hours,
    ) -> None:
        self.settings = settings or QualitySettings()
        self.counts: Counter[tuple[str, Check]] = Counter()
        """How often each source was found wrong by each check, since the start."""
        self._is_open = is_open
        self._feeds: dict[str, dict[Instrument, Feed]] = {}
        self._subjects: dict[Instrument, _Subject] = {}
        self._due: deque[_Subject] = deque()
        self._findings: dict[tuple[str, Instrument, Check], Finding] = {}
        self._frozen_at: dict[Feed, int] = {}
        """Of each frozen feed, how often its price had changed when it was found."""
        self._ended: list[Finding] = []
        self._frames: dict[tuple[str, int], tuple[TickBatch, float]] = {}
        """The newest frame in columns, by source and set of instruments, and when it came."""
        self._frames_taken_at = -inf
        self._scanned_at: float | None = None

    # --- What comes in ----------------------------------------------------------------------------------

    def observe(self, source: str, ticks: Sequence[Tick], now: float) -> None:
        """Note live ticks of one source, in the order in which they came. `now` is monotonic."""
        if not self.settings.enabled:
            return
        if type(ticks) is TickFrames:
            ticks = ticks.batches[-1]
        if type(ticks) is TickBatch:  # isinstance asks the abstract Sequence, at the price of a tick
            # A connection hands on the same tuple while its frames name the same instruments.
            self._frames[source, id(ticks.instruments)] = ticks, now
            if len(self._frames) >= _MOST_FRAMES:
                self._take_frames(now)
            return
        if type(ticks) is TickRead and ticks.trades is not None:
            self._note_trades(source, ticks.trades, now)
        else:
            self._note(source, ticks, now)

    def forget(self, source: str, instruments: Iterable[Instrument] | None = None) -> None:
        """Drop what is known of a source, or of some of its instruments: it is no longer subscribed.

        What was wrong with it ends with the next scan.
        """
        self._take_frames(-inf)
        feeds = self._feeds.get(source, {})
        for instrument in list(feeds) if instruments is None else instruments:
            feed = feeds.pop(instrument, None)
            if feed is None:
                continue
            self._frozen_at.pop(feed, None)
            subject = self._subjects[instrument]
            del subject.feeds[source]
            subject.pair_up()
            if not subject.feeds:
                del self._subjects[instrument]
            for check in Check:
                self._end(source, instrument, check, "no longer subscribed")

    # --- What is found ----------------------------------------------------------------------------------

    def scan(self, now: float, wall: float) -> list[Finding]:
        """Check the instruments that are due, and tell what began and what ended.

        Call it as often as you like: each instrument is checked once a second,
        and a caller that comes ten times a second finds a tenth of them due.
        """
        told, self._ended = self._ended, []
        if now - self._frames_taken_at >= _FRAMES_EVERY_S:
            self._take_frames(now)
        waited_s = _EVERY_S if self._scanned_at is None else now - self._scanned_at
        self._scanned_at = now
        quota = ceil(len(self._due) * min(1.0, waited_s / _EVERY_S))
        is_open: dict[str, bool] = {}
        while quota > 0 and self._due and self._due[0].visited_at <= now - 0.9 * _EVERY_S:
            quota -= 1
            subject = self._due.popleft()
            if not subject.feeds:
                continue
            self._due.append(subject)
            subject.visited_at = now
            exchange = subject.instrument.exchange
            if exchange not in is_open:
                is_open[exchange] = self._is_open(exchange, wall)
            self._visit(subject, now, is_open[exchange], told)
        told += self._ended
        self._ended = []
        return told

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong now."""
        return tuple(self._findings.values())

    def prices(self, instrument: Instrument, now: float) -> Mapping[str, tuple[float, float]]:
        """The last price of each source, and how many seconds ago the source was heard."""
        subject = self._subjects.get(instrument)
        if subject is None:
            return {}
        return {
            name: (price, now - feed.heard_at)
            for name, feed in subject.feeds.items()
            if (price := feed.tick.price if feed.tick is not None else feed.price)
        }

    def verdict(self, instrument: Instrument) -> str | None:
        """The source whose price of an instrument is wrong; None where none is, or nobody can tell which."""
        for check in (Check.PRICE, Check.FROZEN):
            for source in self._subjects[instrument].feeds if instrument in self._subjects else ():
                if (source, instrument, check) in self._findings:
                    return source
        return None

    # --- How --------------------------------------------------------------------------------------------

    def _note(self, source: str, ticks: Iterable[Tick], now: float) -> None:
        feeds = self._feeds.get(source)
        if feeds is None:
            feeds = self._feeds[source] = {}
        for tick in ticks:
            feed = feeds.get(tick.instrument)
            if feed is None:
                feed = self._begin(source, tick.instrument, now)
            feed.ticks += 1
            feed.heard_at = now
            price = tick.price
            if price is not None:
                feed.tick = tick
                if price > feed.high:
                    feed.high = price
                if price < feed.low:
                    feed.low = price
            if tick.bid is not None or tick.ask is not None:
                feed.book = tick

    def _note_trades(self, source: str, trades: Mapping[Instrument, Sequence[Tick]], now: float) -> None:
        """As `_note`, where trades of the same instruments came many at once."""
        feeds = self._feeds.setdefault(source, {})
        for instrument, run in trades.items():
            feed = feeds.get(instrument) or self._begin(source, instrument, now)
            high, low = feed.high, feed.low
            for trade in run:
                price: float = trade.price  # type: ignore[assignment]  # a trade has one
                if price > high:
                    high = price
                if price < low:
                    low = price
            feed.high, feed.low = high, low
            feed.tick = run[-1]
            feed.heard_at = now
            feed.ticks += len(run)

    def _take_frames(self, now: float) -> None:
        frames, self._frames = self._frames, {}
        self._frames_taken_at = now
        for (source, _), (frame, came_at) in frames.items():
            self._note(source, iter(frame), came_at)

    def _begin(self, source: str, instrument: Instrument, now: float) -> Feed:
        feed = self._feeds[source][instrument] = Feed(source, now)
        subject = self._subjects.get(instrument)
        if subject is None:
            subject = self._subjects[instrument] = _Subject(instrument, now)
            self._due.append(subject)
        subject.feeds[source] = feed
        subject.pair_up()
        return feed

    def _visit(self, subject: _Subject, now: float, is_open: bool, told: list[Finding]) -> None:
        settings, instrument = self.settings, subject.instrument
        for feed in subject.feeds.values():
            feed.visit(now, is_open, settings)
            if feed.crossed.active or feed.future.active or feed.past.active or feed.wrong:
                self._follow(feed, instrument, Check.CROSSED, feed.crossed.active, now, told)
                self._follow(feed, instrument, Check.FUTURE, feed.future.active, now, told)
                self._follow(feed, instrument, Check.PAST, feed.past.active, now, told)
        if not is_open:
            return
        for pair in subject.pairs:
            pair.visit(now, settings)
        for feed in subject.feeds.values():
            if feed.still_s >= settings.frozen_s or feed in self._frozen_at:
                frozen = self._is_frozen(feed, subject)
                self._follow(feed, instrument, Check.FROZEN, frozen, now, told)
        if subject.is_in_doubt:
            named = self._named(subject)
            for feed in subject.feeds.values():
                self._follow(feed, instrument, Check.PRICE, feed is named, now, told)

    def _is_frozen(self, feed: Feed, subject: _Subject) -> bool:
        settings = self.settings
        since = self._frozen_at.get(feed)
        if since is not None:
            if feed.changes - since < _MOVED_AGAIN:
                return True
            del self._frozen_at[feed]
            return False
        if not feed.learned_still or feed.still_s < settings.frozen_s:
            return False
        pairs = [pair for pair in subject.pairs if pair.known and feed in (pair.first, pair.second)]
        if not pairs:
            frozen = feed.frozen_alone(settings)
        elif feed.still_s < settings.frozen_factor * feed.usual_still_s:
            frozen = False
        else:
            frozen = any(
                pair.apart.active
                or (pair.first_still_moves if feed is pair.first else pair.second_still_moves) >= _STILL_MOVES
                for pair in pairs
            )
        if frozen:
            self._frozen_at[feed] = feed.changes
        return frozen

    def _named(self, subject: _Subject) -> Feed | None:
        """The one feed whose price is apart from the others', if it can be told which it is."""
        apart = [pair for pair in subject.pairs if pair.apart.active]
        if not apart:
            return None
        for feed in subject.feeds.values():
            own = [pair for pair in apart if feed in (pair.first, pair.second)]
            others = [pair for pair in subject.pairs if feed not in (pair.first, pair.second)]
            if len(own) >= 2 and any(pair.known and not pair.apart.active for pair in others):
                return feed
        for pair in apart:
            for feed in (pair.first, pair.second):
                if (feed.source, subject.instrument, Check.PRICE) in self._findings:
                    return feed
        if len(apart) > 1 or self._frozen_at.keys() & {apart[0].first, apart[0].second}:
            return None
        return apart[0].liar(self.settings)

    def _follow(
        self,
        feed: Feed,
        instrument: Instrument,
        check: Check,
        wrong: bool,
        now: float,
        told: list[Finding],
    ) -> None:
        key = (feed.source, instrument, check)
        if wrong == (key in self._findings):
            return
        if not wrong:
            feed.wrong -= 1
            self._end(*key, "it looks right again")
            return
        feed.wrong += 1
        why = self._why(feed, instrument, check)
        self._findings[key] = finding = Finding(
            source=feed.source, instrument=instrument, check=check, why=why, since=now
        )
        self.counts[feed.source, check] += 1
        told.append(finding)

    def _end(self, source: str, instrument: Instrument, check: Check, why: str) -> None:
        finding = self._findings.pop((source, instrument, check), None)
        if finding is not None:
            self._ended.append(msgspec.structs.replace(finding, active=False, why=why))

    def _why(self, feed: Feed, instrument: Instrument, check: Check) -> str:
        tick, book = feed.tick, feed.book
        if check is Check.CROSSED and book is not None:
            return f"bid {book.bid:g} above ask {book.ask:g}"
        if check is Check.FROZEN:
            usually = f"usually {feed.usual_still_s:.0f} s at most"
            return f"{feed.price:g} has stood still for {feed.still_s:.0f} s, {usually}"
        if check in (Check.FUTURE, Check.PAST) and tick is not None and tick.time_ns is not None:
            lag_s = (tick.received_ns - tick.time_ns) * 1e-9
            way = "ahead of this machine" if lag_s < 0 else "behind"
            return f"its time is {abs(lag_s):.0f} s {way}, usually {abs(feed.usual_lag_s):.1f} s"
        others = [
            f"{other.source} {other.price:g}"
            for other in self._subjects[instrument].feeds.values()
            if other is not feed and other.price
        ]
        return f"{feed.price:g} where {', '.join(others)}"


def spread_bps(prices: Iterable[tuple[float, float]]) -> float | None:
    """How far the sources that speak are apart, in basis points; None with fewer than two.

    `prices` are the last price of each and how many seconds ago it was heard.
    """
    recent = [price for price, age_s in prices if age_s <= _SHOWN_FOR_S]
    if len(recent) < 2 or min(recent) <= 0:
        return None
    return (max(recent) / min(recent) - 1.0) * 1e4
