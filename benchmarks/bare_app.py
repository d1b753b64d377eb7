"""The least that a Textual app can be: a few lines and a foot, for the first paint to be compared with."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One line at the top, one at the bottom."""

    CSS = "#foot { dock: bottom; height: 1; }"

    def compose(self) -> ComposeResult:
        """Two lines."""
        yield Static("a bare app")
        yield Static("bare foot", id="foot")


if __name__ == "__main__":
    BareApp().run()
