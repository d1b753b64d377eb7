"""Kite's binary ticker frames: columns for many packets, plain tuples for few. Pure.

A frame is a big-endian `u16` count, then count times a `u16` length and so many
bytes. The length alone says what a packet is:

      8  last price
     28  index quote (high, low, open, close), 32  the same with the exchange's time
     44  quote (open, high, low, close), 184  the same with open interest, times and five levels a side

Frames of one to four packets are read with `struct`: numpy's calls cost more
than they save there. Larger ones are read as a strided view, a column at a time.
"""

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.sources.kite.exchanges import PRICE_DIVISORS, unnamed

LTP, INDEX_QUOTE, INDEX_FULL, QUOTE, FULL = 8, 28, 32, 44, 184

FIELDS = (
    "last_price",
    "last_quantity",
    "average_price",
    "volume",
    "buy_quantity",
    "sell_quantity",
    "open",
    "high",
    "low",
    "close",
    "last_trade_time",
    "open_interest",
    "open_interest_high",
    "open_interest_low",
    "exchange_time",
)
"""The columns of `TickerFrame.values`, in a full packet's own order."""

_PRICES = np.array([0, 2, 6, 7, 8, 9])
PACKET_LENGTHS = frozenset({LTP, INDEX_QUOTE, INDEX_FULL, QUOTE, FULL})
"""The lengths that are understood."""

_SMALL = 4
_QUOTE_KIND = TickKind.QUOTE
_DIVISOR_COLUMN = np.array(PRICE_DIVISORS)

# Which word of a packet is which column. An index has no quantities, and its prices come in the order
# high, low, open, close; its seventh word, the change of price, is left out.
_COLUMNS = {
    LTP: ((1, 0),),
    INDEX_QUOTE: ((1, 0), (2, 7), (3, 8), (4, 6), (5, 9)),
    INDEX_FULL: ((1, 0), (2, 7), (3, 8), (4, 6), (5, 9), (7, 14)),
    QUOTE: tuple((column + 1, column) for column in range(10)),
}
_UNPACK = {
    LTP: Struct(">2I").unpack_from,
    INDEX_QUOTE: Struct(">6I4x").unpack_from,
    INDEX_FULL: Struct(">6I4xI").unpack_from,
    QUOTE: Struct(">11I").unpack_from,
    # Of the depth only the first level a side: the others are read when they are asked for.
    FULL: Struct(">16I2I52x2I52x").unpack_from,
}


Packet = tuple[int, tuple[int, ...]]
"""One packet of a small frame: its length, and its words as the vendor sent them."""


class _Columns(NamedTuple):
    token: NDArray[np.int64]
    values: NDArray[np.float64]
    depth: NDArray[np.float64]


class TickerFrame(msgspec.Struct):
    """One decoded frame.

    `token` is int64 of shape (n,); `values` float64 (n, 15), its columns named
    by `FIELDS`; `depth` float64 (n, 10, 3): five bids, then five asks, each
    quantity, price, orders. What a packet does not hold is NaN. Prices are in
    rupees, times in seconds since the epoch, UTC. `skipped` counts packets of
    unknown length, which are in no column.
    """

    frame: bytes
    packets: list[Packet] | None
    """The words as they came, for a small frame."""
    skipped: int = 0
    columns: _Columns | None = None
    """Made at once for a large frame, when asked for else."""

    def __len__(self) -> int:
        return len(self.packets) if self.packets is not None else len(self._as_columns().token)

    @property
    def token(self) -> NDArray[np.int64]:
        """Instrument tokens, in the order of the frame."""
        return self._as_columns().token

    @property
    def values(self) -> NDArray[np.float64]:
        """Prices, quantities and times."""
        return self._as_columns().values

    @property
    def depth(self) -> NDArray[np.float64]:
        """Five levels a side."""
        return self._as_columns().depth

    def column(self, field: str) -> NDArray[np.float64]:
        """One of `FIELDS`."""
        return self.values[:, FIELDS.index(field)]

    def _as_columns(self) -> _Columns:
        if self.columns is None:
            self.columns = _columns_of_mixed(self.frame)[0]
        return self.columns


