"""What went wrong below HTTP and WebSocket, in a plain sentence."""

import socket
import ssl
from collections.abc import Iterator


def describe_transport_error(error: BaseException, waited_s: float) -> str:
    """Say whether a connection was refused, reset, timed out, failed in TLS or in name resolution.

    Libraries wrap the operating system's error in several of their own, so the
    whole chain of causes is looked through. `waited_s` is the time that was
    allowed, in seconds.
    """
    chain = tuple(_chain(error))
    for kinds, sentence in _SENTENCES:
        for link in chain:
            if isinstance(link, kinds):
                return sentence.format(seconds=f"{waited_s:.3g}", error=str(link) or type(link).__name__)
    return f"the connection failed: {str(error) or type(error).__name__}"


_SENTENCES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (socket.gaierror, "could not be resolved ({error})"),
    (ssl.SSLError, "could not be trusted: TLS failed ({error})"),
    (TimeoutError, "timed out after {seconds} s"),
    (ConnectionRefusedError, "refused the connection"),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), "reset the connection"),
    (EOFError, "ended the connection without an answer"),
)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and the members of groups, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
        waiting.extend(cause for cause in (link.__cause__, link.__context__) if cause is not None)
