"""One engine in a thread with an event loop of its own, from its building to its end."""

import asyncio
import ctypes
import inspect
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mds_engine.control import Command, CommandResult, Event, Snapshot
from mds_engine.errors import MdsError

if TYPE_CHECKING:
    from types import FrameType

    from structlog.typing import FilteringBoundLogger

    from mds_engine.engine import Engine

_TIMES_A_PICTURE, _LONGEST_PAUSE_S = 9.0, 0.5
_MOST_EXITS = 50
_SETTLE_WITHIN_S = 5.0
_PACKAGE = f"{Path(__file__).parent}{os.sep}"


class EngineThread:
    """Publishes a snapshot every `interval_s` seconds, takes commands from any thread, and can be ended.

    `build` makes the engine and is called in the thread; `beside` is run on the
    engine's loop for as long as the engine runs. `before` ran the engine that this
    one takes the place of.
    """

    def __init__(
        self,
        build: "Callable[[], Engine]",
        *,
        interval_s: float,
        beside: "Callable[[Engine], Coroutine[None, None, None]] | None" = None,
        before: "EngineThread | None" = None,
    ) -> None:
        self.snapshot: Snapshot | None = None
        """The latest picture."""
        self.failure: str | None = None
        """Why it is not running, once it has ended."""
        self._build = build
        self._beside = beside
        self._interval_s = interval_s
        self._before = before
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._working: set[asyncio.Task[None]] = set()
        self.thread = threading.Thread(target=self._run, name="mds-engine", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self.thread.start()

    def end(self, timeout_s: float) -> bool:
        """Ask the engine to stop and wait, at most `timeout_s`. False if its loop does not listen."""
        self._ready.wait(timeout_s)
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and self.thread.is_alive():
            try:
                loop.call_soon_threadsafe(stop.set)
            except RuntimeError:
                _log().debug("engine_loop_was_closed_already")
        self.thread.join(timeout_s)
        return not self.thread.is_alive()

    def interrupt(self, timeout_s: float) -> bool:
        """Break off what the thread is doing and wait for its end, at most `timeout_s`.

        Python code is broken off at its next step, however long it would run.
        False if the thread is in foreign code that does not come back; it ends
        when that does.
        """
        if self.thread.ident is not None and self.thread.is_alive():
            _log().error("engine_interrupted", at=self.whereabouts())
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.thread.ident), ctypes.py_object(_Interrupted)
            )
        self.thread.join(timeout_s)
        return not self.thread.is_alive()

    def whereabouts(self) -> str:
        """Where the thread is, as `decode.py:120 in decode`: in our code, if in any; empty at its end."""
        innermost = frame = sys._current_frames().get(self.thread.ident or 0)  # noqa: SLF001 - the only way
        while frame is not None and not _is_ours(frame):
            frame = frame.f_back
        return _place(frame or innermost)

    def events(self, after: int) -> tuple[Event, ...]:
        """Events with a number above `after`, oldest first."""
        engine = self._engine
        return () if engine is None else engine.events(after)

    def send(self, command: Command) -> "Future[CommandResult]":
        """Hand in a command. Cancelled before the engine takes it up, it is not done."""
        answer: Future[CommandResult] = Future()
        engine, loop = self._engine, self._loop
        why = self.failure
        if engine is not None and loop is not None and why is None:
            try:
                loop.call_soon_threadsafe(self._take, engine, command, answer)
            except RuntimeError:
                why = "the engine was stopped"
            else:
                return answer
        answer.set_result(
            CommandResult(accepted=False, message=f"not done: {why or 'the engine is not up yet'}")
        )
        return answer

    def _take(self, engine: "Engine", command: Command, answer: "Future[CommandResult]") -> None:
        # A loop that was stalled finds here what was given up long ago: it must not be done hours later.
        if answer.set_running_or_notify_cancel():
            task = asyncio.get_running_loop().create_task(_carry_out(engine, command, answer), name="command")
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    def _run(self) -> None:
        why = "the engine's thread ended without a reason"
        try:
            with asyncio.Runner() as runner:
                try:
                    runner.run(self._serve())
                except SystemExit:
                    _settle(runner.get_loop())
                    raise
            why = "the engine was stopped"
        except MdsError as error:
            why = str(error)
        except _Interrupted:
            why = "the engine was interrupted"
        except BaseException as error:  # noqa: BLE001  the thread's last line: the screen must learn why it ended
            _log().exception("engine_died")
            words = f": {error}" if str(error) else ""
            why = f"the engine died: {type(error).__name__}{words}; the log has more"
        finally:
            self.failure = why
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = stop = asyncio.Event()
        self._ready.set()
        engine = self._build()
        before, self._before = self._before, None  # each would keep all that went before it
        if before is not None and before._engine is not None:  # noqa: SLF001 - of our own kind
            engine.follow(before._engine)  # noqa: SLF001
        async with engine:
            self._engine = engine
            publishing = asyncio.create_task(self._publish(engine), name="publish snapshots")
            stopping = asyncio.create_task(stop.wait(), name="wait for the end")
            broken = asyncio.create_task(engine.wait_broken(), name="wait for a defect")
            tasks: list[asyncio.Task[None] | asyncio.Task[bool]] = [publishing, stopping, broken]
            if self._beside is not None:
                tasks.append(asyncio.create_task(self._beside(engine), name="beside the engine"))
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in [*tasks, *self._working]:
                    task.cancel()
                await asyncio.gather(*tasks, *self._working, return_exceptions=True)

    async def _publish(self, engine: "Engine") -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            lag_s = max(0.0, loop.time() - due)
            began = loop.time()
            self.snapshot = engine.snapshot(loop_lag_ms=lag_s * 1000.0)
            pause_s = pause_after(loop.time() - began, self._interval_s)
            due = loop.time() + pause_s
            await asyncio.sleep(pause_s)


