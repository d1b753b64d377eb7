"""The engine in a thread with an event loop of its own, behind an `EngineLink`."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING

from mds_engine.control import Command, CommandResult, Event, Snapshot
from mds_engine.errors import MdsError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from mds_engine.engine import Engine


class EmbeddedLink:
    """An `EngineLink` to an engine in this process. See `mds_engine.link` for what each method promises.

    `build` makes the engine; it is called in the engine's thread, so that
    importing what the engine needs costs the screen nothing. A new snapshot is
    published every `interval_s` seconds. `beside` is run on the engine's loop for
    as long as the engine runs: the demo's desk.
    """

    mode = "embedded"

    def __init__(
        self,
        build: "Callable[[], Engine]",
        *,
        interval_s: float = 0.1,
        beside: "Callable[[Engine], Coroutine[None, None, None]] | None" = None,
    ) -> None:
        self._build = build
        self._beside = beside
        self._interval_s = interval_s
        self._snapshot: Snapshot | None = None
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: str | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        """Start the thread; returns at once. The first snapshot comes when the engine is up."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="mds-engine", daemon=True)
            self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop the engine and wait for its thread, at most `timeout_s`."""
        thread = self._thread
        if thread is None:
            return
        self._ready.wait(timeout_s)
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and thread.is_alive():
            try:
                loop.call_soon_threadsafe(stop.set)
            except RuntimeError:
                _log().debug("engine_loop_was_closed_already")
        thread.join(timeout_s)

    def snapshot(self) -> Snapshot | None:
        """The latest picture; the same object until there is a newer one."""
        return self._snapshot

    def events(self, after: int) -> tuple[Event, ...]:
        """Events with a number above `after`, oldest first."""
        engine = self._engine
        return () if engine is None else engine.events(after)

    def send(self, command: Command) -> "Future[CommandResult]":
        """Hand in a command; the future ends with what became of it."""
        engine, loop = self._engine, self._loop
        if engine is None or loop is None or self._failure is not None:
            answer: Future[CommandResult] = Future()
            why = self._failure or "the engine is not up yet"
            answer.set_result(CommandResult(accepted=False, message=f"not done: {why}"))
            return answer
        return asyncio.run_coroutine_threadsafe(engine.apply(command), loop)

    def failure(self) -> str | None:
        """Why the engine is not running, None while all is well."""
        return self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except MdsError as error:
            self._failure = str(error)
        except Exception as error:  # noqa: BLE001  the thread's last line: the screen must learn why it ended
            _log().exception("engine_died")
            self._failure = f"the engine died: {type(error).__name__}: {error}; the log has more"
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = stop = asyncio.Event()
        self._ready.set()
        engine = self._build()
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
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        self._failure = "the engine was stopped"

    async def _publish(self, engine: "Engine") -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            lag_s = max(0.0, loop.time() - due)
            self._snapshot = engine.snapshot(loop_lag_ms=lag_s * 1000.0)
            due = loop.time() + self._interval_s
            await asyncio.sleep(self._interval_s)


def _log() -> "FilteringBoundLogger":
    # This module is there before the first paint, and importing structlog takes long.
    from mds_engine.log import get_logger

    logger: FilteringBoundLogger = get_logger(__name__)
    return logger
