"""What a reader of live ticks got during a drill, as far as the ticks themselves tell. Pure."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from mds_engine.model import Gap, Instrument, Missed, SourceSwitched, StreamItem, Tick, TickFlag, TickKind

_NS = 1e-9
_REMEMBERED = 256
"""Numbers by which a trade is known again."""


class Account(NamedTuple):
    """All instruments together. Nobody knows what happened at the market: numbers and times have to do."""

    ticks: int
    lost: int | None
    """Numbers that never came and were not told as missing; None where no trade bears a number."""
    doubled: int
    disordered: int
    bent: int
    """Ticks with a price of the drill's making."""
    gaps: int
    gap_s: float
    silence_s: float | None
    """The longest that a lively instrument was without a tick; None where none was lively."""
    missed: int
    """Ticks that this reader itself was too slow for."""


class TickAccounts:
    """Takes what a reader gets. Times are monotonic seconds."""

    def __init__(
        self, lively: frozenset[Instrument], target: str, now: float, numbers_of: Callable[[str], str]
    ) -> None:
        """`lively` ticked lately: only their silence says anything. `numbers_of` says whose numbers the ticks
        of a source bear."""
        self._target = target
        self._numbers_of = numbers_of
        self._lines: dict[Instrument, _Line] = {}
        self._silent_since = dict.fromkeys(lively, now)
        self._longest_s = 0.0
        self._missed = 0
        self._counting_silence = True

    def put(self, item: StreamItem, now: float) -> None:
        """Take one item."""
        if isinstance(item, Missed):
            self._missed += item.ticks
            for line in self._lines.values():
                line.forget()
            return
        line = self._lines.setdefault(item.instrument, _Line())
        if isinstance(item, SourceSwitched):
            if self._numbers_of(item.before) != self._numbers_of(item.after):
                line.forget()
        elif isinstance(item, Gap):
            line.gap(item)
        else:
            line.tick(item, self._target)
            self._heard(item.instrument, now)

    def _heard(self, instrument: Instrument, now: float) -> None:
        since = self._silent_since.get(instrument)
        if since is not None and self._counting_silence:
            self._longest_s = max(self._longest_s, now - since)
            self._silent_since[instrument] = now

    def stop_silence(self, now: float) -> None:
        """From here on silence no longer counts."""
        self._longest_s = self._silence_s(now)
        self._counting_silence = False

    def _silence_s(self, now: float) -> float:
        if not self._counting_silence:
            return self._longest_s
        return max(self._longest_s, *(now - since for since in self._silent_since.values()), 0.0)

    def take(self, now: float) -> Account:
        """How things stand."""
        lines = self._lines.values()
        numbered = [line for line in lines if line.numbered]
        return Account(
            ticks=sum(line.ticks for line in lines),
            lost=sum(line.lost for line in numbered) if numbered else None,
            doubled=sum(line.doubled for line in lines),
            disordered=sum(line.disordered for line in lines),
            bent=sum(line.bent for line in lines),
            gaps=sum(line.gaps for line in lines),
            gap_s=sum(line.gap_s for line in lines),
            silence_s=self._silence_s(now) if self._silent_since else None,
            missed=self._missed,
        )


class _Line:
    """One instrument."""

    __slots__ = (
        "_last",
        "_last_number",
        "_numbers",
        "bent",
        "disordered",
        "doubled",
        "gap_s",
        "gaps",
        "lost",
        "numbered",
        "ticks",
    )

    def __init__(self) -> None:
        self.ticks = self.lost = self.doubled = self.disordered = self.bent = self.gaps = 0
        self.gap_s = 0.0
        self.numbered = False
        self._last: Tick | None = None
        self._last_number: int | None = None
        self._numbers: deque[int] = deque(maxlen=_REMEMBERED)

    def forget(self) -> None:
        """What comes now has nothing to do with the numbers before."""
        self._last = self._last_number = None
        self._numbers.clear()

    def tick(self, tick: Tick, target: str) -> None:
        self.ticks += 1
        self.bent += bool(tick.flags & TickFlag.SUSPECT) and tick.source == target
        if tick.kind is TickKind.TRADE and tick.sequence is not None:
            self._trade(tick.sequence)
        elif tick.kind is TickKind.TRADE or tick.kind is TickKind.QUOTE:
            self._picture(tick)

    def _trade(self, number: int) -> None:
        self.numbered = True
        last = self._last_number
        if last is not None and number <= last:
            if number in self._numbers:
                self.doubled += 1
            else:
                self.disordered += 1
            return
        if last is not None:
            self.lost += number - last - 1
        self._last_number = number
        self._numbers.append(number)

    def _picture(self, tick: Tick) -> None:
        last, self._last = self._last, tick
        if last is None or last.time_ns is None or tick.time_ns is None or last.source != tick.source:
            return
        if tick.time_ns < last.time_ns:
            self.disordered += 1
        elif tick.time_ns == last.time_ns and _content(tick) == _content(last):
            self.doubled += 1

    def gap(self, gap: Gap) -> None:
        self.gaps += 1
        if gap.after_ns is not None and gap.before_ns is not None:
            self.gap_s += (gap.before_ns - gap.after_ns) * _NS
        if gap.last_sequence is not None and self._last_number is not None:
            # What is told is not lost.
            self._last_number = max(self._last_number, gap.last_sequence)


def _content(tick: Tick) -> tuple[object, ...]:
    return tick.kind, tick.price, tick.size, tick.volume, tick.bid, tick.ask
