"""An engine that is stalled or dead is ended and built anew: threads really blocked, really killed."""

import asyncio
import ctypes
import sys
import threading
import time

import anyio
import pytest
from mds_engine.clock import SystemClock
from mds_engine.control import commands, events
from mds_engine.embedded import EmbeddedLink
from mds_engine.policy.limiter import LimitWindow

PATIENCE_S = 20.0


def until(condition, patience_s=PATIENCE_S):
    """Wait for another thread."""
    pause = threading.Event()
    for _ in range(int(patience_s / 0.01)):
        if found := condition():
            return found
        pause.wait(0.01)
    raise AssertionError("it never became so")


class Trap:
    """Runs beside the engine; `hold` is called on its loop when the trap is sprung."""

    def __init__(self, hold):
        self.hold = hold
        self.held = threading.Event()
        self.release = threading.Event()
        self.set = threading.Event()

    async def __call__(self, engine):
        self.engine = engine
        self.loop, self.go = asyncio.get_running_loop(), asyncio.Event()
        self.set.set()
        await self.go.wait()
        self.held.set()
        self.hold(self)
        await asyncio.Event().wait()

    def spring(self):
        self.loop.call_soon_threadsafe(self.go.set)
        assert self.held.wait(PATIENCE_S)


def spin(trap):
    """Python code that never ends."""
    while not trap.release.is_set():
        pass


def sleep(trap):
    """Foreign code that comes back when it wants to."""
    while not trap.release.is_set():
        time.sleep(0.2)


def wait_in_foreign_code(trap):
    trap.release.wait()


def connect_and_be_killed(trap):
    """The thread is killed between the beginning of a connection and its first attempt."""
    trap.began = []

    async def attempt():
        trap.began.append("attempt")
        await asyncio.Event().wait()

    async def connect():
        async with anyio.create_task_group() as attempts:
            trap.began.append("connecting")
            asyncio.get_running_loop().call_soon(sys.exit)
            attempts.start_soon(attempt)

    trap.connecting = asyncio.get_running_loop().create_task(connect())


@pytest.fixture
def trapped(fake_desk):
    """Makes a link to an engine with a trap, up and running; everything is let go afterwards."""
    made = []

    def make(hold, **traits):
        trap = Trap(hold)
        link = EmbeddedLink(
            lambda: fake_desk(SystemClock(), traits=traits).engine, interval_s=0.01, beside=trap
        )
        made.append((link, trap))
        link.start()
        until(link.snapshot)
        assert trap.set.wait(PATIENCE_S)
        return link, trap

    yield make
    for link, trap in made:
        trap.release.set()
        link.close(PATIENCE_S)


@pytest.mark.parametrize("hold", [spin, sleep])
def test_a_blocked_loop_is_broken_off_closed_in_order_and_built_anew(trapped, hold):
    link, trap = trapped(hold)
    before = link.snapshot()
    trap.spring()
    first = link._runs
    until(lambda: first.whereabouts().endswith(f" in {hold.__name__}"))
    last = link.events(0)[-1].number
    assert link.restart() == "the engine is being started again"
    assert link.restart() == "the engine is being started again already"
    until(lambda: link._runs is not first)
    assert not first.thread.is_alive()
    picture = until(lambda: (now := link.snapshot()).engine.started_at > before.engine.started_at and now)
    assert [source.name for source in picture.sources] == ["a", "b"]
    assert link.failure() is None
    # The old engine ended as it should, and the numbers go on.
    news = link.events(last)
    assert isinstance(news[0], events.EngineStopped)
    assert any(isinstance(event, events.EngineStarted) for event in news)
    numbers = [event.number for event in link.events(0)]
    assert numbers == sorted(set(numbers))
    assert link.send(commands.Pin(route="X/quote", source="b")).result(PATIENCE_S).accepted


def test_a_thread_that_cannot_be_broken_off_is_left_and_ends_when_it_is_let_go(trapped, monkeypatch):
    monkeypatch.setattr("mds_engine.embedded._END_WITHIN_S", 0.05)
    link, trap = trapped(wait_in_foreign_code)
    trap.spring()
    first = link._runs
    link.restart()
    until(lambda: link._runs is not first and link.snapshot() is link._runs.snapshot)
    assert first.thread.is_alive()
    assert link.send(commands.Pin(route="X/quote", source="b")).result(PATIENCE_S).accepted
    trap.release.set()
    first.thread.join(PATIENCE_S)
    assert not first.thread.is_alive()
    assert link.failure() is None


def test_a_killed_thread_is_told_and_begun_anew(trapped):
    link, _trap = trapped(spin)
    thread = link._runs.thread
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    thread.join(PATIENCE_S)
    assert link.failure() == "the engine died: SystemExit; the log has more"
    assert link.whereabouts() == ""
    assert link.snapshot() is not None
    answer = link.send(commands.CheckHealth(source="a")).result(PATIENCE_S)
    assert answer.message == "not done: the engine died: SystemExit; the log has more"
    link.restart()
    until(lambda: link.failure() is None)
    assert link.send(commands.Pin(route="X/quote", source="b")).result(PATIENCE_S).accepted


def test_what_was_about_to_begin_begins_before_it_is_ended_with_the_rest(trapped):
    link, trap = trapped(connect_and_be_killed)
    thread = link._runs.thread
    trap.spring()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert trap.began == ["connecting", "attempt"]


def test_a_command_that_was_given_up_while_the_loop_was_blocked_is_never_done(trapped):
    link, trap = trapped(sleep)
    trap.spring()
    given_up = link.send(commands.Pin(route="X/quote", source="b"))
    waited_for = link.send(commands.Pin(route="X/bars", source="b"))
    assert given_up.cancel()
    trap.release.set()
    assert waited_for.result(PATIENCE_S).accepted
    applied = [event for event in link.events(0) if isinstance(event, events.CommandApplied)]
    assert [event.command.route for event in applied] == ["X/bars"]


def test_what_was_sent_before_a_restart_counts_after_it(trapped):
    link, trap = trapped(spin, a={"windows": (LimitWindow(10, 600.0),)})

    async def ask():
        return await trap.engine.quote("X:S", source="a")

    for _ in range(3):
        asyncio.run_coroutine_threadsafe(ask(), trap.loop).result(PATIENCE_S)
    used = until(lambda: (sent := link.snapshot().source("a").limiters[0].used) >= 3 and sent)
    first = link._runs
    trap.set.clear()
    link.restart()
    until(lambda: link._runs is not first and link._runs.snapshot)
    assert until(lambda: link._runs.snapshot.source("a").limiters[0].used) >= used


def test_a_restart_before_the_start_or_after_the_end_does_nothing(trapped, fake_desk):
    fresh = EmbeddedLink(lambda: fake_desk(SystemClock()).engine)
    assert fresh.restart() == "the engine was not started"
    link, _trap = trapped(spin)
    link.close(PATIENCE_S)
    assert link.restart() == "the engine was not started"
    assert link.failure() == "the engine was stopped"
