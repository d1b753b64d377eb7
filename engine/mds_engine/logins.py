"""The logins of an engine's sources: what was kept is taken up, what ends is told in time.

Which credentials a source goes by, the strongest first: a login that is done
while the engine runs, here or by another process of the same state; a login
that was kept, unless the configuration has been given other credentials since;
what the configuration says. A login that has ended is no credential at all.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from mds_engine.clock import Clock
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.control.snapshot import LoginView
from mds_engine.errors import AuthRequired, InvalidPayload, InvalidRequest, SourceError, Unavailable
from mds_engine.kept_logins import KeptLogins
from mds_engine.log import get_logger
from mds_engine.policy.logins import Need, known_end, need
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.secret import Secret
from mds_engine.sources.contract import RequestCost, SourcePlugin, VendorLogin
from mds_engine.store.credentials import Credentials, fingerprint

_log = get_logger(__name__)

_FIRST_LOOK_S = 2.0
"""An engine that lives no longer, as one verb's, loads no calendars."""
_LOOK_EVERY_S = 5.0
_ASK_AGAIN_S = 300.0
"""How often at most the vendor is asked whether it still honours what should have ended."""
_EXCHANGE_WITHIN_S = 30.0
"""Longest time for an exchange, the import of a vendor's SDK on a slow machine included."""


class Hours(Protocol):
    """When exchanges trade."""

    def next_open(self, exchange: str, wall: float) -> float:
        """`wall` if it trades then, else when it next opens; epoch seconds UTC."""
        ...

    def expect(self, exchange: str) -> None:
        """It will be asked about: load what is needed."""
        ...


class Checker(Protocol):
    """Runs an active health check."""

    async def check(self, runtime: SourceRuntime) -> None:
        """Raises a SourceError if the source is not well."""
        ...


class _Standing:
    """How one source stands."""

    def __init__(self, runtime: SourceRuntime, login: VendorLogin, wall: float) -> None:
        self.runtime = runtime
        self.login = login
        settings = runtime.settings
        self.account = fingerprint({name: getattr(settings, name) for name in login.account})
        self.configured = fingerprint({name: getattr(settings, name) for name in login.gives})
        self.logged_in_at: float | None = None
        """None for credentials of the configuration: nobody knows how old they are."""
        self.used: Credentials | None = None
        """What it goes by, where that is not what the configuration says."""
        self.need: Need | None = None
        self.opens_at: float | None = None
        """When the first of its exchanges next trades; None until the first look."""
        self.told = False
        self.ask_at = wall + 60.0
        self.busy = asyncio.Lock()


