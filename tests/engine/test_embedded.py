"""The engine in a thread of its own, behind the link that a screen holds."""

import asyncio
import threading

import pytest
from mds_engine.clock import SystemClock
from mds_engine.control import commands, events
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine_thread import pause_after
from mds_engine.errors import ConfigError

PATIENCE_S = 20.0


class Watcher:
    """Runs beside the engine, and tells the test's thread when something is so."""

    def __init__(self):
        self.engine = None
        self.up = threading.Event()
        self.ended = threading.Event()

    async def __call__(self, engine):
        self.engine = engine
        self.up.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture
def linked(fake_desk):
    """Makes links, started, and closes them all."""
    links = []

    def make(build=None, **more):
        link = EmbeddedLink(build or (lambda: fake_desk(SystemClock()).engine), interval_s=0.01, **more)
        links.append(link)
        link.start()
        return link

    yield make
    for link in links:
        link.close(PATIENCE_S)


def wait_for(link, condition):
    """Wait until `condition(snapshot)` is true of a published snapshot."""
    done = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        picture = link.snapshot()
        if picture is not None and condition(picture):
            return picture
        done.wait(0.01)
    raise AssertionError("it never became so")


def test_a_link_before_its_start_has_nothing_and_does_nothing(fake_desk):
    link = EmbeddedLink(lambda: fake_desk(SystemClock()).engine)
    assert link.snapshot() is None
    assert link.events(0) == ()
    assert link.failure() is None
    result = link.send(commands.CheckHealth(source="a")).result(PATIENCE_S)
    assert (result.accepted, result.message) == (False, "not done: the engine is not up yet")
    link.close()


def test_snapshots_are_published_and_events_are_told_once(linked):
    link = linked()
    first = wait_for(link, lambda picture: picture.engine.last_event >= 3)
    assert link.mode == "embedded"
    assert [source.name for source in first.sources] == ["a", "b"]
    seen = link.events(0)
    assert [event.number for event in seen] == list(range(1, len(seen) + 1))
    assert isinstance(seen[0], events.EngineStarted)
    assert link.events(seen[-1].number) == ()
    wait_for(link, lambda picture: picture is not first and picture.at > first.at)


def test_a_command_from_another_thread_is_carried_out_and_answered(linked):
    watcher = Watcher()
    link = linked(beside=watcher)
    assert watcher.up.wait(PATIENCE_S)
    result = link.send(commands.Pin(route="X/quote", source="b")).result(PATIENCE_S)
    assert result.accepted
    assert wait_for(link, lambda picture: picture.route("X/quote").pinned == "b")
    refused = link.send(commands.Pin(route="X/quote", source="z")).result(PATIENCE_S)
    assert not refused.accepted
    kinds = [type(event) for event in link.events(0)]
    assert kinds.count(events.CommandApplied) == 1
    assert kinds.count(events.CommandRefused) == 1


def test_closing_ends_the_engine_and_what_runs_beside_it(linked):
    watcher = Watcher()
    link = linked(beside=watcher)
    assert watcher.up.wait(PATIENCE_S)
    link.close(PATIENCE_S)
    link.close(PATIENCE_S)
    assert watcher.ended.is_set()
    assert isinstance(link.events(0)[-1], events.EngineStopped)
    assert link.failure() == "the engine was stopped"
    result = link.send(commands.CheckHealth(source="a")).result(PATIENCE_S)
    assert (result.accepted, result.message) == (False, "not done: the engine was stopped")
    assert "mds-engine" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError("config.toml:3: sources.a.kind: unknown"), "config.toml:3: sources.a.kind: unknown"),
        (ValueError("a defect"), "the engine died: ValueError: a defect; the log has more"),
    ],
)
def test_an_engine_that_cannot_be_built_says_why(linked, error, words):
    def build():
        raise error

    link = linked(build)
    link._runs.thread.join(PATIENCE_S)
    assert link.failure() == words
    assert not link.send(commands.CheckHealth(source="a")).result(PATIENCE_S).accepted
    assert link.snapshot() is None


def test_a_defect_of_the_engine_itself_ends_it_and_is_told(linked):
    watcher = Watcher()
    link = linked(beside=watcher)
    assert watcher.up.wait(PATIENCE_S)

    def defect():
        raise LookupError("a defect")

    watcher.engine._housekeeping.settle = defect
    link._runs.thread.join(PATIENCE_S)
    assert link.failure() == "the engine died: LookupError: a defect; the log has more"


def test_a_picture_that_takes_long_is_made_less_often() -> None:
    assert pause_after(0.002, 0.1) == 0.1
    assert pause_after(0.022, 0.1) == pytest.approx(0.198)
    assert pause_after(2.0, 0.1) == 0.5, "an engine that is seldom looked at would be taken for silent"
    assert pause_after(2.0, 1.0) == 1.0
