"""What is wrong with a configuration, said so that it can be put right."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mds_engine.errors import ConfigError

_NEAR_ENOUGH = 60.0
"""Percent of likeness below which a suggestion would only confuse."""


class Problem(NamedTuple):
    """One thing that is wrong."""

    where: str
    """As `config.toml:12`, or the name of an environment variable."""
    key: str
    """As `sources.zerodha.api_key`; empty for what concerns the file."""
    what: str
    """What was wrong, and the remedy."""

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class InvalidConfigError(ConfigError):
    """All that is wrong with a configuration, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "timeout_s"?`, or the known words where none is near."""
    words = list(known)
    # Only a mistake needs it, and the screen does not wait for its import.
    from rapidfuzz import fuzz, process

    nearest = process.extractOne(word, words, scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH)
    if nearest is not None:
        return f'; did you mean "{nearest[0]}"?'
    return f"; known are {', '.join(words)}" if words else ""
