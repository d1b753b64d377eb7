"""An engine in another process of this machine, behind an `EngineLink`: over one end of a socket pair."""

import itertools
import socket
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from io import BufferedReader

import msgspec

from mds_engine.attached_wire import (
    LENGTH_BYTES,
    MOST_REPLY_BYTES,
    Do,
    Done,
    Look,
    News,
    Reply,
    Request,
    Restart,
    Taken,
    WireError,
    Withdraw,
    frame,
    length_of,
)
from mds_engine.control import Command, CommandResult, Event, Snapshot
from mds_engine.control.commands import Login

GONE = "the engine's process has ended"
TAKEN_WITHIN_S = 8.0
"""A command that the engine has not taken up by then is never done."""
NO_LOGIN = (
    "not sent: what a login needs is a secret and stays on the engine's machine; use mds-tui login there"
)
_KEPT_EVENTS = 2000


class AttachedLink:
    """An `EngineLink` to an engine that others may look at too. See `mds_engine.link` for each method.

    Ending it does not end the engine. What it may do is for the engine's process
    to say, which is `mds_engine.attached_server`.
    """

    mode = "remote"

    def __init__(self, channel: socket.socket) -> None:
        """`channel` is connected to an `AttachedScreens`, and from now on the link's own."""
        channel.setblocking(True)
        self.era = 0
        self._channel = channel
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._snapshot: Snapshot | None = None
        self._failure: str | None = None
        self._gone: str | None = None
        self._whereabouts = ""
        self._waiting: dict[int, Future[CommandResult]] = {}
        self._thread = threading.Thread(target=self._follow, name="mds-attached", daemon=True)
        self._started = False

    def start(self) -> None:
        """Begin to look; returns at once."""
        with self._lock:
            if self._started or self._gone is not None:
                return
            self._started = True
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Let go of the engine, which goes on; waits at most `timeout_s`."""
        self._end("the console has let go of the engine")
        if self._started and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def snapshot(self) -> Snapshot | None:
        """The latest picture that came; the same object until there is a newer one."""
        return self._snapshot

    def events(self, after: int) -> tuple[Event, ...]:
        """Events with a number above `after`, oldest first, as far back as this link keeps them."""
        with self._lock:
            if not self._events or self._events[-1].number <= after:
                return ()
            return tuple(event for event in self._events if event.number > after)

    def send(self, command: Command) -> "Future[CommandResult]":
        """Hand in a command; the future ends with what became of it. A login is never sent."""
        answer: Future[CommandResult] = Future()
        if isinstance(command, Login):
            answer.set_result(CommandResult(accepted=False, message=NO_LOGIN))
            return answer
        number = next(self._numbers)
        with self._lock:
            if self._gone is not None:
                answer.set_result(CommandResult(accepted=False, message=f"not done: {self._gone}"))
                return answer
            self._waiting[number] = answer
        answer.add_done_callback(lambda done: self._withdraw(number) if done.cancelled() else None)
        self._say(Do(number=number, command=command, not_after=time.monotonic() + TAKEN_WITHIN_S))
        return answer

    def restart(self) -> str:
        """Ask the engine's process to start the engine again; returns at once."""
        self._say(Restart())
        return self._gone or "the engine's process is asked to start it again"

    def whereabouts(self) -> str:
        """Where in its code the engine was when its process last spoke."""
        return self._whereabouts

    def failure(self) -> str | None:
        """Why the engine is not running, or cannot be seen; None while all is well."""
        return self._gone or self._failure

    def _follow(self) -> None:
        """In a thread: one look after the other, until the other side is gone."""
        why = GONE
        picture = after = 0
        try:
            with self._channel.makefile("rb") as stream:
                self._say(Look(picture=picture, after=after))
                while (reply := _next(stream)) is not None:
                    if isinstance(reply, News):
                        self._take(reply)
                        picture = reply.number
                        after = self._events[-1].number if self._events else 0
                        self._say(Look(picture=picture, after=after))
                    else:
                        self._answer(reply)
        except (WireError, msgspec.DecodeError) as error:
            why = f"the engine's process speaks another language: {error}"
        except OSError as error:
            why = f"{GONE}: {error.strerror or error}"
        finally:
            self._end(why)

    def _take(self, news: News) -> None:
        snapshot = _PICTURES.decode(news.picture) if news.picture else None
        with self._lock:
            if news.era != self.era:
                self.era = news.era
                self._events.clear()
            # Before the picture: what had happened before the first one is history and no news.
            self._events.extend(news.events)
            self._failure, self._whereabouts = news.failure, news.whereabouts
            if snapshot is not None:
                self._snapshot = snapshot

    def _answer(self, reply: Taken | Done) -> None:
        with self._lock:
            if isinstance(reply, Done):
                answer = self._waiting.pop(reply.number, None)
            else:
                answer = self._waiting.get(reply.number)
        if answer is None or answer.cancelled():
            return
        if not answer.running() and not answer.set_running_or_notify_cancel():
            return
        if isinstance(reply, Done):
            answer.set_result(reply.result)

    def _withdraw(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)
        self._say(Withdraw(number=number))

    def _say(self, request: Request) -> None:
        try:
            with self._sending:
                self._channel.sendall(frame(request))
        except OSError:
            self._end(GONE)

    def _end(self, why: str) -> None:
        with self._lock:
            if self._gone is not None:
                return
            self._gone = why
            waiting, self._waiting = self._waiting, {}
        with suppress(OSError):  # the other side may have been first
            self._channel.shutdown(socket.SHUT_RDWR)
        self._channel.close()
        for answer in waiting.values():
            if answer.running() or answer.set_running_or_notify_cancel():
                answer.set_result(CommandResult(accepted=False, message=f"not known to be done: {why}"))


_REPLIES: "msgspec.msgpack.Decoder[Reply]" = msgspec.msgpack.Decoder(Reply)
_PICTURES = msgspec.msgpack.Decoder(Snapshot)


def _next(stream: BufferedReader) -> Reply | None:
    """The next message; None at the end."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = length_of(head, MOST_REPLY_BYTES)
    body = stream.read(length)
    return _REPLIES.decode(body) if len(body) == length else None