class Logins:
    """One for an engine. All times that are kept are epoch seconds UTC."""

    def __init__(
        self,
        sources: Mapping[str, SourceRuntime],
        routes: Mapping[RouteKey, Route],
        plugins: Mapping[str, SourcePlugin],
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        hours: Hours,
        checker: Checker,
        kept: KeptLogins,
        ahead_s: Callable[[], float],
    ) -> None:
        """`ahead_s` is how long before an open a needed login is told, in seconds."""
        self._sources = sources
        self._routes = routes
        self._plugins = plugins
        self._clock = clock
        self._emit = emit
        self._hours = hours
        self._checker = checker
        self._kept = kept
        self._ahead_s = ahead_s
        self._standings: dict[str, _Standing] = {}
        self._began_at = clock.wall()

    # --- The life of a source -------------------------------------------------------------------------

    async def connect(self, runtime: SourceRuntime) -> None:
        """Make a source ready, with the login that was kept of it."""
        standing = self._standing(runtime)
        if standing is not None:
            await self._take_up(standing)
        await runtime.connect()

    @property
    def trouble(self) -> str:
        """Why a login that was kept cannot be used, in one sentence; empty while nothing is wrong."""
        return self._kept.trouble

    async def run(self) -> None:
        """Watch what ends. Ends only by cancellation."""
        await self._clock.sleep(_FIRST_LOOK_S)
        while True:
            await self.look()
            await self._clock.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Once: what was kept by others, what has ended, what is to be told."""
        elsewhere = self._kept.has_news()
        for runtime in list(self._sources.values()):
            standing = self._standing(runtime)
            if standing is None or "disabled" in runtime.blocks:
                continue
            try:
                if elsewhere:
                    await self._take_up_elsewhere(standing)
                await self._mind(standing)
            except InvalidPayload as error:
                _log.warning("login_not_taken_up", source=runtime.name, why=error.message)

    def view(self, runtime: SourceRuntime) -> LoginView | None:
        """How it stands, for a snapshot; None for a source that one cannot log in at."""
        standing = self._standing(runtime)
        if standing is None:
            return None
        wall, until = self._clock.wall(), self._until(standing)
        opens_at = standing.opens_at
        soon = standing.need is not None and standing.need.soon
        return LoginView(
            needed="login" in runtime.blocks or soon,
            valid_until=until,
            expires_in_s=None if until is None else until - wall,
            opens_in_s=None if opens_at is None else max(0.0, opens_at - wall),
            brings=standing.login.brings,
            lasts=opens_at is None or standing.login.ends_at(wall) > opens_at,
        )

    # --- What an operator does ------------------------------------------------------------------------

    def page(self, runtime: SourceRuntime) -> str:
        """The address at which to log in. Raises InvalidRequest where nobody can, with the remedy."""
        return self._ready(runtime).login.page(runtime.settings)

    async def log_in(self, runtime: SourceRuntime, answer: Secret) -> str:
        """Exchange what the operator brought, keep it, go on with it; returns what became of it, in words.

        Raises InvalidRequest, or the SourceError of a vendor that refused it.
        """
        standing = self._ready(runtime)
        if standing.busy.locked():
            raise InvalidRequest(f"{runtime.name} is being logged in already; wait for that")
        async with standing.busy:
            values = await self._exchange(standing, answer)
            wall = self._clock.wall()
            given = Credentials(
                values=values,
                at=wall,
                until=standing.login.ends_at(wall),
                instead_of=standing.configured,
            )
            kept = await self._kept.keep(runtime.name, standing.account, given)
            trouble = await self._go_on(standing, given, kept)
        lasts = f"{runtime.name} is logged in for {_hours(given.until - wall)}, {kept}"
        return f"{lasts}; but {trouble}" if trouble else lasts

    def _ready(self, runtime: SourceRuntime) -> _Standing:
        standing = self._standing(runtime)
        if standing is None:
            able = [name for name, other in self._sources.items() if self._standing(other) is not None]
            names = f"one logs in at {', '.join(able)}" if able else "no source here does"
            raise InvalidRequest(f"{runtime.name} needs no login that ends; {names}")
        missing = standing.login.missing(runtime.settings)
        if missing:
            raise InvalidRequest(missing.replace("[sources.…]", f"[sources.{runtime.name}]"))
        return standing

    async def _exchange(self, standing: _Standing, answer: Secret) -> dict[str, Secret]:
        runtime = standing.runtime
        group = RequestCost().group
        await runtime.pay(RequestCost(group if group in runtime.limiters else next(iter(runtime.limiters))))
        try:
            async with asyncio.timeout(_EXCHANGE_WITHIN_S):
                return dict(await standing.login.exchange(runtime.settings, answer))
        except TimeoutError:
            raise Unavailable(f"the login was not done within {_EXCHANGE_WITHIN_S:g} s") from None
        except (SourceError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  a plug-in's bug; its words may hold the answer
            raise InvalidPayload(f"the adapter failed at the login: {type(error).__name__}") from None

    # --- What was kept --------------------------------------------------------------------------------

    async def _take_up(self, standing: _Standing) -> None:
        kept = await self._kept.last(standing.runtime.name, standing.account)
        if kept is None or kept.values.keys() != set(standing.login.gives):
            return
        if standing.configured not in ("", kept.instead_of, fingerprint(kept.values)):
            _log.info("login_passed_over", source=standing.runtime.name, why="the configuration is newer")
            return
        standing.logged_in_at = kept.at
        if kept.until > self._clock.wall():
            try:
                self._use(standing, kept)
            except InvalidPayload as error:
                _log.warning("login_not_taken_up", source=standing.runtime.name, why=error.message)

    async def _take_up_elsewhere(self, standing: _Standing) -> None:
        """Another process may have logged in, as `mds-tui login` does."""
        source, account = standing.runtime.name, standing.account
        kept = await self._kept.written(source, account)
        since = max(self._began_at, standing.logged_in_at or 0.0)
        if kept is not None and kept.at > since and kept.until > self._clock.wall():
            self._kept.remember(source, account, kept)
            trouble = await self._go_on(standing, kept, "by another process")
            if trouble:
                _log.warning("login_taken_up", source=source, but=trouble)

    def _use(self, standing: _Standing, credentials: Credentials) -> None:
        runtime = standing.runtime
        runtime.settings = msgspec.structs.replace(runtime.settings, **credentials.values)
        try:
            runtime.source.use_credentials(runtime.settings)
        except Exception as error:  # noqa: BLE001  a plug-in's bug; its words may hold the credentials
            raise InvalidPayload(f"the adapter cannot take a login: {type(error).__name__}") from None
        standing.logged_in_at = credentials.at
        standing.used = credentials

    async def _go_on(self, standing: _Standing, given: Credentials, kept: str) -> str:
        """Use it at once; returns what is wrong with the source all the same, empty if it is well."""
        runtime = standing.runtime
        self._use(standing, given)
        self._emit(events.LoggedIn(source=runtime.name, until=given.until, kept=kept))
        standing.told = False
        if "disabled" in runtime.blocks:
            runtime.unblock("login")
            return "it is out of service"
        if not await runtime.until_connected(runtime.timeout_s):
            return "it is still connecting"
        await runtime.connect()
        try:
            await self._checker.check(runtime)
        except SourceError as error:
            if not isinstance(error, AuthRequired):
                runtime.unblock("login")  # it is ill, but that is not for want of a login
            return error.message
        return ""

    # --- What ends ------------------------------------------------------------------------------------

    async def _mind(self, standing: _Standing) -> None:
        runtime, wall = standing.runtime, self._clock.wall()
        used = standing.used
        if used is not None and any(
            getattr(runtime.settings, name) != secret for name, secret in used.values.items()
        ):
            self._use(standing, used)  # another configuration came in place, and knows nothing of it
        for exchange in self._exchanges(runtime):
            self._hours.expect(exchange)
        until = self._until(standing)
        if self._is_doubtful(standing, until) and wall >= standing.ask_at:
            standing.ask_at = wall + _ASK_AGAIN_S
            await self._ask(runtime)
            until, wall = self._until(standing), self._clock.wall()
        standing.opens_at = self._next_open(runtime, wall)
        refused = "login" in runtime.blocks
        standing.need = now_needed = self._need(standing, refused=refused)
        if now_needed is None or not now_needed.soon:
            standing.told = False
        elif not refused and self._has_ended(standing, until):
            assert until is not None
            runtime.booking.needs_login(f"the login ended {_hours(wall - until)} ago")
        elif not standing.told:
            why = (
                runtime.blocks["login"].why.removeprefix("login needed: ")
                if refused
                else _ending(until, wall)
            )
            self._tell(runtime, why)

    def _is_doubtful(self, standing: _Standing, until: float | None) -> bool:
        runtime = standing.runtime
        if runtime.blocks or runtime.connecting is not None:
            return False
        return until is None or until <= self._clock.wall()

    def _has_ended(self, standing: _Standing, until: float | None) -> bool:
        """Whether it should have ended, and the vendor has honoured it no more since."""
        if until is None or until > self._clock.wall():
            return False
        proven_at = self._proven_at(standing.runtime)
        return proven_at is None or proven_at < until

    async def _ask(self, runtime: SourceRuntime) -> None:
        """The vendor's word is worth more than the clock's."""
        try:
            await self._checker.check(runtime)
        except SourceError as error:
            _log.info("check_failed", source=runtime.name, why=error.message)

    def _tell(self, runtime: SourceRuntime, why: str) -> None:
        """A login is needed: say so, with how long there is until its exchange opens."""
        standing = self._standing(runtime)
        if standing is None:
            self._emit(events.LoginNeeded(source=runtime.name, why=why))
            return
        needed = self._need(standing, refused=True)
        wall = self._clock.wall()
        opens_in_s = None if needed is None else max(0.0, needed.at - wall)
        soon = needed is None or needed.soon
        standing.told = soon
        self._emit(events.LoginNeeded(source=runtime.name, why=why, opens_in_s=opens_in_s, soon=soon))

    def _need(self, standing: _Standing, *, refused: bool) -> Need | None:
        runtime = standing.runtime
        return need(
            refused=refused,
            until=self._until(standing),
            now=self._clock.wall(),
            ahead_s=self._ahead_s(),
            ends_at=standing.login.ends_at,
            next_open=lambda wall: self._next_open(runtime, wall),
        )

    def _until(self, standing: _Standing) -> float | None:
        return known_end(
            standing.login.ends_at,
            logged_in_at=standing.logged_in_at,
            proven_at=self._proven_at(standing.runtime),
            honoured_s=standing.login.honoured_s,
        )

    def _proven_at(self, runtime: SourceRuntime) -> float | None:
        checked_at = runtime.checked_at
        return None if checked_at is None else self._clock.wall() - (self._clock.now() - checked_at)

    def _next_open(self, runtime: SourceRuntime, wall: float) -> float:
        opens = (self._hours.next_open(exchange, wall) for exchange in self._exchanges(runtime))
        return min(opens, default=wall)

    def _exchanges(self, runtime: SourceRuntime) -> set[str]:
        return {
            route.key.exchange
            for route in self._routes.values()
            if any(unit.runtime is runtime for unit in route.units)
        }

    def _standing(self, runtime: SourceRuntime) -> _Standing | None:
        known = self._standings.get(runtime.name)
        if known is not None and known.runtime is runtime:
            return known
        plugin = self._plugins.get(runtime.settings.kind)
        login = None if plugin is None else plugin.login
        runtime.booking.tell_login = self._tell
        if login is None:
            return None
        standing = self._standings[runtime.name] = _Standing(runtime, login, self._clock.wall())
        return standing


def _ending(until: float | None, wall: float) -> str:
    if until is None:
        return "it is not logged in"
    if until > wall:
        return f"the login ends in {_hours(until - wall)}"
    return f"the login ended {_hours(wall - until)} ago; the vendor honours it for now"


def _hours(seconds: float) -> str:
    """`12 h 5 min`, as short as that allows."""
    minutes = max(0, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{rest} min" if not hours else f"{hours} h" + (f" {rest} min" if rest else "")
