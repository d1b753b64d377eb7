"""What a line is drawn from beside its own item: the picture it is part of, the signs, the time zone."""

from datetime import tzinfo
from typing import NamedTuple

from mds_engine.control.snapshot import EngineView, Snapshot

from mds_tui.format.glyphs import UNICODE, Glyphs


class Sight(NamedTuple):
    """The picture being drawn and how."""

    snapshot: Snapshot
    glyphs: Glyphs = UNICODE
    zone: tzinfo | None = None
    """None is this machine's zone."""
    lit: frozenset[str] = frozenset()
    """Routes that changed their source a moment ago."""


BLANK = Snapshot(at=0.0, engine=EngineView(name="", started_at=0.0, uptime_s=0.0))
"""The picture before the first one."""
