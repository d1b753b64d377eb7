"""Which instruments of a connection are silent although it flows, each against what it usually does. Pure."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mds_engine.model import Instrument, Tick
from mds_engine.model.tick_batch import TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.model.tick_read import TickRead

_NEVER = float("inf")
_ENOUGH_PAUSES = 16
_FACTOR = 5.0
"""An instrument is mute after so many of its longest pauses of late, or more."""
_SURE = math.log(1e8)
"""Were pauses random, one as long as the limit would come once in so many of them."""
_LEARN_EVERY_S = 60.0
"""Of 5,000 instruments that all tick, learning from every pause would take 8 ms each second."""
_TURNS = 60
"""They do not all learn in the same second."""
_HALF_LIFE_S = 1800.0
_HALF_LIFE_PAUSES = 30.0


class Silent(NamedTuple):
    """What one look found, each instrument once a silence."""

    never: frozenset[Instrument]
    """Subscribed, and not one tick came."""
    quiet: frozenset[Instrument]
    """They ticked, and do so no more."""


class _Pulse:
    """One instrument: when its silence began, and when it would be too long."""

    __slots__ = (
        "due_at",
        "faded_at",
        "is_confirmed",
        "is_mute",
        "learn_at",
        "limit_s",
        "longest_s",
        "pauses",
        "since",
    )

    def __init__(self) -> None:
        self.since = 0.0
        self.due_at = _NEVER
        self.is_confirmed = False
        self.is_mute = False
        self.longest_s = 0.0
        """The longest pause of late, forgotten slowly."""
        self.pauses = 0
        self.limit_s = _NEVER
        self.faded_at = 0.0
        self.learn_at = -_NEVER
        """Until then a pause that is not its longest teaches nothing."""


class Liveness:
    """Learns from ticks and tells who is mute. `saw` is called for each frame, `look` about once a second.

    Pauses are measured between looks, so that a tick costs one store. An
    instrument that is seldom traded is judged only once enough of its pauses
    were seen; one that was mute wrongly is given more time the next time.
    """

    def __init__(self, *, mute_after_s: float, confirm_within_s: float) -> None:
        """An instrument may be silent for `mute_after_s` whatever is usual. Its first tick over a connection
        is due within `confirm_within_s`, or its usual pauses where they are longer. Both in seconds."""
        self.mute: frozenset[Instrument] = frozenset()
        """Those that are silent now, as of the last look."""
        self._mute_after_s = mute_after_s
        self._confirm_within_s = confirm_within_s
        self._fresh: dict[Instrument, float] = {}
        self._batches: dict[int, tuple[tuple[Instrument, ...], float]] = {}
        self._pulses: dict[str, dict[Instrument, _Pulse]] = {}
        """By exchange."""
        self._pulse_of: dict[Instrument, _Pulse] = {}
        self._closed: set[str] = set()
        self._newly_heard: list[Instrument] = []
        self._turn = 0

    def use(self, *, mute_after_s: float, confirm_within_s: float) -> None:
        """Have other patience, as of the next tick of each."""
        self._mute_after_s, self._confirm_within_s = mute_after_s, confirm_within_s

    def follow(self, instruments: frozenset[Instrument], now: float) -> None:
        """These are subscribed now, and no others. Those that are new have yet to be confirmed."""
        for exchange in list(self._pulses):
            pulses = self._pulses[exchange]
            for instrument in pulses.keys() - instruments:
                del pulses[instrument], self._pulse_of[instrument]
            if not pulses:
                del self._pulses[exchange]
                self._closed.discard(exchange)
        self.mute &= instruments
        for instrument in instruments:
            if instrument not in self._pulse_of:
                pulse = self._pulse_of[instrument] = _Pulse()
                self._pulses.setdefault(instrument.exchange, {})[instrument] = pulse
                self._await_first(pulse, now)

    def refused(self, instruments: frozenset[Instrument]) -> None:
        """The vendor does not have these: they are mute, and told already."""
        for instrument in instruments & self._pulse_of.keys():
            self._pulse_of[instrument].is_mute = True
        self.mute |= instruments & self._pulse_of.keys()

    def restart(self, now: float) -> None:
        """A new connection: each has to be confirmed again. What is usual is still known."""
        self._fresh.clear()
        self._batches.clear()
        for pulse in self._pulse_of.values():
            self._await_first(pulse, now)

    def saw(self, ticks: Sequence[Tick], now: float) -> None:
        """Ticks of one frame came."""
        if type(ticks) is TickBatch or type(ticks) is TickFrames:
            # Its instruments are one object while its frames name the same ones: one store for all.
            self._batches[id(ticks.instruments)] = (ticks.instruments, now)
            return
        fresh = self._fresh
        if type(ticks) is TickRead and ticks.trades is not None:
            fresh.update(dict.fromkeys(ticks.trades, now))
            return
        for tick in ticks:
            fresh[tick.instrument] = now

    def look(self, now: float, flowed_at: float, is_open: Callable[[str], bool]) -> Silent:
        """Learn from what was seen since the last look, and tell who became mute.

        A silence counts only if the stream brought other data (last at
        `flowed_at`) after it had become too long, and from the exchange's opening on.
        """
        self._learn(is_open)
        never: set[Instrument] = set()
        quiet: set[Instrument] = set()
        for exchange, pulses in self._pulses.items():
            if not is_open(exchange):
                self._closed.add(exchange)
                continue
            if exchange in self._closed:
                self._closed.discard(exchange)
                for pulse in pulses.values():
                    self._opened(pulse, now)
                continue
            for instrument, pulse in pulses.items():
                if pulse.due_at < flowed_at and not pulse.is_mute:
                    pulse.is_mute = True
                    (quiet if pulse.is_confirmed else never).add(instrument)
        if never or quiet:
            self.mute |= never | quiet
        return Silent(frozenset(never), frozenset(quiet))

    def newly_heard(self) -> list[Instrument]:
        """Those that ticked for the first time over a connection, or again after they were mute, since this
        was last asked; as of the last look."""
        heard, self._newly_heard = self._newly_heard, []
        return heard

    def _learn(self, is_open: Callable[[str], bool]) -> None:
        for instruments, at in self._batches.values():
            self._fresh.update(dict.fromkeys(instruments, at))
        self._batches.clear()
        fresh, self._fresh = self._fresh, {}
        back: set[Instrument] = set()
        # What ends with the first tick of a day is the night, and no pause.
        is_pause = {name: name not in self._closed and is_open(name) for name in self._pulses}
        pulse_of = self._pulse_of
        for instrument, at in fresh.items():
            pulse = pulse_of.get(instrument)
            if pulse is None:
                continue
            if at < pulse.learn_at and at - pulse.since <= pulse.longest_s:
                pulse.pauses += 1
                pulse.since = at
                pulse.due_at = at + pulse.limit_s
                continue
            if pulse.is_mute or not pulse.is_confirmed:
                self._newly_heard.append(instrument)
            if pulse.is_mute:
                pulse.is_mute = False
                back.add(instrument)
            if pulse.is_confirmed and is_pause[instrument.exchange]:
                self._take_pause(pulse, at)
            pulse.since, pulse.is_confirmed = at, True
            pulse.due_at = at + pulse.limit_s
        if back:
            self.mute -= back

    def _take_pause(self, pulse: _Pulse, at: float) -> None:
        pause_s, limit_s = at - pulse.since, pulse.limit_s
        # What was told as a silence may have been a fault, or usual after all: it doubles the limit, no more.
        learned_s = pause_s if pause_s < limit_s else 2.0 * limit_s / _FACTOR
        half_life_s = max(_HALF_LIFE_S, _HALF_LIFE_PAUSES * pulse.longest_s)
        faded = 0.5 ** (max(0.0, at - pulse.faded_at) / half_life_s) if pulse.pauses else 0.0
        pulse.longest_s = max(learned_s, pulse.longest_s * faded)
        pulse.faded_at = at
        pulse.pauses += 1
        if pulse.pauses >= _ENOUGH_PAUSES:
            pulse.limit_s = max(self._mute_after_s, _factor(pulse.pauses) * pulse.longest_s)
            self._turn = (self._turn + 1) % _TURNS
            pulse.learn_at = at + _LEARN_EVERY_S * (0.5 + self._turn / _TURNS)

    def _await_first(self, pulse: _Pulse, now: float) -> None:
        pulse.since = now
        pulse.is_confirmed = False
        pulse.learn_at = -_NEVER
        usual_s = 0.0 if pulse.pauses < _ENOUGH_PAUSES else _factor(pulse.pauses) * pulse.longest_s
        pulse.due_at = now + max(self._confirm_within_s, usual_s)

    def _opened(self, pulse: _Pulse, now: float) -> None:
        if not pulse.is_confirmed:
            self._await_first(pulse, now)
            return
        pulse.since = now
        pulse.learn_at = -_NEVER
        pulse.due_at = now + pulse.limit_s


def _factor(pauses: int) -> float:
    """How many of the longest of so many pauses are too long: the fewer were seen, the more."""
    return max(_FACTOR, _SURE / math.log(pauses))


def names(instruments: Iterable[Instrument]) -> tuple[str, ...]:
    """As events spell them."""
    return tuple(str(instrument) for instrument in sorted(instruments))
