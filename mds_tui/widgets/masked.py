"""A field for a secret: what stands in it is never drawn."""

from rich.text import Text
from textual.events import Paste
from textual.widgets import Input


class MaskedInput(Input):
    """Takes a paste whole, however a terminal has broken it into lines."""

    def __init__(self, *, plain: bool, placeholder: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=placeholder, id=id, password=True, compact=True)
        self._mask = "*" if plain else "•"

    def take(self, pasted: str) -> None:
        """This and nothing else stands in it now."""
        self.value = "".join(pasted.split())
        self.cursor_position = len(self.value)

    def on_paste(self, event: Paste) -> None:
        """Leave it to the screen: Textual's handler would take the first line alone."""
        event.prevent_default()

    @property
    def _value(self) -> Text:
        return Text(self._mask * len(self.value), no_wrap=True, overflow="ignore", end="")
