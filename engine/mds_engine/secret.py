"""A value that is never shown."""

from typing import Any


class Secret:
    """A key, token or password. `reveal()` is the only way to its text.

    `str`, `repr` and formatting give the same mask whatever the text, so that
    not even its length leaks into a log, an error or a screen.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it to the vendor."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(set)" if self._text else "Secret(unset)"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not pickled")
