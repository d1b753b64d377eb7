"""Where running demos' simulators listen, so that another terminal can hurt one without being told.

One file a demo, named by its process: a demo that ends takes only its own away,
and one that was killed is known by its process being gone.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_engine.config.simulated import SimulatorAddress


def running_demos() -> list[Path]:
    """The files with the JSON lines of the demos that run, the one started last first."""
    found = []
    for file in _folder().glob("*.json"):
        try:
            if _is_alive(int(file.stem)):
                found.append((file.stat().st_mtime_ns, file))
            else:
                file.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue  # not ours, or gone between two looks
    return [file for _, file in sorted(found, reverse=True)]


def remember_demo(address: "SimulatorAddress") -> None:
    """Write it down. A demo that cannot is still a demo."""
    import msgspec

    file = _own_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.encode(address))
    except OSError:
        return


def forget_demo() -> None:
    """The demo of this process has ended."""
    try:
        _own_file().unlink(missing_ok=True)
    except OSError:
        return  # it could not be written either


def _folder() -> Path:
    import platformdirs

    return platformdirs.user_state_path("mds-tui") / "demos"


def _own_file() -> Path:
    return _folder() / f"{os.getpid()}.json"


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        return True  # there, signal 0 would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, but there
    return True