def decode_frame(frame: bytes) -> TickerFrame:
    """One binary message of the ticker. A heartbeat (one byte) is an empty frame. Raises InvalidPayload."""
    size = len(frame)
    if size < 2:
        return TickerFrame(frame, [])
    count = frame[0] << 8 | frame[1]
    if count == 1 and size > 3:
        length = frame[2] << 8 | frame[3]
        unpack = _UNPACK.get(length)
        if unpack is not None and size == 4 + length:
            return TickerFrame(frame, [(length, unpack(frame, 4))])
    if count > _SMALL:
        return _decode_large(frame, count, size)
    packets, skipped = _packets(frame, count)
    return TickerFrame(frame, packets, skipped)


def decode_ticks(
    frame: bytes, instruments: Mapping[int, Instrument], source: str = "", received_ns: int = 0
) -> list[Tick]:
    """One binary message as ticks, in the frame's order. Raises InvalidPayload.

    A token without an instrument is named `KITE:<token>`. A tick's previous
    close is the packet's close: Kite's close is that of the day before. Making
    the ticks takes far longer than reading the words, so this does not go
    through the columns.
    """
    if len(frame) < 2:
        return []
    return [
        _MAKERS[length](words, instruments.get(words[0]) or unnamed(words[0]), source, received_ns)
        for length, words in _packets(frame, frame[0] << 8 | frame[1])[0]
    ]


def _packets(frame: bytes, count: int) -> tuple[list[Packet], int]:
    """The packets of known lengths, and how many others there are."""
    packets: list[Packet] = []
    at, skipped, size = 2, 0, len(frame)
    for _ in range(count):
        start = at + 2
        if start > size:
            raise truncated(frame, count)
        length = frame[at] << 8 | frame[at + 1]
        at = start + length
        if at > size:
            raise truncated(frame, count)
        unpack = _UNPACK.get(length)
        if unpack is None:
            skipped += 1
        else:
            packets.append((length, unpack(frame, start)))
    return packets, skipped


