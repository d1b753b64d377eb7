"""What a recording holds, found by decoding it once beside its replay: for a time line. Blocking I/O."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from mds_engine.control.events import Level
from mds_engine.errors import MdsError, SourceError
from mds_engine.log import get_logger
from mds_engine.model import Instrument, TickKind
from mds_engine.recording.decoders import Decoders
from mds_engine.recording.format import FrameKind, RecordedFrame
from mds_engine.recording.mark import Mark
from mds_engine.recording.reading import Extent, Recording
from mds_engine.sources.contract import SourcePlugin

_log = get_logger(__name__)

_MOST_MARKS = 1000
_PARTS = 500
"""What is of one sort, of one source, and within such a part of the whole, is one mark."""
_FLURRY_S = 10.0
"""Connections that a source opens within so many seconds of its first are the parts of one stream."""
_TELL_EVERY_S = 0.2
_SPREAD = 1.0
"""After each spell of work it rests as long: the screen and the engine share the interpreter with it."""
_SPELL_S = 0.01


class Survey(NamedTuple):
    """What has been found so far."""

    marks: tuple[Mark, ...] = ()
    """Oldest first."""
    share: float = 0.0
    """Of the rows that were read; 1.0 at the end."""
    left_out: int = 0
    """Marks beyond the most that are kept."""


class Surveyor:
    """Reads a recording from its beginning to its end. `run` is for a thread of its own."""

    def __init__(
        self,
        recording: Recording,
        plugins: Mapping[str, SourcePlugin],
        extent: Extent,
        tell: Callable[[Survey], object],
        *,
        wanted: Callable[[], bool] = lambda: True,
        rest: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` gets what has been found, now and then and at the end; it goes on while `wanted` says so."""
        self._recording = recording
        self._decoders = Decoders(recording, plugins)
        self._extent = extent
        self._tell = tell
        self._wanted = wanted
        self._rest = rest
        self._now = now
        first_s, last_s = extent.first_ns / 1e9, extent.last_ns / 1e9
        self._together_s = max(1.0, (last_s - first_s) / _PARTS)
        self._findings: list[_Finding] = []
        self._latest: dict[tuple[str, str], _Finding] = {}
        self._left_out = 0
        self._next_trade: dict[tuple[str, Instrument], int] = {}
        self._first_at: dict[str, float] = {}
        self._connections: set[int] = set()
        self._notes: set[int] = set()

    def run(self) -> None:
        """Read everything. Raises nothing: what cannot be read is a mark too."""
        rows = 0
        told_at = begun = self._now()
        for (_, end), (start, _) in zip(self._extent.stretches, self._extent.stretches[1:], strict=False):
            self._find("silence", end, Level.INFO, "recording", _always(_silence(start - end)))
        try:
            for row in self._recording.rows():
                self._look(row)
                rows += 1
                now = self._now()
                if now - begun >= _SPELL_S:
                    if not self._wanted():
                        return
                    if now - told_at >= _TELL_EVERY_S:
                        self._tell(self._survey(min(0.999, rows / self._extent.rows)))
                        told_at = now
                    self._rest((now - begun) * _SPREAD)
                    begun = self._now()
        except (MdsError, OSError) as error:
            self._problem(str(error))
        except Exception as error:  # noqa: BLE001  its thread's last line: a traceback would spoil the screen
            _log.exception("survey_defect")
            self._problem(f"not looked through to its end: {type(error).__name__}: {error}")
        for problem in self._recording.problems:
            self._problem(problem)
        self._tell(self._survey(1.0))

    def _survey(self, share: float) -> Survey:
        marks = sorted((finding.mark() for finding in self._findings), key=lambda mark: mark.at)
        return Survey(tuple(marks), share, self._left_out)

    def _problem(self, words: str) -> None:
        self._find("problem", self._extent.last_ns / 1e9, Level.CRITICAL, "recording", _always(words))

    def _look(self, row: RecordedFrame) -> None:
        at = row.received_ns / 1e9
        if row.kind == FrameKind.LOST:
            self._find("lost", at, Level.WARNING, "recording", _not_recorded, int(row.payload))
            return
        self._look_at_connection(row, at)
        if row.kind == FrameKind.NOTE and (note := hash((row.source, row.payload))) not in self._notes:
            self._notes.add(note)
            self._find("note", at, Level.INFO, row.source, _noted)
        try:
            ticks = self._decoders.take(row)
        except SourceError as error:
            self._find("unreadable", at, Level.WARNING, row.source, partial(_unreadable, error.message))
            return
        for tick in ticks:
            if tick.kind is TickKind.TRADE and tick.sequence is not None:
                key = (row.source, tick.instrument)
                expected = self._next_trade.get(key, tick.sequence)
                if tick.sequence > expected:
                    self._find("gap", at, Level.WARNING, row.source, _missed, tick.sequence - expected)
                if tick.sequence >= expected:
                    self._next_trade[key] = tick.sequence + 1

    def _look_at_connection(self, row: RecordedFrame, at: float) -> None:
        if row.connection in self._connections:
            return
        self._connections.add(row.connection)
        first_at = self._first_at.setdefault(row.source, at)
        if at - first_at <= _FLURRY_S:
            level, text = Level.INFO, "first frames"
        else:
            level, text = Level.WARNING, "connected anew"
        self._find(text, at, level, row.source, _always(text))

    def _find(
        self, sort: str, at: float, level: Level, subject: str, words: Callable[[int], str], number: int = 1
    ) -> None:
        latest = self._latest.get((sort, subject))
        if latest is not None and at - latest.at < self._together_s:
            latest.number += number
            return
        if len(self._findings) >= _MOST_MARKS:
            self._left_out += 1
            return
        self._latest[sort, subject] = finding = _Finding(at, level, subject, words, number)
        self._findings.append(finding)


class _Finding:
    """A mark that grows while more of its sort comes."""

    __slots__ = ("at", "level", "number", "subject", "words")

    def __init__(
        self, at: float, level: Level, subject: str, words: Callable[[int], str], number: int
    ) -> None:
        self.at = at
        self.level = level
        self.subject = subject
        self.words = words
        self.number = number

    def mark(self) -> Mark:
        return Mark(self.at, self.level, self.subject, self.words(self.number))


def _always(text: str) -> Callable[[int], str]:
    return lambda _number: text


def _noted(notes: int) -> str:
    return f"{_many(notes, 'note')} of its stream"


def _unreadable(why: str, frames: int) -> str:
    return f"{_many(frames, 'frame')} not to be decoded: {why}"


def _missed(trades: int) -> str:
    return f"{_many(trades, 'trade')} not sent in order, or never"


def _not_recorded(frames: int) -> str:
    return f"{_many(frames, 'frame')} not recorded: the disk was too slow"


def _silence(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    words = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"nothing came for {words}; passed over"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
