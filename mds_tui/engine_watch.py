"""How the engine itself stands: well, silent, or ended; and what a restart of it means, in words. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from mds_tui.feed import Feed
from mds_tui.format.numbers import duration


class Standing(StrEnum):
    """What the console knows of the engine."""

    STARTING = "starting"
    WELL = "well"
    SILENT = "silent"
    """It runs, and makes no picture: its loop is held up by something."""
    ENDED = "ended"


class Turn(NamedTuple):
    """The engine fell silent, ended, or came back."""

    words: str
    bad: bool


class EngineWatch:
    """Looks at a feed again and again, and tells each turn once."""

    def __init__(self) -> None:
        self.standing = Standing.STARTING

    def look(self, feed: Feed) -> Turn | None:
        """What has changed since the last look, None if nothing that is to be told."""
        before, self.standing = self.standing, standing_of(feed)
        if before is self.standing:
            return None
        match self.standing:
            case Standing.SILENT if before is not Standing.ENDED:
                age = duration(int(feed.age_s))
                return Turn(f"no sign of life for {age}; what you see is as old", bad=True)
            case Standing.ENDED:
                return Turn(str(feed.failure), bad=True)
            case Standing.WELL if before in (Standing.SILENT, Standing.ENDED):
                return Turn("is back: what you see is the present", bad=False)
            case _:
                return None


def standing_of(feed: Feed) -> Standing:
    """As it is now."""
    if feed.failure is not None:
        return Standing.ENDED
    if feed.snapshot is None:
        return Standing.STARTING
    return Standing.SILENT if feed.silent else Standing.WELL


def restart_sentences(feed: Feed, whereabouts: str) -> Sequence[str]:
    """What is the matter, and what a restart does."""
    match standing_of(feed):
        case Standing.ENDED:
            first = f"The engine has ended: {feed.failure}."
        case Standing.SILENT:
            where = f"; it is at {whereabouts}" if whereabouts else ""
            first = f"The engine has given no sign of life for {duration(int(feed.age_s))}{where}."
        case _:
            first = "The engine is well: there is no need to."
    return (
        first,
        "It is ended, whatever it is doing, and built anew on the same configuration.",
        "Every source connects again; until then no call is answered and live ticks have a gap.",
        "Overrides, quotas and costs go on as far as they were kept.",
    )
