"""Whole numbers as protobuf sends them: seven bits to a byte, the lowest first, zigzag. Pure.

A long number, the time or the day's volume, is taken in two parts: its first two
bytes by a table, and the rest, which stays for thousands of messages, among those
that were read before. Negative numbers are not read here.
"""

import numpy as np

from mds_engine.sources.yahoo.remembered import Remembered

_MOST = 16_384
_MILLISECOND_NS = 1_000_000


def _count(sent: bytes) -> float | None:
    return float(_sevens(sent) >> 1) or None


def _upper(sent: bytes) -> int:
    return _sevens(sent) << 13


def _sevens(sent: bytes) -> int:
    value = 0
    for place, byte in enumerate(sent):
        value |= (byte & 0x7F) << 7 * place
    return value


def _lower() -> list[int]:
    sent = np.arange(1 << 16)
    values = np.array(range(1 << 13), dtype=object)  # so that each of them is one object of Python's
    return values[(sent & 0x7F | sent >> 1 & 0x3F80) >> 1].tolist()  # type: ignore[no-any-return]


def _upper_float(sent: bytes) -> float:
    return float(_upper(sent))


def _upper_ns(sent: bytes) -> int:
    return _upper(sent) * _MILLISECOND_NS


COUNTS = Remembered(_count, _MOST)
"""A number by its bytes; None for zero, which protobuf does not tell from an absent field."""

LOWER = _lower()
"""What the first two bytes, as one little-endian number, or the only byte give to a long number."""

UPPER = Remembered(_upper_float, _MOST)
"""What the bytes from the third on give to it."""

UPPER_NS = Remembered(_upper_ns, _MOST)
"""The same of milliseconds, in nanoseconds."""
