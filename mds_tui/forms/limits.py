"""What the editor of rate limits offers and tells."""

from mds_engine.control import Snapshot
from mds_engine.control.consequences.words import window
from mds_engine.control.snapshot import LimiterView, SourceView

from mds_tui.forms.form import Option

MOST = 1_000_000_000
"""A limit that is typed stays below."""


def limited_sources(names: tuple[str, ...], snapshot: Snapshot) -> tuple[str, ...]:
    """Those of the named sources that have a limit at all."""
    return tuple(name for name in names if (source := snapshot.source(name)) is not None and source.limiters)


def limit_options(source: SourceView | None) -> tuple[Option, ...]:
    """One for each window of each endpoint group."""
    limiters = source.limiters if source is not None else ()
    plain = len({limiter.group for limiter in limiters}) == 1
    return tuple(
        Option(
            f"{limiter.group}/{limiter.window_s:g}",
            f"per {window(limiter.window_s)}" if plain else f"{limiter.group} per {window(limiter.window_s)}",
        )
        for limiter in limiters
    )


def limiter_of(source: SourceView | None, value: str) -> LimiterView | None:
    """The limiter that an option stands for."""
    for limiter in source.limiters if source is not None else ():
        if f"{limiter.group}/{limiter.window_s:g}" == value:
            return limiter
    return None


def step(limit: int, by: int) -> int:
    """The next round figure up or down: the second digit moves, below 20 the last."""
    below = limit - 1 if by < 0 else limit
    size = int(10 ** max(0, len(str(below)) - 2))
    moved = (limit // size + 1) * size if by > 0 else below // size * size
    return max(1, min(MOST - 1, moved))


def typed(limit: int | None, key: str) -> int | None:
    """The figure after one more digit, or one less; None is an empty one."""
    if key == "backspace":
        return limit // 10 or None if limit is not None else None
    grown = int(f"{limit or ''}{key}")
    return grown if 0 < grown < MOST else limit
