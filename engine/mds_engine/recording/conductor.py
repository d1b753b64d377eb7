"""Plays the rows of a recording, each at its time on the clock, as an operator orders it."""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mds_engine.errors import SourceError
from mds_engine.model import Instrument, Tick
from mds_engine.recording.decoders import Decoders
from mds_engine.recording.format import RecordedFrame
from mds_engine.recording.orders import AS_FAST_AS_POSSIBLE, Goal, Orders
from mds_engine.recording.reading import LONGEST_SILENCE_S
from mds_engine.recording.replay_clock import ReplayClock

if TYPE_CHECKING:
    from mds_engine.recording.replay import ReplayStream

_AFTER_S = 1.0
"""Of a silence that is passed over, so much is played at its beginning, and at its end."""
_TAIL_S = 6.0
"""Of the recording's time after the last frame: for trades that wait for others to be given up."""
_CHUNK = 2048
_SLICE_S = 0.02
"""Real seconds after which the rest of the loop gets a turn: pictures are taken, orders heard."""
_LOOK_EVERY_S = 0.04
"""Real seconds after which the clock is moved on though nothing happens, and orders are looked at."""
_ARREARS_S = 0.25
"""A machine that cannot keep up is behind by so many real seconds at most; it does not catch up later."""
_MOST_TURNS = 1000
_PACE_OVER_S = 1.0
_FAR = float("inf")


