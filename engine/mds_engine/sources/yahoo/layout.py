"""Where the fields of a Yahoo message lie. Pure.

Protobuf puts fields one after another, each behind a tag of its number and kind.
Between two messages nothing moves them but the lengths of texts and of whole
numbers, and those are said by a few of their bits: a text's by the byte before
it, a number's by the highest bit of each of its bytes. A layout is these bits of
one message, and tags and lengths with them, as a mask. A message that has the
same ones has its fields at the same places, and these can then be taken from it
directly, in a fraction of the time of parsing it.
"""

from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any, NamedTuple

Take = Callable[[bytes], tuple[Any, ...]]

_VARINT, _EIGHT_BYTES, _TEXT, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 9
_LONGEST_TEXT = 127  # whose length takes one byte

_SYMBOL, _PRICE, _QUOTE_TYPE = 1, 2, 6
_PRICES = (2, 10, 11, 15, 16, 23, 25)
_COUNTS = (19, 22, 24, 26)
_LONG_COUNTS = (3, 9)
_OF_A_TRADE = (1, 2, 3, 9, 22)
_OF_ALL = (1, 2, 3, 9, 10, 11, 15, 16, 19, 22, 23, 24, 25, 26)
CRYPTO = 41

_LEARN_EVERY = 8
_MOST_ALIKE = 8
_LONGEST = 512


class Layout(NamedTuple):
    """What is the same in all messages of this layout, and how their fields are taken.

    `take` gives the bytes of the symbol, price, time (two parts), day_volume (two
    parts) and, if `is_whole`, day_high, day_low, open_price, previous_close,
    open_interest; then last_size; and, if `is_whole`, bid, bid_size, ask, ask_size.
    A price is a number, and so is the first part of a long number (`varints.py`); its second
    part and all else is as it was sent, and what is absent is `b""`.
    """

    mask: int
    """The bits by which a message, as a big-endian number, is known to be of this layout."""
    expected: int
    take: Take
    is_whole: bool
    """There may be more than a trade has: figures of the day, bid, ask or open interest; or it is crypto."""
    is_crypto: bool


class Layouts(dict[int, list[tuple[int, int, Take, bool, bool]]]):
    """The layouts of earlier messages, by what `key` says of a message.

    As plain tuples, which Python takes apart twice as fast as named ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unknown = 0

    def learn(self, packed: bytes) -> None:
        """Take note of a message of no known layout, which a parser of protobuf took.

        Learning takes as long as parsing ten messages. So the first is learned from, and then one of
        eight, and a stream in which no two are alike costs no more than twice what parsing does. Of
        those under one key the last eight are kept: a desk of hundreds of symbols has one or two.
        """
        if not 2 <= len(packed) <= _LONGEST:
            return
        self._unknown += 1
        if self._unknown % _LEARN_EVERY != 1:
            return
        layout = layout_of(packed)
        if layout is not None:
            alike = self.setdefault(key(packed), [])
            alike.insert(0, (*layout,))
            del alike[_MOST_ALIKE:]


def key(packed: bytes) -> int:
    """The lengths of a message of two bytes at least and of its symbol."""
    return len(packed) << 8 | packed[1]


class _Field(NamedTuple):
    number: int
    kind: int
    tag: int
    """Where its tag begins."""
    start: int
    end: int


def layout_of(packed: bytes) -> Layout | None:
    """The layout of a message that a parser of protobuf took; None for one that is not laid out as usual.

    As usual is: symbol and price first, each field once and of its kind, in the order of their
    numbers, no number negative, and time and day_volume at least 64, as nearly always.
    """
    try:
        fields = list(_fields(packed))
    except (IndexError, ValueError):
        return None
    numbers = [field.number for field in fields]
    usual = numbers == sorted(set(numbers)) and numbers[:2] == [_SYMBOL, _PRICE]
    if not usual or not all(_is_of_its_kind(field, packed) for field in fields):
        return None
    found = {field.number: field for field in fields}
    quote_type = found.get(_QUOTE_TYPE)
    is_crypto = quote_type is not None and packed[quote_type.start : quote_type.end] == bytes((CRYPTO,))
    is_whole = is_crypto or any(number in found for number in _OF_ALL if number not in _OF_A_TRADE)
    mask = int.from_bytes(_mask(fields, len(packed)), "big")
    return Layout(
        mask,
        int.from_bytes(packed, "big") & mask,
        Struct(_format(found, _OF_ALL if is_whole else _OF_A_TRADE, len(packed))).unpack,
        is_whole,
        is_crypto,
    )


def _fields(packed: bytes) -> Iterator[_Field]:
    """Raises IndexError or ValueError for what is not laid out as usual."""
    at = 0
    while at < len(packed):
        tag = at
        start = _after_varint(packed, tag)
        number, kind = divmod(_small(packed[tag:start]), 8)
        if kind == _VARINT:
            at = _after_varint(packed, start)
        elif kind == _TEXT:
            if packed[start] > _LONGEST_TEXT:
                raise ValueError("a long text")
            start, at = start + 1, start + 1 + packed[start]
        elif kind in (_FOUR_BYTES, _EIGHT_BYTES):
            at = start + (4 if kind == _FOUR_BYTES else 8)
        else:
            raise ValueError("a kind of field that Yahoo does not send")
        if at > len(packed):
            raise ValueError("cut short")
        yield _Field(number, kind, tag, start, at)


def _after_varint(packed: bytes, at: int) -> int:
    start = at
    while packed[at] & 0x80:
        at += 1
    if at - start >= _LONGEST_VARINT:
        raise ValueError("a negative number")
    return at + 1


def _small(tag: bytes) -> int:
    if len(tag) > 2:
        raise ValueError("a field of a number that Yahoo does not use")
    return (tag[0] & 0x7F) | (tag[-1] << 7 if len(tag) == 2 else 0)


def _is_of_its_kind(field: _Field, packed: bytes) -> bool:
    if field.number == _SYMBOL:
        return field.kind == _TEXT and field.end > field.start
    if field.number == _QUOTE_TYPE:
        return field.kind == _VARINT
    if field.number in _PRICES:
        return field.kind == _FOUR_BYTES
    if field.number in _COUNTS or field.number in _LONG_COUNTS:
        is_positive = not packed[field.start] & 1  # zigzag: the lowest bit is the sign
        shortest = 1 if field.number in _COUNTS else 2
        return field.kind == _VARINT and is_positive and field.end - field.start >= shortest
    return True


def _mask(fields: list[_Field], size: int) -> bytearray:
    mask = bytearray(size)
    for field in fields:
        mask[field.tag : field.start] = b"\xff" * (field.start - field.tag)  # a text's length with its tag
        if field.kind == _VARINT:
            fixed = 0xFF if field.number == _QUOTE_TYPE else 0x80
            mask[field.start : field.end] = bytes((fixed,)) * (field.end - field.start)
        if field.number in _COUNTS or field.number in _LONG_COUNTS:
            mask[field.start] |= 1
    return mask


def _format(found: dict[int, _Field], numbers: tuple[int, ...], size: int) -> str:
    """What is absent is taken as no bytes, so that each field has its place in what comes out."""
    parts = ["<"]
    at = 0
    for number in numbers:
        field = found.get(number)
        length = field.end - field.start if field else 0
        if field:
            parts.append(f"{field.start - at}x")
            at = field.end
        if field and number in _PRICES:
            parts.append("f")
        elif number in _LONG_COUNTS:
            parts.append(f"H{length - 2}s" if length else "0s0s")
        else:
            parts.append(f"{length}s")
    parts.append(f"{size - at}x")
    return "".join(parts)
