"""How an operator's word is carried out: checked against what is, applied, answered with its reverse.

What each kind of word does is in `mds_engine.orders`; here it is sent there.
"""

from collections.abc import Awaitable, Callable, Mapping

from mds_engine.clock import Clock
from mds_engine.control import commands
from mds_engine.control.commands import Command, CommandResult
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import MdsError
from mds_engine.logins import Logins
from mds_engine.model import Instrument
from mds_engine.orders.breakers import BreakerOrders
from mds_engine.orders.finding import Finder
from mds_engine.orders.logins import LoginOrders
from mds_engine.orders.routes import RouteOrders
from mds_engine.orders.sources import Checker, Restarts, SourceOrders
from mds_engine.orders.watching import WatchOrders
from mds_engine.rehearsing import Rehearsals
from mds_engine.routing.failover import Failover
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streams.hub import TickHub


class Steering:
    """Applies commands on the engine's loop: at once, but for those that ask a vendor."""

    def __init__(
        self,
        sources: Mapping[str, SourceRuntime],
        routes: Mapping[RouteKey, Route],
        *,
        clock: Clock,
        failover: Failover,
        hub: TickHub,
        checker: Checker,
        restarter: Restarts,
        seed: Callable[[tuple[Instrument, ...]], None],
        rehearsals: Rehearsals,
        logins: Logins,
        reconfigure: Callable[[commands.ApplyConfig], Awaitable[CommandResult]],
    ) -> None:
        """`seed` puts a quote on the board for each instrument that is newly watched."""
        self._rehearsals = rehearsals
        self._reconfigure = reconfigure
        find = Finder(sources, routes)
        self._of_routes = RouteOrders(find, clock, failover)
        self._of_breakers = BreakerOrders(find, clock)
        self._of_sources = SourceOrders(find, clock, checker, restarter)
        self._of_logins = LoginOrders(find, logins)
        self._of_watching = WatchOrders(hub, seed)

    @property
    def forced_until(self) -> Mapping[tuple[str, str], float]:
        """Monotonic time at which a forced breaker of (source, capability) is automatic again; capability
        "" is the source as a whole."""
        return self._of_breakers.forced_until

    def expire_forced(self) -> list[tuple[str, str]]:
        """End the forced breakers whose time is over; returns (source, capability) of each, with capability
        "" where all of a source's ended together."""
        return self._of_breakers.expire()

    def carry_over(self, before: SourceRuntime, after: SourceRuntime | None) -> None:
        """A source is made anew, or let go (None): what operators have forced of it stays so."""
        self._of_breakers.carry_over(before, after)

    async def apply(self, command: Command) -> CommandResult:
        """Carry it out, or say in one sentence why not. Never raises for a bad command."""
        try:
            return await self._apply(command)
        except MdsError as error:
            return CommandResult(accepted=False, message=str(error))

    async def _apply(self, command: Command) -> CommandResult:  # noqa: C901 - one case a command
        match command:
            case commands.FailOver():
                return self._of_routes.fail_over(command)
            case commands.Pin():
                return self._of_routes.pin(command)
            case commands.Unpin():
                return self._of_routes.unpin(command)
            case commands.SetPriority():
                return self._of_routes.set_priority(command)
            case commands.ForceBreaker():
                return self._of_breakers.force(command)
            case commands.ResetBreaker():
                return self._of_breakers.reset(command)
            case commands.EnableSource():
                return self._of_sources.enable(command)
            case commands.RestartSource():
                return await self._of_sources.restart(command)
            case commands.SetRateLimit():
                return self._of_sources.set_rate_limit(command)
            case commands.CheckHealth():
                return await self._of_sources.check(command)
            case commands.Login():
                return await self._of_logins.log_in(command)
            case commands.Subscribe():
                return self._of_watching.subscribe(command)
            case commands.Unsubscribe():
                return self._of_watching.unsubscribe(command)
            case commands.ApplyConfig():
                return await self._reconfigure(command)
            case commands.StartDrill():
                return self._rehearsals.start(command)
            case commands.EndDrill():
                return self._rehearsals.end(command)