class Conductor:
    """Moves the clock from one thing that happens to the next, and lets all that it wakes come to rest.

    Nothing but the recording decides what the engine meets, and in which order:
    so after the same number of rows at the same time its state is the same,
    however fast it was played, and wherever it paused.
    """

    def __init__(
        self,
        rows: Iterator[RecordedFrame],
        decoders: Decoders,
        clock: ReplayClock,
        orders: Orders,
        streams: Mapping[str, list["ReplayStream"]],
        known: Mapping[str, Iterable[Instrument]],
        *,
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        """`streams` are the open ones, by source; `known` is what the engine knows of from the start."""
        self.rows = 0
        """Played so far."""
        self.unreadable = 0
        """Frames among them that could not be decoded."""
        self.ended = asyncio.Event()
        """Set when the last frame was played."""
        self.pace = 0.0
        """Seconds of the recording in a real one, over the last second or so."""
        self.meet: Callable[[str, Iterable[Instrument]], None] = _nobody
        """Told of instruments that a source names for the first time, before their first tick."""
        self._rows = rows
        self._decoders = decoders
        self._clock = clock
        self._orders = orders
        self._streams = streams
        self._known = {source: set(instruments) for source, instruments in known.items()}
        self._real = real
        self._chunk: list[RecordedFrame] = []
        self._exhausted = False
        self._last_due = clock.now()
        self._paced_from = (real(), clock.now())

    async def run(self) -> None:
        """Play as ordered, for ever: after the end it waits for other orders. Ends by cancellation only,
        and by what the reading of the recording raises."""
        await self._settle()
        while True:
            orders = self._orders
            if (goal := orders.goal) is not None:
                await self._reach(goal)
            elif orders.playing and not self.ended.is_set():
                await self._play(orders.speed)
            else:
                self.pace = 0.0
                await asyncio.sleep(_LOOK_EVERY_S)

    @property
    def at(self) -> float:
        """The recording's time, epoch seconds UTC."""
        return self._clock.wall()

    # --- How fast -------------------------------------------------------------------------------------

    async def _reach(self, goal: Goal) -> None:
        """Go there as fast as possible."""
        until = _FAR if goal.at is None else self._clock.when(goal.at)
        while self._orders.goal is goal:
            if await self._advance(until, goal.rows):
                self._orders.reached(goal)
            await asyncio.sleep(0)

    async def _play(self, speed: float) -> None:
        orders, clock = self._orders, self._clock
        real_0, now_0 = self._real(), clock.now()
        self._paced_from = (real_0, now_0)
        while orders.playing and orders.goal is None and orders.speed == speed and not self.ended.is_set():
            if speed == AS_FAST_AS_POSSIBLE:
                await self._advance(_FAR)
                await asyncio.sleep(0)
            else:
                until = now_0 + (self._real() - real_0) * speed
                arrived = await self._advance(until)
                if abs(until - clock.now()) > _ARREARS_S * speed:
                    real_0, now_0 = self._real(), clock.now()
                wait_s = min(_LOOK_EVERY_S, (self._next_due() - clock.now()) / speed) if arrived else 0.0
                await asyncio.sleep(max(0.0, wait_s))
            self._measure()
        if self.ended.is_set():
            orders.playing = False

    def _measure(self) -> None:
        real, now = self._real(), self._clock.now()
        took_s = real - self._paced_from[0]
        if took_s >= _PACE_OVER_S:
            self.pace = (now - self._paced_from[1]) / took_s
            self._paced_from = (real, now)

    # --- From one thing that happens to the next ------------------------------------------------------

    async def _advance(self, until: float, most_rows: int | None = None) -> bool:
        """Go on to a monotonic time, or until so many rows were played. False if the slice was over before.

        A silence that is passed over ends later than `until`, where that lies in it.
        """
        clock = self._clock
        loop = asyncio.get_running_loop()
        over = self._real() + _SLICE_S
        alarm = clock.next_alarm  # another one only when somebody has had a turn
        while most_rows is None or self.rows < most_rows:
            if not self._chunk and not self._exhausted:
                await self._read_on()
            row = self._chunk[-1] if self._chunk else None
            if row is None and self.ended.is_set():
                return True
            due = max(clock.now(), clock.when_ns(row.received_ns)) if row is not None else _FAR
            rest = self._last_due + (_AFTER_S if row is not None else _TAIL_S)
            quiet = row is None or due - self._last_due > LONGEST_SILENCE_S
            stop = min(until, rest) if quiet else until
            if min(due, alarm) > stop:
                clock.move_to(stop)
                if not quiet or until <= rest:
                    return True
                if row is None:
                    self.ended.set()
                    return True
                clock.move_to(due - _AFTER_S)
                self._last_due = clock.now()
                alarm = await self._settle()
            elif row is None or alarm <= due:
                clock.move_to(alarm)
                alarm = await self._settle()
            else:
                self._chunk.pop()
                clock.move_to(due)
                self._last_due = due
                ticks = self._decode(row)
                if ticks and self._names_new(row.source, ticks):
                    alarm = await self._settle()
                self._show(row.source, ticks)
                if _has_work(loop):
                    alarm = await self._settle()
                self.rows += 1
            if self._real() >= over:
                return False
        return True

    def _next_due(self) -> float:
        """The monotonic time of the next thing that happens, as far as it is known without reading on."""
        due = self._clock.when_ns(self._chunk[-1].received_ns) if self._chunk else self._clock.now()
        return min(due, self._clock.next_alarm)

    async def _read_on(self) -> None:
        self._chunk = await asyncio.to_thread(_take, self._rows)
        self._exhausted = not self._chunk

    def _decode(self, row: RecordedFrame) -> Sequence[Tick]:
        try:
            return self._decoders.take(row)
        except SourceError:
            self.unreadable += 1
            return ()

    def _names_new(self, source: str, ticks: Sequence[Tick]) -> bool:
        """Tell of what a source names for the first time; the streams must then be given a turn."""
        known = self._known.setdefault(source, set())
        new = {tick.instrument: None for tick in ticks if tick.instrument not in known}
        if new:
            known.update(new)
            self.meet(source, new)
        return bool(new)

    def _show(self, source: str, ticks: Sequence[Tick]) -> None:
        now = self._clock.now()
        for stream in self._streams.get(source, ()):
            stream.last_frame_at = now
            if ticks:
                stream.take(ticks)

    async def _settle(self) -> float:
        """Let everything that was woken go on until it waits again; returns the next alarm."""
        loop = asyncio.get_running_loop()
        for _ in range(_MOST_TURNS):
            await asyncio.sleep(0)
            if not _has_work(loop):
                break
        return self._clock.next_alarm


def _has_work(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether something is to be done at once."""
    ready: deque[Any] | None = getattr(loop, "_ready", None)  # asyncio says it nowhere else
    return ready is None or bool(ready)


def _nobody(_source: str, _instruments: Iterable[Instrument]) -> None:
    """Nobody listens."""


def _take(rows: Iterator[RecordedFrame]) -> list[RecordedFrame]:
    """The rows that come next, the last one first."""
    chunk = list(itertools.islice(rows, _CHUNK))
    chunk.reverse()
    return chunk
