"""The desk on a recording: the same panes, a banner, a time line, and keys that play it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from mds_engine.control import Event
from mds_engine.control.events import Level
from mds_engine.recording.mark import Mark
from mds_engine.replay_link import Playback, ReplayLink
from textual.app import ComposeResult
from textual.binding import BindingType

from mds_tui.format.cells import EMPTY
from mds_tui.format.events import event_line
from mds_tui.format.numbers import clock
from mds_tui.replaying.banner import Banner
from mds_tui.replaying.events_pane import RecordedEventsPane
from mds_tui.replaying.keys import REPLAY_BINDINGS, REPLAY_IMPORTANCE
from mds_tui.replaying.lines import Line, banner, line_of, mark_after, mark_before, time_line
from mds_tui.replaying.scale import Scale
from mds_tui.screens.main import MainScreen
from mds_tui.widgets.bar import Bar
from mds_tui.widgets.key_bar import KeyBar

ROOM_FOR_LINE = 20
"""Lines of a screen from which on there is a time line; the banner is always there."""
_WITH_IT_S = 0.001
"""So much after an event it has happened, whatever is lost in writing its time."""
_HERE_S = 0.01
_MOST_OWN = 2000
_ACTIONS = frozenset({"play", "step", "speed", "mark", "jump", "seek_share"})


class ReplayScreen(MainScreen):
    """Speaks to a `ReplayLink`."""

    BINDINGS: ClassVar[list[BindingType]] = REPLAY_BINDINGS
    DEFAULT_CSS = """
    ReplayScreen #timeline { display: none; background: $mds-background; }
    ReplayScreen.-roomy #timeline { display: block; }
    ReplayScreen.-too-small #banner, ReplayScreen.-too-small #timeline { display: none; }
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is monotonic seconds."""
        super().__init__(now)
        self._panes["events"] = RecordedEventsPane(id="events")
        self._own: dict[tuple[float, str], Mark] = {}
        """Events of the engine: those that a going back takes away stay on the line, they will come again."""
        self._line: Line | None = None
        self._line_basis: object = None
        self._seen = (0, 0)
        self._ended = False

    def compose(self) -> ComposeResult:
        """The desk's own lines, and two more below its header."""
        for widget in super().compose():
            yield KeyBar(REPLAY_IMPORTANCE, id="keys") if widget.id == "keys" else widget
            if widget.id == "header":
                yield Banner(id="banner", ground="background")
                yield Bar(id="timeline", ground="background")

    def more_bars(self, height: int) -> int:
        """The banner, and the time line where there is room for it."""
        roomy = height >= ROOM_FOR_LINE
        self.set_class(roomy, "-roomy")
        return 1 + roomy

    @property
    def link(self) -> ReplayLink:
        """What plays the recording."""
        link = self.console.link
        assert isinstance(link, ReplayLink)
        return link

    def beat(self, news: Sequence[Event]) -> None:
        """Draw what the feed holds now, and where in the recording that is."""
        super().beat(news)
        self._keep_events()
        playback, glyphs, zone = self.link.playback(), self.sight.glyphs, self.console.settings.zone
        width = self.size.width
        self.query_one("#banner", Bar).show(banner(playback, width, glyphs, zone))
        if playback is not None:
            self._show_line(playback, width)
        ended = playback is not None and playback.ended and playback.seeking is None
        if ended and not self._ended:
            self.notify("space plays it anew, [ goes to the event before", title="the recording has ended")
        self._ended = ended

    def _show_line(self, playback: Playback, width: int) -> None:
        basis = (id(playback.marks), len(self._own), width)
        if basis != self._line_basis:
            self._line_basis = basis
            self._line = line_of(playback, self._marks(playback), width, self.console.settings.zone)
        line = EMPTY if self._line is None else time_line(self._line, playback.at, self.sight.glyphs)
        self.query_one("#timeline", Bar).show(line)

    def _keep_events(self) -> None:
        feed, era = self.console.feed, self.link.era
        newest = feed.events[0].number if feed.events else 0
        if (era, newest) == self._seen:
            return
        known = self._seen[1] if era == self._seen[0] else 0
        self._seen = era, newest
        for event in feed.events:
            if event.number <= known or len(self._own) >= _MOST_OWN:
                break
            line = event_line(event, self.sight.glyphs, self.console.settings.zone)
            if line.level is not Level.INFO:
                mark = Mark(event.at, line.level, line.subject, line.text)
                self._own[round(event.at, 3), line.subject + line.text] = mark

    def _marks(self, playback: Playback) -> list[Mark]:
        return [*playback.marks, *self._own.values()]

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What plays it is greyed until it is open; what acts, always."""
        if action == "act":
            return None
        if action in _ACTIONS:
            return True if self.link.playback() is not None else None
        return super().check_action(action, parameters)

    def action_play(self) -> None:
        """Go on, or stand still."""
        playback = self.link.playback()
        if playback is not None and playback.playing:
            self.link.pause()
        else:
            self.link.play()

    def action_step(self, frames: int) -> None:
        """Stand still so many frames further."""
        self.link.step(frames)

    def action_jump(self, seconds: int) -> None:
        """Go so many seconds further."""
        if (playback := self.link.playback()) is not None:
            self.link.seek(playback.aim + seconds)

    def action_speed(self, by: int) -> None:
        """Play faster, or slower."""
        if by > 0:
            self.link.faster()
        else:
            self.link.slower()

    def action_mark(self, by: int) -> None:
        """Go to the next event on the line, or to the one before."""
        if (playback := self.link.playback()) is None:
            return
        marks = self._marks(playback)
        # While it plays, it is past an event a moment after it came to it.
        past_s = max(_HERE_S, playback.speed if playback.playing else 0.0)
        at = playback.aim
        mark = mark_after(marks, at + _HERE_S) if by > 0 else mark_before(marks, at - past_s)
        if mark is None:
            self.notify(f"no event {'after' if by > 0 else 'before'} this", timeout=2)
            return
        self._go_to(mark.at)
        time = clock(mark.at, self.console.settings.zone)
        self.notify(mark.text, title=f"{time} {mark.subject}", timeout=3)

    def action_seek_share(self, column: int, columns: int) -> None:
        """Go to where the line was clicked."""
        if (playback := self.link.playback()) is not None:
            self.link.seek(Scale(playback.stretches).time(column / max(1, columns - 1)))

    def on_recorded_events_pane_sought(self, message: RecordedEventsPane.Sought) -> None:
        """To the time of an event."""
        self._go_to(message.event.at)

    def _go_to(self, at: float) -> None:
        self.link.seek(at + _WITH_IT_S)
