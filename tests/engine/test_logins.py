"""When an engine says that a login is needed: in virtual time."""

import asyncio

import msgspec
import pytest
from mds_engine.config.schema import EngineSettings
from mds_engine.control import events
from mds_engine.control.commands import Login
from mds_engine.control.snapshot import SourceState
from mds_engine.engine import Engine
from mds_engine.errors import AuthRequired, InvalidPayload, InvalidRequest
from mds_engine.secret import Secret

from tests.engine.broker_desk import Broker, Desk, calendar
from tests.engine.india import HOUR_S, wall


def test_over_a_week_a_login_is_asked_for_before_each_open_and_on_no_other_day(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-19T10:00", token=Secret("yesterday"))  # a Thursday
        desk.broker.give("yesterday")
        await desk.logins.connect(desk.runtime)
        told = {}

        async def day(until: str) -> None:
            desk.forget()
            await desk.pass_until(until)
            told[until] = desk.said()

        await day("2026-11-20T05:59")
        await day("2026-11-20T08:14")
        await day("2026-11-20T08:30")
        state = desk.logins.view(desk.runtime)
        message = await desk.logins.log_in(desk.runtime, Secret("friday"))
        desk.events.clear()
        await day("2026-11-23T08:14")
        await day("2026-11-23T16:00")
        await day("2026-11-25T08:14")
        await day("2026-11-25T09:00")
        return told, state, message, desk.token

    told, state, message, token = virtually(scene)
    assert told == {
        "2026-11-20T05:59": [],
        "2026-11-20T08:14": [("the token has expired", 3.2, False)],
        "2026-11-20T08:30": [("the token has expired", 1.0, True)],
        "2026-11-23T08:14": [("the token has expired", 51.2, False)],  # Saturday morning
        "2026-11-23T16:00": [("the token has expired", 1.0, True)],
        "2026-11-25T08:14": [],
        "2026-11-25T09:00": [("the token has expired", 1.0, True)],  # after the holiday
    }
    assert state.needed
    assert state.opens_in_s == pytest.approx(0.75 * HOUR_S, abs=60)
    assert message == "desk is logged in for 21 h 30 min, kept until the engine ends"
    assert token == "for friday"


def test_a_login_makes_the_source_well_at_once_and_says_until_when(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30")
        await desk.logins.connect(desk.runtime)
        blocked = dict(desk.runtime.blocks)
        await desk.logins.log_in(desk.runtime, Secret("friday"))
        done = [event for event in desk.events if isinstance(event, events.LoggedIn)]
        return blocked, desk.runtime.blocks, done, desk.logins.view(desk.runtime)

    blocked, blocks, done, view = virtually(scene)
    assert set(blocked) == {"login"}
    assert blocks == {}
    assert [(event.source, event.until) for event in done] == [("desk", wall("2026-11-21T06:00"))]
    assert (view.needed, view.valid_until) == (False, wall("2026-11-21T06:00"))


def test_a_vendor_that_is_down_when_its_logins_end_is_not_waited_for(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-19T10:00")
        await desk.logins.connect(desk.runtime)
        await desk.logins.log_in(desk.runtime, Secret("thursday"))
        desk.broker.is_down = True
        desk.forget()
        await desk.pass_until("2026-11-20T08:20")
        return desk.said(), set(desk.runtime.blocks)

    said, blocks = virtually(scene)
    assert said == [("the login ended 2 h 15 min ago", 1.0, True)]
    assert blocks == {"login"}


def test_a_vendor_that_honours_a_login_for_longer_is_believed(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-19T10:00")
        await desk.logins.connect(desk.runtime)
        await desk.logins.log_in(desk.runtime, Secret("thursday"))
        desk.broker.honours_for_ever = True
        desk.forget()
        await desk.pass_until("2026-11-20T06:30")
        within = desk.logins.view(desk.runtime).valid_until
        await desk.pass_until("2026-11-20T10:00")
        checks = desk.broker.checks
        await desk.pass_until("2026-11-20T12:00")
        return desk.said(), within, desk.logins.view(desk.runtime).valid_until, desk.broker.checks - checks

    said, within, until, checks = virtually(scene)
    assert said == []
    assert within == wall("2026-11-20T06:00"), "half an hour of grace proves no new login"
    assert until == wall("2026-11-21T06:00")
    assert checks == 0, "and is asked no more, once that is known"


@pytest.mark.parametrize("known", [True, False])
def test_in_the_hour_after_an_end_only_a_login_of_known_age_is_said_to_have_ended(
    virtually, monkeypatch, known
) -> None:
    async def scene(virtual):
        broker = Broker(virtual)
        broker.honours_for_ever = True
        desk = Desk(virtual, "2026-11-19T20:00", broker=broker, token=Secret(broker.give("of unknown age")))
        monkeypatch.setattr(desk, "next_open", lambda exchange, at: at)  # it is always open
        await desk.logins.connect(desk.runtime)
        if known:
            await desk.logins.log_in(desk.runtime, Secret("thursday"))
        else:
            desk.clock.skip_to("2026-11-20T06:10")  # the engine was not there before
        desk.forget()
        await desk.pass_until("2026-11-20T06:40")
        within = [why for why, *_ in desk.said()]
        await desk.pass_until("2026-11-20T07:30")
        return within, desk.logins.view(desk.runtime).needed, desk.logins.view(desk.runtime).valid_until

    within, needed, until = virtually(scene)
    assert within == (["the login ended 0 min ago; the vendor honours it for now"] if known else [])
    assert not needed
    assert until == wall("2026-11-21T06:00"), "what is honoured for longer than that is new"


def test_a_source_out_of_service_asks_for_nothing(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-19T10:00")
        await desk.logins.log_in(desk.runtime, Secret("thursday"))
        desk.runtime.block("disabled", "disabled")
        await desk.pass_until("2026-11-20T10:00")
        return desk.said()

    assert virtually(scene) == []


def test_no_login_is_begun_where_none_can_be_done(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T05:00", app=Secret())
        with pytest.raises(InvalidRequest, match=r"put app under \[sources\.desk\]"):
            desk.logins.page(desk.runtime)
        with pytest.raises(InvalidRequest):
            await desk.logins.log_in(desk.runtime, Secret("code"))

    virtually(scene)


def test_a_refused_answer_changes_nothing_and_an_adapters_words_are_not_repeated(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T05:00")
        await desk.logins.connect(desk.runtime)
        desk.used.add("c0de")
        with pytest.raises(AuthRequired, match="used already"):
            await desk.logins.log_in(desk.runtime, Secret("c0de"))
        desk.exchange_fails = RuntimeError("cannot parse c0de")
        with pytest.raises(InvalidPayload) as defect:
            await desk.logins.log_in(desk.runtime, Secret("c0de"))
        return desk.token, set(desk.runtime.blocks), str(defect.value)

    token, blocks, words = virtually(scene)
    assert (token, blocks) == ("", {"login"})
    assert "c0de" not in words


def test_a_second_login_waits_for_nobody_and_is_refused(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T05:00")
        first = asyncio.create_task(desk.logins.log_in(desk.runtime, Secret("one")))
        await asyncio.sleep(0)
        with pytest.raises(InvalidRequest, match="already"):
            await desk.logins.log_in(desk.runtime, Secret("two"))
        await first
        return desk.token

    assert virtually(scene) == "for one"


def test_a_source_that_still_serves_says_login_needed_where_the_exchange_would_open_without_it(
    virtually, monkeypatch
) -> None:
    monkeypatch.setattr("mds_engine.streams.trading_hours.load_calendars", calendar)

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:00", ends_at=lambda at: at + 70 * 60.0)
        config = msgspec.structs.replace(desk.config, engine=EngineSettings(state_path=":memory:"))
        async with Engine(config, {"broker": desk.plugin}, clock=desk.clock, seed=1) as engine:
            await engine.apply(Login(source="desk", answer=Secret("short")))
            states = []
            for minutes in (5, 16, 50):
                await desk.clock.sleep(minutes * 60.0 - engine.snapshot().engine.uptime_s)
                source = engine.snapshot().source("desk")
                states.append((source.state, source.login.needed, source.why))
            told = [event for event in engine.events() if isinstance(event, events.LoginNeeded)]
            return states, [(event.why, event.soon) for event in told]

    states, told = virtually(scene)
    assert [(state is SourceState.LOGIN, needed) for state, needed, _ in states] == [
        (False, False),
        (True, True),
        (True, True),
    ]
    assert states[1][2] == "login needed before its exchange opens"
    assert told[0] == ("log in first", False)
    assert told[1:] == [("the login ends in 55 min", True)]
