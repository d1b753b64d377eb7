"""A terminal that a console paints on, emulated by somebody else (pyte)."""

import pyte
from textual.drivers.headless_driver import HeadlessDriver


class EmulatedTerminal(HeadlessDriver):
    """No keyboard, but a screen."""

    @property
    def is_headless(self) -> bool:
        return False

    def start_application_mode(self) -> None:
        self.screen = pyte.Screen(*self._get_terminal_size())
        self._stream = pyte.Stream(self.screen)
        self.written = ""
        """All since it was last emptied."""
        super().start_application_mode()

    def write(self, data: str) -> None:
        self.written += data
        self._stream.feed(data)
