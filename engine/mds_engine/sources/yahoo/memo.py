"""Pure functions of few values, worked out once for each."""

from collections.abc import Callable, Hashable
from typing import TypeVar

_Sent = TypeVar("_Sent", bound=Hashable)
_Read = TypeVar("_Read")


class Memo(dict[_Sent, _Read]):
    """What `read` makes of each value; forgotten all at once when there would be more than `most`."""

    def __init__(self, read: Callable[[_Sent], _Read], most: int) -> None:
        super().__init__()
        self._read = read
        self._most = most

    def __missing__(self, sent: _Sent) -> _Read:
        value = self._read(sent)
        if len(self) >= self._most:
            self.clear()
        self[sent] = value
        return value
