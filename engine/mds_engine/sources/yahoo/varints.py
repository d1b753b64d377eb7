"""Whole numbers as protobuf sends them: seven bits to a byte, the lowest first, zigzag. Pure.

A long number, the time or the day's volume, is taken in two parts, of which the
second stays for thousands of messages and is remembered: its first two bytes as one
little-endian number h, and the rest. Of h the highest bit of each byte is no part of
the value, the lowest bit is the sign, and without both of them it is

    (h + (h & 255) - 256) / 4         or, if there is a rest, whose first part is the
                                      highest bit of h,  (h + (h & 255) - 256 - 32768) / 4

and so four times as much is h + (h & 255), less what depends on the rest alone.
A table of the values would be quicker for few of them, and slower for many, which
no cache of the processor holds. Negative numbers are not read here.
"""

from mds_engine.sources.yahoo.memo import Memo

_MOST = 16_384
_QUARTER_MILLISECOND_NS = 250_000


def _count(sent: bytes) -> float | None:
    return float(_sevens(sent) >> 1) or None


def _fourfold(rest: bytes) -> int:
    return (_sevens(rest) << 15) - (256 + 32768 if rest else 256)


def _upper(rest: bytes) -> float:
    return _fourfold(rest) / 4


def _upper_ns(rest: bytes) -> int:
    return _fourfold(rest) * _QUARTER_MILLISECOND_NS


def _sevens(sent: bytes) -> int:
    value = 0
    for place, byte in enumerate(sent):
        value |= (byte & 0x7F) << 7 * place
    return value


COUNTS = Memo(_count, _MOST)
"""A number by its bytes; None for zero, which protobuf does not tell from an absent field."""

UPPER = Memo(_upper, _MOST)
"""A long number by the bytes from the third on, less what the first two give, (h + (h & 255)) / 4."""

UPPER_NS = Memo(_upper_ns, _MOST)
"""The same of milliseconds, in nanoseconds."""
