"""Settings of the black box: what the console always records of its live streams."""

from pathlib import Path
from typing import Annotated

import msgspec


class RecordingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[recording]`: the console's black box, which `mds-tui replay` plays."""

    black_box_minutes: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """The raw frames of the last so many minutes are always kept in files; 0 switches this off."""
    black_box_mb: Annotated[int, msgspec.Meta(ge=1)] = 512
    """Most megabytes that they may take on the disk; the oldest go first."""
    path: str = ""
    """The folder of the black box's files; empty means one in the user's state folder."""

    def folder(self, engine: str) -> Path:
        """Where the black box of the engine of that name keeps its files."""
        if self.path:
            return Path(self.path).expanduser()
        import platformdirs

        return platformdirs.user_state_path("mds-tui") / "black-box" / engine