def pause_after(took_s: float, interval_s: float) -> float:
    """Seconds until the next picture is made: of thousands of instruments one takes long, and an engine has
    more to do than to be looked at."""
    return min(max(interval_s, _TIMES_A_PICTURE * took_s), max(interval_s, _LONGEST_PAUSE_S))


class _Interrupted(BaseException):
    """Raised in the engine's thread from outside; no handler for ordinary errors may swallow it."""


async def _carry_out(engine: "Engine", command: Command, answer: "Future[CommandResult]") -> None:
    try:
        result = await engine.apply(command)
    except asyncio.CancelledError:
        answer.set_result(
            CommandResult(accepted=False, message="not known to be done: the engine was stopped")
        )
        raise
    except Exception as error:  # noqa: BLE001  told to whoever asked; the engine goes on
        _log().exception("command_died")
        words = f"not known to be done: {type(error).__name__}: {error}; the log has more"
        answer.set_result(CommandResult(accepted=False, message=words))
    else:
        answer.set_result(result)


def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task end in order after a SystemExit: it ends the loop anew for each task that waits."""
    for _ in range(_MOST_EXITS):
        left = asyncio.all_tasks(loop)
        # A task of anyio that is cancelled before its first step leaves a coroutine that nobody awaited.
        begun = {task for task in left if not _is_new(task)}
        for task in begun:
            task.cancel()
        try:
            if begun:
                loop.run_until_complete(asyncio.wait(begun, timeout=_SETTLE_WITHIN_S))
            elif left:
                loop.run_until_complete(asyncio.sleep(0))
        except SystemExit:
            continue
        if begun == left:
            return


def _is_new(task: asyncio.Task[Any]) -> bool:
    """Whether it has not taken its first step."""
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def _is_ours(frame: "FrameType") -> bool:
    """Of the engine, but not of this module, which is below everything."""
    file = frame.f_code.co_filename
    return file.startswith(_PACKAGE) and file != __file__


def _place(frame: "FrameType | None") -> str:
    if frame is None:
        return ""
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"


def _log() -> "FilteringBoundLogger":
    # This module is there before the first paint, and importing structlog takes long.
    from mds_engine.log import get_logger

    logger: FilteringBoundLogger = get_logger(__name__)
    return logger
