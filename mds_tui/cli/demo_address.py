"""Where the running demo's simulator listens, so that another terminal can hurt it without being told."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_engine.config.simulated import SimulatorAddress


def demo_file() -> Path:
    """The file with the JSON line of the last demo that was started."""
    import platformdirs

    return platformdirs.user_state_path("mds-tui") / "demo.json"


def remember_demo(address: "SimulatorAddress") -> None:
    """Write it down. A demo that cannot is still a demo."""
    import msgspec

    file = demo_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.encode(address))
    except OSError:
        return


def forget_demo() -> None:
    """The demo has ended."""
    demo_file().unlink(missing_ok=True)
