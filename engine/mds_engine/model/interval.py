"""Bar intervals, in one spelling for all vendors."""

from enum import StrEnum
from typing import Self

from mds_engine.errors import InvalidRequest


class Interval(StrEnum):
    """The length of a bar. Each source serves a subset and says so."""

    S1 = "1s"
    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M10 = "10m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D3 = "3d"
    W1 = "1w"
    MO1 = "1mo"

    @property
    def seconds(self) -> int:
        """Nominal length in seconds; a month counts 30 days."""
        return _SECONDS[self.value]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an interval such as `1m` or `1d`. A capital `M` means months, as exchanges write it.

        Raises InvalidRequest.
        """
        word = text.strip()
        if word.endswith("M"):
            word = f"{word[:-1]}mo"
        try:
            return cls(word.lower())
        except ValueError:
            known = ", ".join(cls)
            raise InvalidRequest(f"{text!r} is not a bar interval; known are {known}") from None


_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2592000}
_SECONDS = {
    interval.value: int(interval.value.rstrip("smhdwo")) * _UNIT_SECONDS[interval.value.lstrip("0123456789")]
    for interval in Interval
}
