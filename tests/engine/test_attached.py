"""An engine that screens of other processes look at: over a real socket pair, on a real engine."""

import asyncio
import socket
import threading
import time
from concurrent.futures import Future
from itertools import count

import msgspec
import pytest
from mds_engine.attached import GONE, AttachedLink
from mds_engine.attached_server import MOST_COMMANDS, MOST_EVENTS, READ_ONLY, AttachedScreens, Visitor
from mds_engine.attached_wire import LENGTH_BYTES, Do, Done, Look, News, Reply, frame
from mds_engine.clock import SystemClock
from mds_engine.control import CommandResult, Snapshot, commands, events
from mds_engine.control.snapshot import EngineView
from mds_engine.embedded import EmbeddedLink
from mds_engine.secret import Secret

PATIENCE_S = 20.0
ACTING, LOOKING = Visitor("web 127.0.0.1", may_act=True), Visitor("web 10.0.0.9", may_act=False)


class Desk:
    """The process of an engine: a link, and a loop in a thread that serves it to screens."""

    def __init__(self, link):
        self.link = link
        self.screens = AttachedScreens(link)
        self.loop = asyncio.new_event_loop()
        self.visits = []
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def open(self, visitor):
        """The other end of a connection that is served."""
        ours, theirs = socket.socketpair()
        theirs.settimeout(PATIENCE_S)

        connecting = asyncio.run_coroutine_threadsafe(asyncio.open_connection(sock=ours), self.loop)
        attending = self.screens.attend(*connecting.result(PATIENCE_S), visitor)
        self.visits.append(asyncio.run_coroutine_threadsafe(attending, self.loop))
        return theirs

    def close(self):
        """What is left of a process that has ended."""

        async def end():
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(end(), self.loop).result(PATIENCE_S)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


class HeldLink:
    """A link whose commands are taken up and answered only when the test says so."""

    mode = "embedded"

    def __init__(self):
        self.era = 0
        self.log = []
        self.sent = []
        self.answers = []
        self.picture = Snapshot(at=1.0, engine=EngineView(name="held", started_at=0.0, uptime_s=1.0))

    def snapshot(self):
        return self.picture

    def events(self, after):
        return tuple(event for event in self.log if event.number > after)

    def send(self, command):
        self.sent.append(command)
        self.answers.append(Future())
        return self.answers[-1]

    def whereabouts(self):
        return "held.py:1 in hold"

    def failure(self):
        return None


@pytest.fixture
def desk_of():
    """Makes the process of a link."""
    desks = []

    def make(link):
        desks.append(Desk(link))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(fake_desk, desk_of):
    """The process of a real engine on fake vendors; `desk.built` counts its engines."""
    built = count()
    seen = []

    def build():
        seen.append(next(built))
        return fake_desk(SystemClock()).engine

    link = EmbeddedLink(build, interval_s=0.01)
    link.start()
    desk = desk_of(link)
    desk.built = seen
    yield desk
    desk.close()
    link.close(PATIENCE_S)


@pytest.fixture
def attach():
    """Makes links to a process, started, and closes them."""
    links = []

    def make(desk, visitor):
        links.append(AttachedLink(desk.open(visitor)))
        links[-1].start()
        return links[-1]

    yield make
    for link in links:
        link.close(PATIENCE_S)


