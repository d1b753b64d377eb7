"""A desk with one source that one logs in at, and the far end of it."""

import asyncio
import random
from datetime import timedelta

from mds_engine.config.schema import Config, ExchangeSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control import events
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import AuthRequired, Unavailable
from mds_engine.kept_logins import KeptLogins
from mds_engine.logins import Logins
from mds_engine.model import Capability
from mds_engine.policy.limiter import LimitWindow
from mds_engine.routing.caretaker import Caretaker
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.secret import Secret
from mds_engine.sources.contract import RequestCost, Source, SourcePlugin, VendorLogin
from mds_engine.store.credentials import CredentialStore
from mds_engine.store.keyring_box import KeyringUnavailableError
from mds_engine.streams.trading_hours import TradingHours
from mds_engine.wiring import make_route, make_runtime

from tests.engine.india import HOUR_S, next_six, wall

HOLIDAY = "2026-11-24"
"""A Tuesday."""


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
