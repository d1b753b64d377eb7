"""A place on the time line of a recording."""

from typing import NamedTuple

from mds_engine.control.events import Level


class Mark(NamedTuple):
    """Something that happened in a recording, for a time line."""

    at: float
    """Epoch seconds UTC."""
    level: Level
    subject: str
    """A source; `recording` for what concerns all."""
    text: str
