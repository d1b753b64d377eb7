"""Kite's larger frames as one `TickBatch` each: a few calls of numpy whatever their size. Pure.

`decode_ticks` makes the same ticks one by one, and is faster where there are
few. A frame usually names the same tokens as one before it: what they are
called, and what divides their prices, is then known at a glance.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mds_engine.model import Instrument, Tick
from mds_engine.model.tick_batch import NO_TIME, TICK_FIELDS, TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.sources.kite.decode_ticker import (
    FULL,
    INDEX_FULL,
    INDEX_QUOTE,
    LTP,
    QUOTE,
    decode_ticks,
    truncated,
)
from mds_engine.sources.kite.exchanges import PRICE_DIVISORS, unnamed

_SMALL = 8
"""Up to so many packets ticks one by one are faster, counting what the board and the readers do with them."""
_SMALL_MIXED = 16
"""The same where the packets are of several lengths, which takes longer to sort out."""

_ROSTERS = 64
"""How many different sets of tokens are remembered; a desk's frames repeat few, or too many to remember."""

_NANOSECONDS = 1_000_000_000
_NAN = np.nan
_HEAD, _WORD = np.dtype("V6"), np.dtype(">u4")
"""A packet's length and token; one of its words."""

# Which word of a packet holds which of TICK_FIELDS; the first word is the token. An index has no quantities,
# and its prices come in the order high, low, open, close.
_INDEX_WORDS = {"price": 1, "high": 2, "low": 3, "open": 4, "previous_close": 5}
_QUOTE_WORDS = {
    "price": 1, "size": 2, "volume": 4, "open": 7, "high": 8, "low": 9, "previous_close": 10,
}  # fmt: skip
_WORDS = {
    LTP: {"price": 1},
    INDEX_QUOTE: _INDEX_WORDS,
    INDEX_FULL: _INDEX_WORDS,
    QUOTE: _QUOTE_WORDS,
    # Of the depth only the first level a side: five bids come first, three words each.
    FULL: {**_QUOTE_WORDS, "open_interest": 12, "bid_size": 16, "bid": 17, "ask_size": 31, "ask": 32},
}
_TIME_WORD = {INDEX_FULL: 7, FULL: 15}


def _columns(length: int) -> "NDArray[np.intp]":
    return np.array([TICK_FIELDS.index(field) for field in TICK_FIELDS if field in _WORDS[length]])


def _words(length: int) -> "NDArray[np.intp]":
    return np.array([_WORDS[length][field] for field in TICK_FIELDS if field in _WORDS[length]])


def _octets(length: int) -> "NDArray[np.intp]":
    words = (0, _TIME_WORD.get(length, 0), *_words(length))
    return np.array([4 * word + octet for word in words for octet in range(4)])


_COLUMNS_OF = {length: _columns(length) for length in _WORDS}
_WORDS_OF = {length: _words(length) for length in _WORDS}
_OCTETS_OF = {length: _octets(length) for length in _WORDS}
"""Of the token, the time (or the token again), and the words of `_WORDS_OF`."""

_PRICES = slice(TICK_FIELDS.index("price"), TICK_FIELDS.index("previous_close") + 1)
_ABSENT_IF_ZERO = slice(TICK_FIELDS.index("bid"), TICK_FIELDS.index("open_interest") + 1)
_BID_AND_ASK = slice(0, 2)
"""Within `_ABSENT_IF_ZERO`."""
_THEIR_SIZES = slice(TICK_FIELDS.index("bid_size"), TICK_FIELDS.index("ask_size") + 1)

_DIVISORS = np.ones((256, len(TICK_FIELDS)))
"""By segment: what each column is divided by. Counts are divided by one."""
_DIVISORS[:, _PRICES] = np.array(PRICE_DIVISORS)[:, None]


class _Roster(NamedTuple):
    """What frames that begin their packets with the same lengths and tokens have in common."""

    instruments: tuple[Instrument, ...]
    divisors: NDArray[np.float64]


