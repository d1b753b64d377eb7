"""When an engine says that a login is needed, and by which credentials its sources go: in virtual time."""

import asyncio
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from mds_engine.config.schema import Config, EngineSettings, ExchangeSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control import events
from mds_engine.control.commands import Login
from mds_engine.control.route_key import RouteKey
from mds_engine.control.snapshot import SourceState
from mds_engine.engine import Engine
from mds_engine.errors import AuthRequired, InvalidPayload, InvalidRequest, Unavailable
from mds_engine.kept_logins import KeptLogins
from mds_engine.logins import Logins
from mds_engine.model import Capability
from mds_engine.policy.limiter import LimitWindow
from mds_engine.routing.caretaker import Caretaker
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.secret import Secret
from mds_engine.sources.contract import RequestCost, Source, SourcePlugin, VendorLogin
from mds_engine.store.credentials import CredentialStore, fingerprint
from mds_engine.store.keyring_box import KeyringUnavailableError
from mds_engine.streams.trading_hours import TradingHours
from mds_engine.wiring import make_route, make_runtime

INDIA = ZoneInfo("Asia/Kolkata")
HOUR_S = 3600.0
HOLIDAY = "2026-11-24"
"""A Tuesday."""


def wall(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=INDIA).timestamp()


def next_six(at: float) -> float:
    local = datetime.fromtimestamp(at, INDIA)
    six = local.replace(hour=6, minute=0, second=0, microsecond=0)
    return (six if local < six else six + timedelta(days=1)).timestamp()


class KeyedSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    app: Secret = Secret("app")
    token: Secret = Secret()


class Broker:
    """The far end: honours a token until the next 06:00 after it was given."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.given: dict[str, float] = {}
        self.is_down = False
        self.honours_for_ever = False
        self.checks = 0

    def give(self, token: str) -> str:
        self.given[token] = self.clock.wall()
        return token

    def check(self, token: str) -> None:
        self.checks += 1
        if self.is_down:
            raise Unavailable("down for maintenance")
        since = self.given.get(token)
        if since is None or (not self.honours_for_ever and next_six(since) <= self.clock.wall()):
            raise AuthRequired("the token has expired")


class BrokersSource(Source):
    capabilities = frozenset({Capability.QUOTE})

    def __init__(self, broker: Broker, settings: KeyedSettings) -> None:
        self.broker = broker
        self.settings = settings

    def limits(self):
        return {"default": (LimitWindow(1000, 1.0),)}

    def cost(self, capability, instruments):
        return RequestCost()

    def serves(self, capability, instrument):
        return instrument.exchange == "NSE"

    async def connect(self) -> None:
        if not self.settings.token:
            raise AuthRequired("log in first")

    async def close(self) -> None:
        pass

    async def check(self) -> None:
        self.broker.check(self.settings.token.reveal())

    def use_credentials(self, settings) -> None:
        self.settings = settings


class Clock:
    def __init__(self, virtual, begin: str) -> None:
        self._virtual = virtual
        self._begin = wall(begin)

    def now(self) -> float:
        return self._virtual.now()

    def wall(self) -> float:
        return self._begin + self._virtual.now()

    def skip_to(self, moment: str) -> None:
        """It is that time now, and nobody saw the time between."""
        self._begin += wall(moment) - self.wall()

    async def sleep(self, seconds: float) -> None:
        await self._virtual.sleep(seconds)


class MovedClock:
    """Time that passes when somebody sleeps: for scenes with threads, which no virtual loop awaits."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        await asyncio.sleep(0)


def really(scene):
    return asyncio.run(scene(MovedClock()))


class NoKeyring:
    def put(self, name, text):
        raise KeyringUnavailableError("none")

    get = put


async def calendar(first, last, names):
    """Weekdays from 09:15 to 15:30, but for the holiday."""
    days = []
    day = first
    while day <= last:
        opens = wall(f"{day}T09:15")
        is_closed = day.weekday() >= 5 or str(day) == HOLIDAY
        days.append((str(day), [] if is_closed else [(opens, opens + 22_500.0)]))
        day += timedelta(days=1)
    return dict.fromkeys(names, days)


