"""The pause before a stream connects again: it grows until data flows, not until a connection opens."""

from random import Random

import msgspec


class ReconnectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pauses between the connections of one stream."""

    first_s: float = 0.5
    """Longest pause before the first reconnect, seconds."""
    growth: float = 2.0
    """Each further pause is this many times longer."""
    cap_s: float = 60.0
    """Longest pause of all, seconds."""
    jitter: float = 0.5
    """Up to this share is taken off each pause at random, so that streams do not come back in step."""

    def __post_init__(self) -> None:
        """Refuse what no stream could work with."""
        if not 0 < self.first_s <= self.cap_s:
            raise ValueError("first_s must be above 0 and at most cap_s")
        if self.growth < 1:
            raise ValueError("growth must be at least 1.0")
        if not 0 <= self.jitter < 1:
            raise ValueError("jitter must be at least 0.0 and below 1.0")


class ReconnectBackoff:
    """The pauses of one stream.

    Only data takes them back to the first: a vendor that accepts connections
    and cuts them at once would otherwise be called twice a second for hours.
    """

    __slots__ = ("_longest_s", "_random", "settings")

    def __init__(self, settings: ReconnectSettings, random: Random) -> None:
        self.settings = settings
        self._random = random
        self._longest_s = settings.first_s

    def next_delay_s(self) -> float:
        """Seconds to wait before the next connection; the one after that waits longer."""
        longest_s = self._longest_s
        self._longest_s = min(longest_s * self.settings.growth, self.settings.cap_s)
        return longest_s * (1.0 - self.settings.jitter * self._random.random())

    def data_flowed(self) -> None:
        """The stream brought data: the next pause is the first again."""
        self._longest_s = self.settings.first_s
