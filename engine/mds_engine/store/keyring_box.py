"""The operating system's keyring, for a program that must not wait for it.

A keyring may be missing, locked, or wait for ever for a desktop that is not
there (D-Bus over SSH): each call runs in a thread of its own that is given up
after a while, and after the first that is given up none is tried again.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from mds_engine.errors import MdsError

_Found = TypeVar("_Found")

SERVICE = "mds-tui"
WITHIN_S = 4.0
"""Longest wait for one call."""
_RECOMMENDED = 1.0
"""Backends below this priority, as plain files, are worse than a file of our own."""


class KeyringUnavailableError(MdsError):
    """There is no keyring that can be used now."""


class KeyringBox:
    """Texts by name. Every method blocks, at most for `within_s` seconds."""

    def __init__(self, *, within_s: float = WITHIN_S) -> None:
        self._within_s = within_s
        self._given_up = ""

    def put(self, name: str, text: str) -> None:
        """Keep a text, and read it back: some backends forget in silence. Raises KeyringUnavailableError."""

        def work() -> None:
            backend = _backend()
            backend.set_password(SERVICE, name, text)
            if backend.get_password(SERVICE, name) != text:
                raise KeyringUnavailableError("the keyring does not keep what it is given")

        self._run(work)

    def get(self, name: str) -> str | None:
        """The text of that name, None if there is none. Raises KeyringUnavailableError."""

        def work() -> str | None:
            found = _backend().get_password(SERVICE, name)
            return None if found is None else str(found)

        return self._run(work)

    def _run(self, work: Callable[[], _Found]) -> _Found:
        if self._given_up:
            raise KeyringUnavailableError(self._given_up)
        outcome: list[_Found] = []
        failure: list[str] = []

        def run() -> None:
            try:
                outcome.append(work())
            except KeyringUnavailableError as error:
                failure.append(str(error))
            except Exception as error:  # noqa: BLE001  a backend raises what it likes, D-Bus's own errors too
                failure.append(f"the keyring fails: {type(error).__name__}")

        # No worker of a pool: the interpreter would wait at its end for one that hangs.
        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self._within_s)
        if outcome:
            return outcome[0]
        if not failure:
            self._given_up = f"the keyring did not answer within {self._within_s:g} s"
            raise KeyringUnavailableError(self._given_up)
        raise KeyringUnavailableError(failure[0])


def _backend() -> Any:
    import keyring

    backend = keyring.get_keyring()
    if backend.priority < _RECOMMENDED:
        raise KeyringUnavailableError("this machine has no keyring")
    return backend
