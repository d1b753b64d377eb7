"""Pane 6 on a recording: an event is a place to go to."""

from typing import ClassVar

from mds_engine.control.events import Event
from textual.binding import Binding, BindingType
from textual.message import Message

from mds_tui.panes.events import EventsPane


class RecordedEventsPane(EventsPane):
    """The log up to the time that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "seek", "go to its time", id="replay.to-event"),
    ]

    class Sought(Message):
        """The operator wants to see the time of an event."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def action_seek(self) -> None:
        """Ask for the time of the event under the cursor."""
        if (event := self.current()) is not None:
            self.lead(event)

    def lead(self, event: Event) -> None:
        """Ask for the time of an event."""
        self.post_message(self.Sought(event))
