"""One instrument's ticks from all its sources, made one: in order, once, honest about what is missing. Pure.

What "in order" and "once" mean depends on what the vendor gives:

- Trades with numbers (`sequence`, without holes at the vendor): the numbers decide. One that
  was seen is a duplicate; one that is ahead waits for those before it, until a fill brings
  them or a `Gap` says that nobody has them.
- Books with numbers: a lower number than the last is late, and a newer book has taken its place.
- All else goes by exchange time, and at equal times by the day's volume and by content. A
  picture that is older than the last is late.

Numbers are never compared across vendors: there time decides, as finely as the coarser of the
two vendors tells it, and at equal times price and size.
"""

from collections.abc import Iterable, Sequence

import msgspec

from mds_engine.model import Gap, Instrument, SourceSwitched, StreamItem, Tick, TickFlag, TickKind
from mds_engine.streams.likeness import Seam, is_known, is_older, nothing_happened, same
from mds_engine.streams.remembered import Remembered

_HELD = int(TickFlag.HELD)
_TRADE, _BOOK, _BAR = TickKind.TRADE, TickKind.BOOK, TickKind.BAR
_MOST_WAITING = 20_000
"""Trades that may wait behind a hole; beyond, the hole is a gap."""
_MOST_LATE = 16
"""So many late ones in a row are no disorder: the vendor's clock or numbers were set back, and count anew."""
_ANEW_NS = 1_000_000_000
"""A number that was seen, on a trade later than the last by more than this, is a new numbering."""