class Desk:
    """One source that one logs in at, on the route NSE/quote."""

    def __init__(self, virtual, begin: str, *, file=None, broker=None, ends_at=next_six, **settings) -> None:
        self.clock = clock = Clock(virtual, begin)
        self.broker = broker or Broker(clock)
        self.broker.clock = clock
        self.file = file
        self.events = []
        login = VendorLogin(
            brings="the code",
            account=("app",),
            gives=("token",),
            missing=lambda given: "" if given.app else "put app under [sources.…]",
            page=lambda given: f"https://broker.example/login?app={given.app.reveal()}",
            exchange=self._exchange,
            ends_at=ends_at,
            honoured_s=HOUR_S,
        )
        self.plugin = plugin = SourcePlugin(
            kind="broker",
            title="Broker",
            settings=KeyedSettings,
            create=lambda given, _context: BrokersSource(self.broker, given),
            login=login,
        )
        self.config = config = Config(
            sources={"desk": KeyedSettings(kind="broker", **settings)},
            exchanges={"NSE": ExchangeSettings(sources=("desk",))},
        )
        self.runtime = make_runtime(
            "desk",
            config.sources["desk"],
            config,
            {"broker": plugin},
            clock=clock,
            emit=self.events.append,
            random=random.Random(1),
        )
        sources = {"desk": self.runtime}
        key = RouteKey(Capability.QUOTE, "NSE")
        self.hours = TradingHours(clock, load=calendar)
        caretaker = Caretaker(clock=clock, sweeper=DeadlineSweeper(asyncio.get_running_loop()))
        self.store = None if file is None else CredentialStore(file, "engine", NoKeyring())
        self.logins = Logins(
            sources,
            {key: make_route(key, config, sources)},
            {"broker": plugin},
            clock=clock,
            emit=self.events.append,
            hours=self,
            checker=caretaker,
            kept=KeptLogins(self.store),
            ahead_s=lambda: HOUR_S,
        )
        self.exchange_fails: Exception | None = None
        self.used: set[str] = set()

    async def _exchange(self, _settings, answer):
        await self.clock.sleep(0.1)
        if self.exchange_fails is not None:
            raise self.exchange_fails
        if answer.reveal() in self.used:
            raise AuthRequired("used already")
        self.used.add(answer.reveal())
        return {"token": Secret(self.broker.give(f"for {answer.reveal()}"))}

    def next_open(self, exchange, at):
        return self.hours.next_open(exchange, at)

    def expect(self, exchange):
        self.hours.expect([exchange])

    async def pass_until(self, moment: str) -> None:
        """A look a minute, as the task does every few seconds."""
        await self.hours.prepare(["NSE"])
        while self.clock.wall() < wall(moment):
            await self.clock.sleep(min(60.0, wall(moment) - self.clock.wall()))
            await self.logins.look()

    @property
    def token(self) -> str:
        return self.runtime.settings.token.reveal()

    def said(self, since: int = 0) -> list[tuple[str, float, bool]]:
        """What was said of logins that are needed: why, the hours until the open, whether that is soon."""
        return [
            (event.why, round(event.opens_in_s / HOUR_S, 1), event.soon)
            for event in self.events[since:]
            if isinstance(event, events.LoginNeeded)
        ]

    def forget(self) -> None:
        self.events.clear()


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


# --- Which credentials a source goes by -----------------------------------------------------------------


def after_a_restart(tmp_path, *, configured: str, then: str, begin: str, app: str = "app"):
    """Log in on Friday morning with `configured` in the file; start again at `begin` with `then` in it.

    Returns the token that is gone by, and what is known of it."""
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file, token=Secret(configured))
        await desk.logins.connect(desk.runtime)
        assert "kept in" in await desk.logins.log_in(desk.runtime, Secret("friday"))
        broker = desk.broker

        again = Desk(virtual, begin, file=file, broker=broker, token=Secret(then), app=Secret(app))
        await again.logins.connect(again.runtime)
        return again.token, again.logins.view(again.runtime)

    return really(scene)