class TickerDecoder:
    """The frames of one connection to ticks.

    `instruments` names the tokens; its owner says `names_changed` after changing
    it, for to look up the names of 500 packets takes longer than to decode them.
    A token without an instrument is named `KITE:<token>`.
    """

    def __init__(self, instruments: Mapping[int, Instrument], source: str = "") -> None:
        self._instruments = instruments
        self._source = source
        self._rosters: dict[bytes, _Roster] = {}

    def names_changed(self) -> None:
        """Forget what the tokens of earlier frames were called."""
        self._rosters.clear()

    def decode(self, frame: bytes, received_ns: int = 0) -> Sequence[Tick]:
        """One binary message, in the frame's order: a list of few ticks, a TickBatch of many.

        Raises InvalidPayload.
        """
        count = frame[0] << 8 | frame[1] if len(frame) > 1 else 0
        if count > _SMALL:
            length = frame[2] << 8 | frame[3] if len(frame) > 3 else 0
            if length in _WORDS and len(frame) == 2 + count * (2 + length):
                batch = self._alike(frame, count, length, received_ns)
                if batch is not None:
                    return batch
            if count > _SMALL_MIXED:
                return self._mixed(frame, count, received_ns)
        return decode_ticks(frame, self._instruments, self._source, received_ns)

    def decode_all(self, frames: Sequence[bytes], received_ns: int = 0) -> Iterator[Sequence[Tick]]:
        """Messages that came at once, oldest first, without those that bear no ticks.

        Large ones in a row that name the same tokens become one `TickFrames`. Raises InvalidPayload, after
        what came before it.
        """
        at = 0
        while at < len(frames):
            together = self._together(frames, at, received_ns)
            if together is not None:
                at += len(together.time_ns)
                yield together
                continue
            ticks = self.decode(frames[at], received_ns)
            at += 1
            if ticks:
                yield ticks

    def _together(self, frames: Sequence[bytes], at: int, received_ns: int) -> TickFrames | None:
        """The frames from here on that are of full packets of the same tokens; None if it is but one."""
        first = frames[at]
        size, step = len(first), 2 + FULL
        count = first[0] << 8 | first[1] if size > 1 else 0
        if count <= _SMALL or size != 2 + count * step or at + 1 == len(frames):
            return None
        as_long = list(takewhile(lambda frame: len(frame) == size, frames[at:]))
        joined, number = b"".join(as_long[:2]), len(as_long)
        heads = _heads(first, 1, count)
        if number == 1 or _heads(joined, 2, count) != heads * 2:
            return None
        if heads[::6] + heads[1::6] != first[2:3] * count + first[3:4] * count:
            return None
        joined = b"".join(as_long)
        if _heads(joined, number, count) != heads * number:
            number = next(place for place, one in enumerate(as_long) if _heads(one, 1, count) != heads)
        words = np.ndarray((number, count, FULL // 4), _WORD, joined, 4, (size, step, 4))
        roster = self._roster(heads, words[0, :, 0])
        values = words.take(_WORDS_OF[FULL], 2) / roster.divisors
        time_ns = self._absent(values, words[:, :, _TIME_WORD[FULL]].astype(np.int64))
        return TickFrames(roster.instruments, values, time_ns, source=self._source, received_ns=received_ns)

    def _alike(self, frame: bytes, count: int, length: int, received_ns: int) -> TickBatch | None:
        """Packets of one length: their words are a strided view of the frame. None if they are not."""
        step = 2 + length
        heads = np.ndarray((count,), _HEAD, frame, 2, (step,)).tobytes()
        lengths = heads[::6] + heads[1::6]
        if heads not in self._rosters and lengths != frame[2:3] * count + frame[3:4] * count:
            return None
        words = np.ndarray((count, length // 4), _WORD, frame, 4, (step, 4))
        roster = self._roster(heads, words[:, 0])
        if length == FULL:
            values = words.take(_WORDS_OF[FULL], 1) / roster.divisors
        else:
            values = np.full((count, len(TICK_FIELDS)), _NAN)
            values[:, _COLUMNS_OF[length]] = words[:, _WORDS_OF[length]]
            values /= roster.divisors
        time_word = _TIME_WORD.get(length)
        seconds = np.zeros(count, np.int64) if time_word is None else words[:, time_word].astype(np.int64)
        return self._batch(roster.instruments, values, seconds, received_ns)

    def _roster(self, heads: bytes, token: NDArray[np.uint32]) -> _Roster:
        """What is remembered of these packets."""
        roster = self._rosters.get(heads)
        return self._remember(heads, token) if roster is None else roster

    def _mixed(self, frame: bytes, count: int, received_ns: int) -> TickBatch:
        """Packets of several lengths: those of each length together, each put in its place."""
        starts, places = _sorted_by_length(frame, count)
        known = sum(map(len, places.values()))
        token, seconds = np.zeros(known, np.int64), np.zeros(known, np.int64)
        values = np.full((known, len(TICK_FIELDS)), _NAN)
        octets = np.frombuffer(frame, np.uint8)
        for length, of_length in starts.items():
            where = np.array(of_length)[:, None] + _OCTETS_OF[length]
            words, rows = octets[where].view(_WORD), np.array(places[length])
            token[rows] = words[:, 0]
            values[rows[:, None], _COLUMNS_OF[length]] = words[:, 2:]
            if length in _TIME_WORD:
                seconds[rows] = words[:, 1]
        values /= _DIVISORS[token & 0xFF]
        return self._batch(self._named(token.tolist()), values, seconds, received_ns)

    def _batch(
        self,
        instruments: tuple[Instrument, ...],
        values: NDArray[np.float64],
        seconds: NDArray[np.int64],
        received_ns: int,
    ) -> TickBatch:
        time_ns = self._absent(values, seconds)
        return TickBatch(instruments, values, time_ns, source=self._source, received_ns=received_ns)

    def _absent(self, values: NDArray[np.float64], seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put what a zero means in its place, in `values`; returns the times in nanoseconds."""
        if np.count_nonzero(values) < values.size:
            may_lack = values[..., _ABSENT_IF_ZERO]
            absent = may_lack == 0.0
            may_lack[absent] = _NAN
            values[..., _THEIR_SIZES][absent[..., _BID_AND_ASK]] = _NAN
        time_ns = seconds * _NANOSECONDS
        if np.count_nonzero(seconds) < seconds.size:
            time_ns[seconds == 0] = NO_TIME
        return time_ns

    def _remember(self, heads: bytes, token: NDArray[np.uint32]) -> _Roster:
        if len(self._rosters) >= _ROSTERS:
            self._rosters.clear()
        roster = self._rosters[heads] = _Roster(self._named(token.tolist()), _DIVISORS[token & 0xFF])
        return roster

    def _named(self, tokens: list[int]) -> tuple[Instrument, ...]:
        find = self._instruments.get
        return tuple([find(token) or unnamed(token) for token in tokens])


def _heads(frames: bytes, number: int, count: int) -> bytes:
    """The packets' lengths and tokens, of so many frames of so many full packets each."""
    step = 2 + FULL
    return np.ndarray((number, count), _HEAD, frames, 2, (2 + count * step, step)).tobytes()


def _sorted_by_length(frame: bytes, count: int) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Where the packets of each known length start, and which place each has among the known ones."""
    starts: dict[int, list[int]] = {}
    places: dict[int, list[int]] = {}
    size, at, place = len(frame), 2, 0
    for _ in range(count):
        start = at + 2
        if start > size:
            raise truncated(frame, count)
        length = frame[at] << 8 | frame[at + 1]
        at = start + length
        if at > size:
            raise truncated(frame, count)
        if length in _WORDS:
            starts.setdefault(length, []).append(start)
            places.setdefault(length, []).append(place)
            place += 1
    return starts, places
