"""What the process of one tab is told when it is started. Nothing of it is secret."""

import msgspec

VARIABLE = "MDS_TUI_TAB"
"""The environment variable that it is in, as JSON."""


class TabSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the console of a tab is to be."""

    channel: int = -1
    """Number of the open file that leads to the engine."""
    operator: str = ""
    """Who it is, as the engine's process names them."""
    read_only: bool
    theme: str
    ascii: bool
    toasts: bool
    fps: float