@pytest.mark.parametrize(
    ("configured", "then", "used"),
    [
        ("", "", "for friday"),
        ("thursday's", "thursday's", "for friday"),  # the file is older than the login
        ("", "written since", "written since"),  # the file is newer than the login
        ("thursday's", "written since", "written since"),
        ("thursday's", "", "for friday"),
        ("thursday's", "for friday", "for friday"),  # somebody wrote the new one into the file
    ],
)
def test_the_newer_of_the_configuration_and_the_kept_login_is_used(tmp_path, configured, then, used) -> None:
    token, view = after_a_restart(tmp_path, configured=configured, then=then, begin="2026-11-20T12:00")
    assert token == used
    known = wall("2026-11-21T06:00") if used == "for friday" else None
    assert view.valid_until == known


def test_a_kept_login_that_has_ended_is_not_used_and_what_it_replaced_is_known_to_be_older(tmp_path) -> None:
    token, view = after_a_restart(
        tmp_path, configured="thursday's", then="thursday's", begin="2026-11-23T07:00"
    )
    assert token == "thursday's"
    assert view.valid_until == wall("2026-11-21T06:00"), "and that is over"


def test_a_login_of_another_account_is_left_alone(tmp_path) -> None:
    token, _ = after_a_restart(tmp_path, configured="", then="", begin="2026-11-20T12:00", app="another")
    assert token == ""


def test_a_login_of_another_process_is_taken_up_while_the_engine_runs(tmp_path) -> None:
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file)
        await desk.logins.connect(desk.runtime)
        await desk.pass_until("2026-11-20T08:31")
        before = set(desk.runtime.blocks)

        verb = Desk(virtual, "2026-11-20T08:30", file=file, broker=desk.broker)
        await verb.logins.log_in(verb.runtime, Secret("verb"))
        desk.broker.clock = desk.clock
        await desk.pass_until("2026-11-20T08:33")
        done = [event for event in desk.events if isinstance(event, events.LoggedIn)]
        return before, desk.token, set(desk.runtime.blocks), [event.kept for event in done]

    assert really(scene) == ({"login"}, "for verb", set(), ["by another process"])


def test_an_older_login_is_not_taken_up_because_another_source_has_a_new_one(tmp_path) -> None:
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file)
        await desk.logins.log_in(desk.runtime, Secret("friday"))

        again = Desk(virtual, "2026-11-20T09:00", file=file, broker=desk.broker, token=Secret("since"))
        again.broker.give("since")
        await again.logins.connect(again.runtime)
        given = again.store.find("desk", fingerprint({"app": Secret("app")}))
        again.store.keep("another source", "acc0unt", given)
        await again.pass_until("2026-11-20T09:05")
        return again.token

    assert really(scene) == "since"


def test_a_file_that_others_can_read_is_told_and_not_used(tmp_path) -> None:
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file)
        await desk.logins.log_in(desk.runtime, Secret("friday"))
        file.chmod(0o644)
        again = Desk(virtual, "2026-11-20T09:00", file=file, broker=desk.broker)
        await again.logins.connect(again.runtime)
        return again.token, again.logins.trouble

    token, trouble = really(scene)
    assert token == ""
    assert "chmod 600" in trouble


def test_a_configuration_that_comes_in_place_does_not_take_the_login_away(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30")
        await desk.logins.log_in(desk.runtime, Secret("friday"))
        desk.runtime.settings = KeyedSettings(kind="broker", timeout_s=3.0)
        await desk.pass_until("2026-11-20T08:32")
        return desk.token, desk.runtime.settings.timeout_s

    assert virtually(scene) == ("for friday", 3.0)


def test_an_adapter_that_cannot_take_a_login_is_told_and_ends_nothing(virtually, monkeypatch) -> None:
    def broken(_self, settings):
        raise RuntimeError(f"cannot use {settings.token.reveal()}")

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30")
        monkeypatch.setattr(BrokersSource, "use_credentials", broken)
        with pytest.raises(InvalidPayload) as defect:
            await desk.logins.log_in(desk.runtime, Secret("friday"))
        await desk.logins.connect(desk.runtime)
        await desk.pass_until("2026-11-20T08:35")
        return str(defect.value)

    assert virtually(scene) == "the adapter cannot take a login: RuntimeError"