def until(condition):
    """Wait until it is true, and return it."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if found := condition():
            return found
        pause.wait(0.01)
    raise AssertionError("it never became so")


def read(stream):
    """The next message of a raw connection; None at its end."""
    head = stream.read(LENGTH_BYTES)
    return msgspec.msgpack.decode(stream.read(int.from_bytes(head, "big")), type=Reply) if head else None


def test_screens_see_the_picture_and_the_events_of_one_engine(desk, attach):
    links = [attach(desk, visitor) for visitor in (LOOKING, ACTING, LOOKING)]
    first = until(desk.link.snapshot)
    for link in links:
        assert link.mode == "remote"
        picture = until(lambda link=link: (new := link.snapshot()) and new.at > first.at and new)
        assert [source.name for source in picture.sources] == ["a", "b"]
        assert until(lambda link=link: link.events(0)) == desk.link.events(0)
        assert link.events(desk.link.events(0)[-1].number) == ()
        assert link.failure() is None
    assert desk.built == [0]


def test_a_picture_comes_as_it_was_taken(desk, attach):
    link = attach(desk, LOOKING)
    until(link.snapshot)
    desk.link.close(PATIENCE_S)
    assert until(lambda: link.snapshot() == desk.link.snapshot())
    assert link.snapshot() is link.snapshot()


def test_what_happened_before_the_first_picture_comes_with_it(desk_of, attach):
    link = HeldLink()
    link.log = [events.EngineStopped(number=number) for number in range(1, 2 * MOST_EVENTS + 11)]
    stream = desk_of(link).open(LOOKING)
    after, replies = 0, []
    with stream, stream.makefile("rb") as answers:
        while not replies or not replies[-1].picture:
            stream.sendall(frame(Look(picture=0, after=after)))
            replies.append(read(answers))
            after = replies[-1].events[-1].number
    assert [len(reply.events) for reply in replies] == [MOST_EVENTS, MOST_EVENTS, 10]
    assert [bool(reply.picture) for reply in replies] == [False, False, True]


def test_a_screen_that_does_not_ask_is_sent_nothing_and_then_the_newest(desk):
    stream = desk.open(LOOKING)
    with stream, stream.makefile("rb") as answers:
        stream.sendall(frame(Look(picture=0, after=0)))
        first = read(answers)
        began = until(desk.link.snapshot).at
        later = until(lambda: (new := desk.link.snapshot()).at > began + 0.3 and new)
        stream.setblocking(False)
        with pytest.raises(BlockingIOError):
            stream.recv(1)
        stream.settimeout(PATIENCE_S)
        stream.sendall(frame(Look(picture=first.number, after=0)))
        news = read(answers)
        while not news.picture:
            stream.sendall(frame(Look(picture=first.number, after=0)))
            news = read(answers)
    assert msgspec.msgpack.decode(news.picture, type=Snapshot).at >= later.at


def test_a_second_look_before_the_answer_ends_it(desk_of):
    desk = desk_of(HeldLink())
    stream = desk.open(LOOKING)
    with stream, stream.makefile("rb") as answers:
        stream.sendall(frame(Look(picture=0, after=0)))
        assert isinstance(read(answers), News)
        stream.sendall(frame(Look(picture=1, after=0)) * 2)
        while read(answers) is not None:
            pass
    desk.visits[0].result(PATIENCE_S)


@pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x03abc", b"\x00\x00"])
def test_what_is_no_message_ends_it(desk_of, said):
    desk = desk_of(HeldLink())
    with desk.open(ACTING) as stream:
        stream.sendall(said)
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(1) == b""
    desk.visits[0].result(PATIENCE_S)


def test_who_may_act_acts_under_the_name_that_the_engine_knows(desk, attach):
    link = attach(desk, ACTING)
    until(lambda: (new := link.snapshot()) and new.routes)
    command = commands.Pin(route="X/quote", source="b", by="the chairman", why="test")
    result = link.send(command).result(PATIENCE_S)
    assert result.accepted, result.message
    assert result.reverse == commands.Unpin(route="X/quote", by="web 127.0.0.1")
    applied = until(lambda: [one for one in link.events(0) if isinstance(one, events.CommandApplied)])
    assert [(one.command.by, one.command.why) for one in applied] == [("web 127.0.0.1", "test")]


@pytest.mark.parametrize(
    "command", [commands.Pin(route="X/quote", source="b"), commands.CheckHealth(source="a")]
)
def test_the_engine_refuses_whoever_may_only_look(desk, attach, command):
    link = attach(desk, LOOKING)
    until(link.snapshot)
    result = link.send(command).result(PATIENCE_S)
    assert (result.accepted, result.message) == (False, READ_ONLY)
    assert not [one for one in desk.link.events(0) if hasattr(one, "command")]


def test_only_who_may_act_restarts_the_engine(desk, attach):
    looking, acting = attach(desk, LOOKING), attach(desk, ACTING)
    until(looking.snapshot)
    looking.restart()
    # Answered after the restart was read: the same connection, in order.
    looking.send(commands.CheckHealth(source="a")).result(PATIENCE_S)
    assert desk.built == [0]
    acting.restart()
    until(lambda: desk.built == [0, 1])


def test_a_login_never_travels(desk, attach):
    login = commands.Login(source="a", answer=Secret("hush"))
    answer = attach(desk, ACTING).send(login).result(PATIENCE_S)
    assert (answer.accepted, "secret" in answer.message) == (False, True)
    with pytest.raises(TypeError):
        frame(Do(number=1, command=login, not_after=0.0))
    stream = desk.open(ACTING)
    with stream, stream.makefile("rb") as answers:
        asked = Do(number=1, command=commands.Login(source="a"), not_after=time.monotonic() + PATIENCE_S)
        stream.sendall(frame(asked))
        reply = read(answers)
    assert (reply.result.accepted, reply.result.page, "secret" in reply.result.message) == (False, "", True)


def test_when_the_process_of_the_engine_goes_the_screen_says_so(desk_of, attach):
    held = HeldLink()
    desk = desk_of(held)
    link = attach(desk, ACTING)
    picture = until(link.snapshot)
    answer = link.send(commands.CheckHealth(source="a"))
    until(lambda: held.sent)
    desk.close()
    assert until(link.failure) == GONE
    assert link.snapshot() is picture
    assert answer.result(PATIENCE_S).message == f"not known to be done: {GONE}"
    assert link.send(commands.CheckHealth(source="a")).result(0).message == f"not done: {GONE}"
    assert held.answers[0].cancelled()


def test_when_the_engine_ends_the_screen_has_its_last_word(desk, attach):
    link = attach(desk, LOOKING)
    until(link.snapshot)
    desk.link.close(PATIENCE_S)
    assert until(link.failure) == "the engine was stopped"
    assert until(lambda: isinstance(link.events(0)[-1], events.EngineStopped))


def test_another_era_means_the_events_anew(desk_of, attach):
    held = HeldLink()
    held.log = [events.EngineStopped(number=number) for number in (1, 2, 3)]
    link = attach(desk_of(held), LOOKING)
    until(lambda: len(link.events(0)) == 3)
    held.log = [events.EngineStopped(number=1, at=5.0)]
    held.era = 1
    until(lambda: link.era == 1)
    assert link.events(0) == tuple(held.log)
    assert link.whereabouts() == "held.py:1 in hold"


def test_a_command_that_is_taken_up_cannot_be_taken_back(desk_of, attach):
    held = HeldLink()
    link = attach(desk_of(held), ACTING)
    answer = link.send(commands.CheckHealth(source="a"))
    until(lambda: held.answers)
    held.answers[0].set_running_or_notify_cancel()
    until(answer.running)
    assert not answer.cancel()
    held.answers[0].set_result(CommandResult(accepted=True, message="well"))
    assert answer.result(PATIENCE_S).message == "well"


def test_a_command_that_is_not_taken_up_can(desk_of, attach):
    held = HeldLink()
    link = attach(desk_of(held), ACTING)
    answer = link.send(commands.CheckHealth(source="a"))
    until(lambda: held.answers)
    assert answer.cancel()
    assert until(held.answers[0].cancelled)


@pytest.mark.parametrize(
    ("more_s", "sent", "words"), [(0.0, 0, "too late"), (0.2, 1, "did not take it up in time")]
)
def test_a_command_is_done_in_time_or_never(desk_of, more_s, sent, words):
    held = HeldLink()
    stream = desk_of(held).open(ACTING)
    with stream, stream.makefile("rb") as answers:
        asked = Do(number=1, command=commands.CheckHealth(source="a"), not_after=time.monotonic() + more_s)
        stream.sendall(frame(asked))
        reply = read(answers)
    assert isinstance(reply, Done)
    assert words in reply.result.message
    assert len(held.sent) == sent
    assert all(answer.cancelled() for answer in held.answers)


def test_more_commands_at_a_time_than_a_screen_needs_are_refused(desk_of, attach):
    held = HeldLink()
    link = attach(desk_of(held), ACTING)
    answers = [link.send(commands.CheckHealth(source="a")) for _ in range(MOST_COMMANDS + 1)]
    assert "are not answered yet" in answers[-1].result(PATIENCE_S).message
    assert len(held.sent) == MOST_COMMANDS
