"""What the `:` line can do to a replay."""

from typing import TYPE_CHECKING

from mds_engine.replay_link import ReplayLink

from mds_tui.replaying.places import UnknownPlaceError, place_of

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_LIVE = "this is live: there is nothing to play back; `mds-tui replay` opens a recording"


def seek(console: "ConsoleApp", words: str) -> None:
    """`:seek 14:03:21`."""
    link = console.link
    playback = link.playback() if isinstance(link, ReplayLink) else None
    if not isinstance(link, ReplayLink) or playback is None:
        console.notify(_LIVE, title="seek", severity="warning")
        return
    try:
        link.seek(place_of(words, playback, console.settings.zone))
    except UnknownPlaceError as error:
        console.notify(str(error), title="seek", severity="error")


def speed(console: "ConsoleApp", words: str) -> None:
    """`:speed 10`, `:speed max`."""
    link = console.link
    if not isinstance(link, ReplayLink):
        console.notify(_LIVE, title="speed", severity="warning")
        return
    try:
        times = 0.0 if words == "max" else float(words.removesuffix("x"))
    except ValueError:
        times = -1.0
    if not (0.01 <= times <= 1e6 or words == "max"):
        console.notify(f"{words!r} is no speed: write 0.5, 10 or max", title="speed", severity="error")
        return
    link.set_speed(times)
