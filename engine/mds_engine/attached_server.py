"""The engine's side of attached screens: each sees the newest picture, and acts only if it may."""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from mds_engine.attached_wire import (
    LENGTH_BYTES,
    MOST_REQUEST_BYTES,
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
from mds_engine.control import CommandResult, Snapshot
from mds_engine.control.commands import Command, Login
from mds_engine.link import EngineLink
from mds_engine.log import get_logger

MOST_EVENTS = 500
"""In one answer; the picture comes with the last of them."""
MOST_COMMANDS = 16
"""Of one screen, at a time."""
ANSWER_WITHIN_S = 0.5
"""A look is answered by then, be there anything new or not."""
READ_ONLY = "not done: this screen is read-only"
NO_LOGIN = (
    "not done: what a login needs is a secret and stays on the engine's machine; use mds-tui login there"
)
_LOOK_EVERY_S = 0.03
_log = get_logger(__name__)


class Visitor(NamedTuple):
    """Whose screen it is."""

    who: str
    """Named in every command in place of what the screen says, as `web 127.0.0.1`."""
    may_act: bool


class AttachedScreens:
    """Serves one link to any number of screens, on one event loop."""

    def __init__(self, link: EngineLink) -> None:
        self._link = link
        self._seen: Snapshot | None = None
        self._number = 0
        self._encoded = b""

    async def attend(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visitor: Visitor
    ) -> None:
        """Answer one screen until it goes away, or says what is no message."""
        visit = _Visit(self, self._link, writer, visitor)
        _log.info("screen_came", who=visitor.who, may_act=visitor.may_act)
        try:
            while True:
                head = await reader.readexactly(LENGTH_BYTES)
                body = await reader.readexactly(length_of(head, MOST_REQUEST_BYTES))
                visit.take(_REQUESTS.decode(body))
        except (asyncio.IncompleteReadError, ConnectionError):
            _log.info("screen_went", who=visitor.who)
        except (WireError, msgspec.DecodeError) as error:
            _log.warning("screen_refused", who=visitor.who, why=str(error))
        finally:
            # Before anything in which this can be cancelled, not waiting for a screen that does not read.
            writer.transport.abort()
            await visit.end()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def picture(self) -> tuple[int, bytes]:
        """The newest and its number, written out once for all screens; 0 before the first."""
        snapshot = self._link.snapshot()
        if snapshot is not None and snapshot is not self._seen:
            self._seen = snapshot
            self._number += 1
            self._encoded = msgspec.msgpack.encode(snapshot)
        return self._number, self._encoded


_REQUESTS: "msgspec.msgpack.Decoder[Request]" = msgspec.msgpack.Decoder(Request)


class _Visit:
    """What one screen has asked for and has not been answered yet."""

    def __init__(
        self, screens: AttachedScreens, link: EngineLink, writer: asyncio.StreamWriter, visitor: Visitor
    ) -> None:
        self._screens = screens
        self._link = link
        self._writer = writer
        self._visitor = visitor
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._doing: dict[int, Future[CommandResult] | None] = {}
        self._told: tuple[int, str | None] = (0, None)
        """Era and failure, as the screen knows them."""

    def take(self, request: Request) -> None:
        """Begin to answer. Raises WireError for more than a screen of ours asks at a time."""
        if len(self._tasks) > 2 * MOST_COMMANDS:
            raise WireError("more requests than are answered")
        match request:
            case Look():
                if self._looking is not None and not self._looking.done():
                    raise WireError("a look before the last one was answered")
                self._looking = self._begin(self._look(request))
            case Do():
                self._begin(self._do(request))
            case Withdraw():
                answer = self._doing.get(request.number)
                if answer is not None:
                    answer.cancel()
            case Restart():
                self._restart()

    async def end(self) -> None:
        """Give up what is not answered; what the engine has not taken up is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"for {self._visitor.who}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ConnectionError):
            _log.error("screen_not_answered", who=self._visitor.who, exc_info=error)
            self._writer.close()

    async def _say(self, reply: Reply) -> None:
        async with self._writing:
            self._writer.write(frame(reply))
            await self._writer.drain()

    async def _look(self, look: Look) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + ANSWER_WITHIN_S
        while True:
            news = self._news(look)
            if news.picture or news.events or (news.era, news.failure) != self._told or loop.time() >= due:
                self._told = (news.era, news.failure)
                await self._say(news)
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _news(self, look: Look) -> News:
        link = self._link
        era, failure = link.era, link.failure()
        number, picture = self._screens.picture()
        events = link.events(look.after if era == self._told[0] else 0)
        if number == look.picture or len(events) > MOST_EVENTS:
            # With a picture before all that had happened, the screen would take the rest of it for news.
            number, picture = look.picture, b""
        return News(
            number=number,
            picture=picture,
            era=era,
            events=events[:MOST_EVENTS],
            failure=failure,
            whereabouts=link.whereabouts(),
        )

    async def _do(self, do: Do) -> None:
        command = msgspec.structs.replace(do.command, by=self._visitor.who)
        if refusal := self._refusal(do):
            _log.warning("command_of_a_screen_refused", who=self._visitor.who, why=refusal, **_named(command))
            await self._say(Done(number=do.number, result=CommandResult(accepted=False, message=refusal)))
            return
        _log.info("command_of_a_screen", who=self._visitor.who, **_named(command))
        answer = self._doing[do.number] = self._link.send(command)
        try:
            result = await self._await(do, answer)
        finally:
            answer.cancel()
            del self._doing[do.number]
        await self._say(Done(number=do.number, result=result))

    def _refusal(self, do: Do) -> str:
        if not self._visitor.may_act:
            return READ_ONLY
        if isinstance(do.command, Login):
            return NO_LOGIN
        if do.number in self._doing or len(self._doing) >= MOST_COMMANDS:
            return f"not done: {len(self._doing)} commands of this screen are not answered yet"
        if time.monotonic() >= do.not_after:
            return "not done: it came too late"
        return ""

    async def _await(self, do: Do, answer: "Future[CommandResult]") -> CommandResult:
        taken = False
        while not answer.done():
            if answer.running() and not taken:
                taken = True
                await self._say(Taken(number=do.number))
            elif not taken and time.monotonic() >= do.not_after:
                answer.cancel()
            await asyncio.sleep(_LOOK_EVERY_S)
        if answer.cancelled():
            return CommandResult(accepted=False, message="not done: the engine did not take it up in time")
        return answer.result()

    def _restart(self) -> None:
        if self._visitor.may_act:
            _log.warning("restart_of_a_screen", who=self._visitor.who, became=self._link.restart())
        else:
            _log.warning("restart_of_a_screen_refused", who=self._visitor.who)


def _named(command: Command) -> dict[str, str]:
    return {"command": str(type(command).__struct_config__.tag)}
