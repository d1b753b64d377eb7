"""Who else can read a file."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path


def exposure(file: Path, secrets: Sequence[str]) -> str | None:
    """A warning if the file holds secrets and others can read it; None if all is well.

    Windows has other permissions, which these bits do not show.
    """
    if not secrets or os.name != "posix":
        return None
    mode = file.stat().st_mode
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    return (
        f"{file}: others can read it (mode {stat.S_IMODE(mode):04o}) and it holds {', '.join(secrets)}; "
        f"run `chmod 600 {file}`, or use ${{NAME}}"
    )