def _decode_large(frame: bytes, count: int, size: int) -> TickerFrame:
    length = frame[2] << 8 | frame[3] if size > 3 else 0
    step = 2 + length
    if length in _UNPACK and size == 2 + count * step:
        lengths = np.ndarray((count,), ">u2", frame, 2, (step,))
        if (lengths == length).all():
            # All alike: the words are a strided view of the frame, nothing is copied.
            words = np.ndarray((length // 4, count), ">u4", frame, 4, (4, step))
            return TickerFrame(frame, None, 0, _columns_of_words(words))
    columns, skipped = _columns_of_mixed(frame)
    return TickerFrame(frame, None, skipped, columns)


def _columns_of_words(words: NDArray[np.uint32]) -> _Columns:
    """Columns of packets of one length, given as big-endian words of shape (length / 4, n)."""
    length, count = 4 * words.shape[0], words.shape[1]
    token = words[0].astype(np.int64)
    divisor = _DIVISOR_COLUMN[token & 0xFF]
    if length == FULL:
        values = words[1:16].astype(np.float64, order="C")
        levels = words[16:].astype(np.float64, order="C").reshape(10, 3, count)
        levels[:, 1] /= divisor
        # Orders are a u16 and two bytes of padding: the upper half of their word.
        levels[:, 2] = words[18::3] >> np.uint32(16)
        depth = levels.transpose(2, 0, 1)
    else:
        values = np.full((len(FIELDS), count), np.nan)
        for word, column in _COLUMNS[length]:
            values[column] = words[word]
        depth = np.broadcast_to(np.nan, (count, 10, 3))
    values[_PRICES] /= divisor
    return _Columns(token, values.T, depth)


def _columns_of_mixed(frame: bytes) -> tuple[_Columns, int]:
    """Packets of several lengths: those of each length together, then put back in order."""
    starts: dict[int, list[int]] = {}
    places: dict[int, list[int]] = {}
    count, size, at, skipped, place = int.from_bytes(frame[:2], "big"), len(frame), 2, 0, 0
    for _ in range(count if size > 1 else 0):
        if at + 2 > size:
            raise truncated(frame, count)
        length = frame[at] << 8 | frame[at + 1]
        if at + 2 + length > size:
            raise truncated(frame, count)
        if length in _UNPACK:
            starts.setdefault(length, []).append(at + 2)
            places.setdefault(length, []).append(place)
            place += 1
        else:
            skipped += 1
        at += 2 + length
    columns = _Columns(
        np.empty(place, np.int64), np.full((place, len(FIELDS)), np.nan), np.full((place, 10, 3), np.nan)
    )
    octets = np.frombuffer(frame, np.uint8)
    for length, of_length in starts.items():
        where = np.array(of_length)[:, None] + np.arange(length)
        part = _columns_of_words(octets[where].view(">u4").T)
        for whole, piece in zip(columns, part, strict=True):
            whole[places[length]] = piece
    return columns, skipped


def truncated(frame: bytes, count: int) -> InvalidPayload:
    """What to raise for a frame that is cut."""
    return InvalidPayload(
        f"a ticker frame of {len(frame)} bytes ends before its {count} packets do", raw=frame[:32].hex()
    )


def _tick_of_ltp(words: tuple[int, ...], instrument: Instrument, source: str, received_ns: int) -> Tick:
    token, price = words
    return Tick(
        instrument=instrument,
        kind=_QUOTE_KIND,
        price=price / PRICE_DIVISORS[token & 0xFF],
        received_ns=received_ns,
        source=source,
    )


def _tick_of_index(words: tuple[int, ...], instrument: Instrument, source: str, received_ns: int) -> Tick:
    token, price, high, low, open_, close, *time = words
    divisor = PRICE_DIVISORS[token & 0xFF]
    return Tick(
        instrument=instrument,
        kind=_QUOTE_KIND,
        price=price / divisor,
        time_ns=time[0] * 1_000_000_000 if time and time[0] else None,
        received_ns=received_ns,
        open=open_ / divisor or None,
        high=high / divisor or None,
        low=low / divisor or None,
        previous_close=close / divisor or None,
        source=source,
    )


def _tick_of_quote(words: tuple[int, ...], instrument: Instrument, source: str, received_ns: int) -> Tick:
    token, price, quantity, _, volume, _, _, open_, high, low, close = words
    divisor = PRICE_DIVISORS[token & 0xFF]
    return Tick(
        instrument=instrument,
        kind=_QUOTE_KIND,
        price=price / divisor,
        size=quantity * 1.0,
        received_ns=received_ns,
        volume=volume * 1.0,
        open=open_ / divisor or None,
        high=high / divisor or None,
        low=low / divisor or None,
        previous_close=close / divisor or None,
        source=source,
    )


def _tick_of_full(words: tuple[int, ...], instrument: Instrument, source: str, received_ns: int) -> Tick:
    (
        token, price, quantity, _, volume, _, _, open_, high, low, close,
        _, interest, _, _, time, bid_quantity, bid, ask_quantity, ask,
    ) = words  # fmt: skip
    divisor = PRICE_DIVISORS[token & 0xFF]
    # In order, not by name: Python passes up to fifteen names on quickly, and then no more.
    return Tick(
        instrument,
        _QUOTE_KIND,
        price / divisor,
        quantity * 1.0,
        time * 1_000_000_000 if time else None,
        received_ns,
        source,
        None,
        None,
        volume * 1.0,
        bid / divisor if bid else None,
        bid_quantity * 1.0 if bid else None,
        ask / divisor if ask else None,
        ask_quantity * 1.0 if ask else None,
        open_ / divisor or None,
        high / divisor or None,
        low / divisor or None,
        close / divisor or None,
        interest * 1.0 if interest else None,
    )


_MAKERS = {
    LTP: _tick_of_ltp,
    INDEX_QUOTE: _tick_of_index,
    INDEX_FULL: _tick_of_index,
    QUOTE: _tick_of_quote,
    FULL: _tick_of_full,
}