class Lane:
    """The state of one instrument. `put` takes ticks of the active source only; a hub says which that is."""

    __slots__ = (
        "_gap_why",
        "_last_book",
        "_late_run",
        "_seam",
        "_unit_ns",
        "_vendor",
        "active",
        "asked_to",
        "duplicates",
        "heard_until",
        "hole_since",
        "instrument",
        "last",
        "last_at",
        "late",
        "next_trade",
        "remembered",
        "suspect",
        "waiting",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.active = ""
        """The source whose ticks are delivered; empty before the first."""
        self.next_trade: int | None = None
        """The number that the next trade should bear, where the vendor numbers them."""
        self.last: Tick | None = None
        """The last trade or picture that was delivered."""
        self.last_at = 0.0
        """Monotonic time at which it was."""
        self.heard_until: float | None = None
        """Monotonic time at which its source stopped sending, where nothing has come since; else None."""
        self.waiting: dict[int, Tick] = {}
        """Trades by number that came before those that precede them."""
        self.hole_since: float | None = None
        """Monotonic time since when the next trade is missing."""
        self.asked_to: int | None = None
        """The last number that a fill under way was asked for."""
        self.suspect = False
        """Whether the active source's data of it looks wrong now, so that its ticks are flagged."""
        self.remembered = Remembered()
        """What was delivered last, to know it again when another source brings it."""
        self.duplicates = 0
        self.late = 0
        self._vendor = ""
        self._unit_ns = 1
        self._last_book = -1
        self._late_run = 0
        self._gap_why = ""
        self._seam: Seam | None = None
        """Where one vendor's ticks were joined to another's, until its ticks are past that."""

    # --- Ticks of the active source -------------------------------------------------------------------

    def put(self, tick: Tick, now: float) -> list[StreamItem] | None:
        """One tick of the active source: None if it goes on as it is, else what goes on in its place."""
        kind = tick.kind
        number = tick.sequence
        if kind is _TRADE and number is not None:
            if number != self.next_trade or self.waiting:
                return self._numbered(tick, number, now)
            self.next_trade = number + 1
        elif kind is _BOOK and number is not None:
            if number <= self._last_book and not self._begins_anew():
                return []
            self._last_book = number
            self._late_run = 0
            return None
        elif kind is _BAR or kind is _BOOK:
            return None
        else:
            return self._unnumbered(tick, now)
        self.last = tick
        self.last_at = now
        self.remembered.add(tick)
        return None

    def take_run(self, trades: Sequence[Tick], now: float) -> bool:
        """As `put` for each of these trades, if they are the next by number and all go on as they are; else
        nothing is done, and False is returned."""
        number = self.next_trade
        if number is None or self.waiting or self.suspect:
            return False
        for trade in trades:
            if trade.sequence != number:
                return False
            number += 1
        self.next_trade = number
        self.last = last = trades[-1]
        self.last_at = now
        self.remembered.add_run(trades, last.time_ns)  # type: ignore[arg-type]  # such trades have a time
        return True

    def _numbered(self, tick: Tick, number: int, now: float) -> list[StreamItem] | None:
        expected = self.next_trade
        if expected is None:
            if self._seam is not None and not self._is_past(tick, self._seam):
                return []
            items: list[StreamItem] = []
            if self._gap_why:
                items.append(self._gap_until(tick))
            self._pass(tick, now)
            self.next_trade = number + 1
            return [*items, tick] if items else None
        if number < expected:
            last_ns = self.last.time_ns if self.last is not None else None
            if last_ns is None or tick.time_ns is None or tick.time_ns <= last_ns + _ANEW_NS:
                self.duplicates += 1
                return []
            return [
                *self.renumber(now, "the vendor began its numbers anew"),
                *(self.put(tick, now) or [tick]),
            ]
        if number > expected:
            if number in self.waiting:
                self.duplicates += 1
                return []
            self.waiting[number] = tick
            if self.hole_since is None:
                self.hole_since = now
            if len(self.waiting) > _MOST_WAITING:
                return self.give_up(now, f"more than {_MOST_WAITING} trades waited for those before them")
            return []
        self._pass(tick, now)
        self.next_trade = number + 1
        return [tick, *self._follow(now)]

    def _unnumbered(self, tick: Tick, now: float) -> list[StreamItem] | None:
        last, seam = self.last, self._seam
        if seam is not None and not self._is_past(tick, seam):
            return []
        if self._gap_why and not (last is not None and nothing_happened(last, tick)):
            gap = self._gap_until(tick)
            self._pass(tick, now)
            return [gap, tick]
        if last is not None and last.time_ns is not None and tick.time_ns is not None:
            if tick.time_ns < last.time_ns:
                # At the seam a vendor that tells whole seconds comes after one that tells milliseconds.
                if seam is None and not self._begins_anew():
                    return []
            elif tick.time_ns == last.time_ns:
                if same(tick, last):
                    self.duplicates += 1
                    return []
                if is_older(tick, last) and not self._begins_anew():
                    return []
        self._pass(tick, now)
        return None

    def _is_behind(self, number: int | None) -> bool:
        return number is not None and self.next_trade is not None and number < self.next_trade

    def _is_past(self, tick: Tick, seam: Seam) -> bool:
        """Whether a tick was not delivered yet by the source before; when its time is past, the seam is."""
        if is_known(tick, seam):
            self.duplicates += 1
            return False
        last_ns = seam.last.time_ns
        if tick.time_ns is None or last_ns is None or tick.time_ns // seam.unit_ns > last_ns // seam.unit_ns:
            self._seam = None
        return True

    def _begins_anew(self) -> bool:
        """Count one that is late; True if there were so many in a row that they must be taken as they are."""
        self._late_run += 1
        if self._late_run > _MOST_LATE:
            return True
        self.late += 1
        return False

    def _pass(self, tick: Tick, now: float) -> None:
        self.last = tick
        self.last_at = now
        self._late_run = 0
        self._gap_why = ""
        self.heard_until = None
        self.remembered.add(tick)

    def _follow(self, now: float) -> list[StreamItem]:
        """What waited for the trade that has just been delivered."""
        found: list[StreamItem] = []
        while (tick := self.waiting.pop(self.next_trade or 0, None)) is not None:
            self._pass(tick, now)
            self.next_trade = (tick.sequence or 0) + 1
            found.append(tick)
        self.hole_since = now if self.waiting else None
        self.asked_to = None
        return found

    # --- Holes ----------------------------------------------------------------------------------------

    def hole(self) -> tuple[int, int] | None:
        """The numbers of the trades that are missing now, both included."""
        if not self.waiting or self.next_trade is None:
            return None
        return self.next_trade, min(self.waiting) - 1

    def fill(self, ticks: Iterable[Tick], now: float) -> list[StreamItem]:
        """Trades that were asked for afterwards. What is still missing stays a hole."""
        self.asked_to = None
        items: list[StreamItem] = []
        for tick in ticks:
            if tick.sequence is not None:
                taken = self._numbered(tick, tick.sequence, now) if self.waiting else []
                items += [tick] if taken is None else taken
        return items

    def give_up(self, now: float, why: str) -> list[StreamItem]:
        """The hole is a gap: nobody has what is missing. Goes on with what waited behind it."""
        hole = self.hole()
        if hole is None:
            return []
        first, last = hole
        following = self.waiting[last + 1]
        gap = Gap(
            instrument=self.instrument,
            source=self.active,
            after_ns=None if self.last is None else self.last.time_ns,
            before_ns=following.time_ns,
            first_sequence=first,
            last_sequence=last,
            why=why,
        )
        self.next_trade = last + 1
        return [gap, *self._follow(now)]

    def give_up_before(self, number: int, why: str) -> list[StreamItem]:
        """The first part of the hole is a gap; from `number` on trades may still come."""
        hole = self.hole()
        if hole is None or not hole[0] < number <= hole[1]:
            return []
        self.next_trade = number
        last_ns = None if self.last is None else self.last.time_ns
        return [
            Gap(
                instrument=self.instrument,
                source=self.active,
                after_ns=last_ns,
                first_sequence=hole[0],
                last_sequence=number - 1,
                why=why,
            )
        ]

    def is_plain(self, source: str) -> bool:
        """Whether a new picture of that source goes on as it is: no seam, no gap to tell, no numbers."""
        return (
            self.active == source
            and self._seam is None
            and not self._gap_why
            and self.next_trade is None
            and not self.waiting
            and not self.suspect
        )

    def remember(self, ticks: Iterable[Tick], at: float) -> None:
        """Ticks that went to the readers by another way, as rows of a large frame."""
        for tick in ticks:
            self._pass(tick, at)

    def renumber(self, now: float, why: str) -> list[StreamItem]:
        """Forget the vendor's numbers: those that follow have nothing to do with those before."""
        items: list[StreamItem] = []
        while self.waiting:
            items += self.give_up(now, why)
        self.next_trade, self._last_book = None, -1
        self._gap_why = why
        return items

    def interrupted(self, why: str, heard_until: float) -> None:
        """The active source stopped sending at `heard_until` (monotonic), and nobody else does: where trades
        bear no numbers that would show it, a gap is told with the next tick."""
        if self.next_trade is None and self.last is not None:
            if not self._gap_why:
                self.heard_until = heard_until
            self._gap_why = why

    def _gap_until(self, tick: Tick) -> Gap:
        return Gap(
            instrument=self.instrument,
            source=tick.source,
            after_ns=None if self.last is None else self.last.time_ns,
            before_ns=tick.time_ns,
            why=self._gap_why,
        )

    # --- Changes of source ----------------------------------------------------------------------------

    def overlaps(self, vendor: str, unit_ns: int, first: Tick) -> bool:
        """Whether a source whose first tick here was `first` has all that comes after the last delivered."""
        if vendor == self._vendor and first.kind is _TRADE and first.sequence is not None:
            return self.next_trade is None or first.sequence <= self.next_trade
        last = self.last
        if last is None or last.time_ns is None or first.time_ns is None:
            return True
        unit_ns = max(unit_ns, self._unit_ns)
        return first.time_ns // unit_ns <= last.time_ns // unit_ns

    def switch(
        self, to: str, vendor: str, unit_ns: int, held: Sequence[Tick], now: float, *, whole: bool, why: str
    ) -> list[StreamItem]:
        """Make `to` the active source, and deliver what of `held` (its last ticks, oldest first) is new.

        `vendor` says whose numbers its ticks bear, `unit_ns` how finely it tells
        time. `whole` says that `held` lacks nothing that came after the last
        delivered tick; else, where numbers do not show what is missing, a gap is told.
        """
        items: list[StreamItem] = []
        known = self.last is not None or self.next_trade is not None
        if self.active:
            items.append(SourceSwitched(instrument=self.instrument, before=self.active, after=to, why=why))
        numbered = vendor == self._vendor and self.next_trade is not None
        if vendor != self._vendor:
            items += self.renumber(now, "the source changed before they could be had")
        if not numbered and self.last is not None:
            self._seam = Seam(self.last, self.remembered.ticks, max(unit_ns, self._unit_ns))
        self.active, self._vendor, self._unit_ns = to, vendor, unit_ns
        self.suspect = False  # it was the source before that looked wrong
        self._late_run = 0
        if known and not whole and not numbered:
            self.heard_until = self.last_at if self.heard_until is None else self.heard_until
            self._gap_why = why or "the source changed"
        else:
            self.heard_until, self._gap_why = None, ""
        unit_ns = 1 if self._seam is None else self._seam.unit_ns
        newest = None if self.last is None or self.last.time_ns is None else self.last.time_ns // unit_ns
        for tick in held:
            # Most of what a ring holds was delivered already: of thousands of lanes, that must cost little.
            if newest is not None and tick.time_ns is not None and tick.time_ns // unit_ns < newest:
                number, kind = tick.sequence, tick.kind
                if kind is not _BOOK and kind is not _BAR and (not numbered or self._is_behind(number)):
                    self.duplicates += 1
                    continue
            marked = msgspec.structs.replace(tick, flags=tick.flags | _HELD)
            taken = self.put(marked, now)
            items += [marked] if taken is None else taken
        return items
