"""What a source can do."""

from enum import StrEnum


class Capability(StrEnum):
    """One kind of data that routes are made of."""

    QUOTE = "quote"
    BARS = "bars"
    TICKS = "ticks"
