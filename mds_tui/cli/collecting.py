"""When Python looks for garbage: not while the console starts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_later() -> Iterator[None]:
    """No search for garbage until `collect_again`, or the end of the block.

    A start makes much that lasts and next to no garbage: the search takes a
    fifth of the time in which a Textual app paints.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def collect_again() -> None:
    """Search from now on, but not through what is there: it came with the start, and lasts."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
