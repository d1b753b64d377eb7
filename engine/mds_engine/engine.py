"""The façade: quotes, bars and ticks from whichever source is best now, with proof of why.

async with Engine(config, plugins) as engine:
    quote = await engine.quote("NSE:RELIANCE")
    print(quote.price, quote.source, quote.decision.explain())
"""

import asyncio
import random as random_module
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import msgspec

from mds_engine.answering import Answering
from mds_engine.applying import Applying
from mds_engine.asking import Asking
from mds_engine.clock import Clock, SystemClock
from mds_engine.config.difference import Difference
from mds_engine.config.file import ConfigFile
from mds_engine.config.schema import Config
from mds_engine.control import Command, CommandResult, Event, Snapshot, events
from mds_engine.control.commands import ApplyConfig, on_record
from mds_engine.control.route_key import RouteKey
from mds_engine.event_log import EventLog
from mds_engine.keeping import Keeper
from mds_engine.kept_logins import KeptLogins, credentials_of
from mds_engine.log import get_logger
from mds_engine.logins import Logins
from mds_engine.model import Capability
from mds_engine.picture import Picture
from mds_engine.reconfiguring import Parts, Reconfiguring
from mds_engine.recording.recorder import Recorder
from mds_engine.refitting import keep_counting
from mds_engine.rehearsing import Grounds, NoRehearsals, Rehearsals
from mds_engine.restarting import Restarter
from mds_engine.routing.caretaker import Caretaker
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.failover import Failover
from mds_engine.routing.housekeeping import Housekeeping
from mds_engine.routing.route import Route
from mds_engine.routing.router import Router
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.seeding import Seeding
from mds_engine.sharing import Sharing
from mds_engine.sources.contract import SourcePlugin
from mds_engine.steering import Steering
from mds_engine.store.records import RETENTION_S, Override, Records
from mds_engine.store.sqlite import Store, StoreError
from mds_engine.streaming import Streaming
from mds_engine.tasks import Tasks
from mds_engine.upkeep import Upkeep, close_adapters
from mds_engine.wiring import make_route, make_runtime

_log = get_logger(__name__)


class Engine(Answering):
    """Owns everything that runs. Made anywhere, entered on the event loop that it shall live on."""

    def __init__(
        self,
        config: Config,
        plugins: Mapping[str, SourcePlugin],
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        recorder: Recorder | None = None,
        rehearsals: Callable[[Grounds], Rehearsals] = NoRehearsals,
        file: ConfigFile | None = None,
        lasts: bool = True,
    ) -> None:
        """Does no I/O. `seed` makes jitter the same every time. Raises ConfigError for unknown vendors.

        A `recorder` takes the raw frames of all streams while the engine runs;
        `rehearsals` makes what runs the drills that an operator asks for; `file` is
        where `config` came from, to be read again when an operator says so. One that
        `lasts` tells if another process runs an engine on the same state; one that
        is asked a question and ended is nobody's rival.
        """
        self.config = config
        self._plugins = plugins
        self._clock: Clock = clock or SystemClock()
        self._random = random_module.Random(seed)
        self._log = EventLog(self._clock.wall)
        self._routes: dict[RouteKey, Route] = {}
        self._tasks = Tasks()
        self._sweeper: DeadlineSweeper | None = None
        self.sources: dict[str, SourceRuntime] = {name: self._make(name, config) for name in config.sources}
        self._failover = Failover(
            config.failback, clock=self._clock, emit=self._log.emit, moved=self._route_moved
        )
        self._streaming = Streaming(
            config,
            self.sources,
            self._routes,
            clock=self._clock,
            random=self._random,
            emit=self._log.emit,
            own=self._tasks.own,
            route_of=self.route,
            reconsider=self._failover.reconsider,
        )
        self._hub = self._streaming.hub
        self._rehearsals = rehearsals(
            Grounds(
                lambda: self.config,
                self.sources,
                self._routes,
                self._clock,
                self._log,
                self._hub,
                self._tasks.own,
            )
        )
        self._recorder = recorder
        self._file = file
        self._store: Store | None = None
        self._keeper: Keeper | None = None
        self._sharing: Sharing | None = None
        self._lasts = lasts
        self._trouble = ""

    def follow(self, before: "Engine") -> None:
        """Take the place of an engine of this process that has ended, before the start: what that one was
        sent still counts in the vendors' windows."""
        for name, fresh in self.sources.items():
            old = before.sources.get(name)
            if old is not None and old.settings.kind == fresh.settings.kind:
                keep_counting(fresh, old, self.config)

    # --- Life -----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connect every enabled source, side by side; one that cannot is not waited for by the others."""
        self._tasks.begin()
        sweeper = self._sweeper = DeadlineSweeper(asyncio.get_running_loop())
        self._router = Router(
            clock=self._clock,
            sweeper=sweeper,
            retry=self.config.retry,
            panic=self.config.panic,
            failback=self.config.failback,
            hedging=self.config.hedging,
            random=self._random,
            failover=self.config.engine.failover_enabled,
            on_answer=self._failover.answered,
            on_failure=self._failover.all_failed,
        )
        self._asking = Asking(
            self._router,
            self.sources,
            route_of=self.route,
            clock=self._clock,
            deadline_s=self.config.engine.deadline_s,
            bars_deadline_s=self.config.engine.bars_deadline_s,
        )
        self._seeding = Seeding(self._asking, self._hub.board, self._clock, self._tasks.own)
        caretaker = Caretaker(clock=self._clock, sweeper=sweeper)
        for route in self.config.routes:
            self.route(route.key)
        for runtime in self.sources.values():
            runtime.sweeper = sweeper
        self._streaming.supervise()
        self._logins = Logins(
            self.sources,
            self._routes,
            self._plugins,
            clock=self._clock,
            emit=self._log.emit,
            hours=self._streaming,
            checker=caretaker,
            kept=KeptLogins(credentials_of(self.config.engine)),
            ahead_s=lambda: self.config.engine.login_ahead_s,
        )
        self._steering = Steering(
            self.sources,
            self._routes,
            clock=self._clock,
            failover=self._failover,
            hub=self._hub,
            checker=caretaker,
            seed=self._seeding.seed,
            restarter=Restarter(self._plugins, self._hub, self._clock, self._tasks.own),
            rehearsals=self._rehearsals,
            logins=self._logins,
            reconfigure=self._reapply,
        )
        self._housekeeping = Housekeeping(
            self.sources,
            self._routes,
            clock=self._clock,
            failover=self._failover,
            hub=self._hub,
            steering=self._steering,
            hedge_quantile=self.config.hedging.quantile,
            emit=self._log.emit,
        )
        self._picture = Picture(
            self.config.engine.name,
            self.sources,
            self._routes,
            self._hub,
            self._clock,
            forced_until=self._steering.forced_until,
            login_of=self._logins.view,
        )
        if self._recorder is not None:
            self._recorder.attach(self.config.engine.name, self.sources.values())
        standing = await self._open_store()
        self._log.emit(
            events.EngineStarted(
                sources=tuple(self.sources), routes=tuple(route.text for route in self._routes.values())
            )
        )
        for override in standing:
            await self._take_up(override)
        self._tasks.own(self._housekeeping.run(), "housekeeping")
        self._upkeep = Upkeep(self._tasks.own, caretaker, self._streaming, self._logins)
        self._tasks.own(self._logins.run(), "logins")
        self._applying = self._make_applying()
        self._streaming.start()
        for runtime in self.sources.values():
            self._upkeep.begin(runtime)
        self._seeding.seed(self._hub.watch(self.config.console.watched))

    async def stop(self) -> None:
        """End every task, close every source. Safe to call twice."""
        self._hub.close_readers()
        if not await self._tasks.end() or self._sweeper is None:
            return
        for runtime in self.sources.values():
            runtime.block("stopped", "the engine was stopped")
        self._sweeper.close()
        await close_adapters(self.sources.values())
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)
        self._log.emit(events.EngineStopped())
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        if self._sharing is not None:
            self._sharing.end()

    async def _open_store(self) -> list[Override]:
        """Take up what was kept; returns the standing words. Without its store an engine runs too."""
        path = self.config.engine.state_file()
        if path == ":memory:":
            return []
        try:
            self._store = await asyncio.to_thread(Store.open, Path(path), RETENTION_S)
        except StoreError as error:
            self._trouble = f"nothing is kept over a restart: {error}"
            _log.warning("no_store", why=str(error))
            return []
        if self._lasts:
            self._sharing = Sharing(Path(path), self._clock)
            await self._sharing.look()
            self._tasks.own(self._sharing.run(), "sharing")
        self._keeper = Keeper(Records(self._store), self.sources, self._clock)
        standing = self._keeper.restore()
        self._log.listen(self._keeper.listen)
        return standing

    async def wait_broken(self) -> None:
        """Wait for a defect of the engine itself: ends only by raising it, or by cancellation."""
        await self._tasks.wait_broken()

    # --- Control --------------------------------------------------------------------------------------

    async def apply(self, command: Command) -> CommandResult:
        """Carry out an operator's word, and write down what became of it. Never raises for a bad command."""
        result = await self._steering.apply(command)
        command = on_record(command)
        if result.accepted:
            self._log.emit(
                events.CommandApplied(command=command, message=result.message, reverse=result.reverse)
            )
            self._housekeeping.settle()
            self._streaming.look_again(getattr(command, "source", None) or getattr(command, "to", None) or "")
        else:
            self._log.emit(events.CommandRefused(command=command, message=result.message))
        if self._keeper is not None:
            try:
                await self._keeper.committed()
            except StoreError as error:
                return msgspec.structs.replace(result, message=f"{result.message}, but not kept: {error}")
        return result

    async def reconfigure(self, config: Config, *, by: str = "operator") -> Difference:
        """Go by another configuration from now on, all of it or nothing; only what changed is touched.

        Raises ConfigError if it cannot be used, InvalidRequest during a drill.
        """
        return await self._applying.take(config, by=by)

    async def _take_up(self, standing: Override) -> None:
        """A command that was standing before the restart stands again, and is told so."""
        result = await self._steering.apply(standing.command)
        if result.accepted:
            message = f"kept over the restart: {result.message}"
            self._log.emit(
                events.CommandApplied(command=standing.command, message=message, reverse=standing.reverse)
            )

    def snapshot(self, *, loop_lag_ms: float = 0.0) -> Snapshot:
        """A picture of everything now."""
        picture = self._picture.take(
            loop_lag_ms=loop_lag_ms,
            last_event=self._log.last_number,
            trouble=(self._store.failure if self._store else None)
            or self._trouble
            or self._logins.trouble
            or (self._sharing.trouble if self._sharing else None)
            or (self._recorder.failure if self._recorder else None)
            or "",
        )
        drill = self._rehearsals.view()
        return picture if drill is None else msgspec.structs.replace(picture, drill=drill)

    def events(self, after: int = 0) -> tuple[Event, ...]:
        """Events with a number above `after`, oldest first. Safe from any thread."""
        return self._log.after(after)

    def route(self, key: RouteKey) -> Route:
        """The route of that key, made when it is first needed."""
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = make_route(key, self.config, self.sources)
        return route

    # --- Inside ---------------------------------------------------------------------------------------

    def _make(self, name: str, config: Config) -> SourceRuntime:
        """A source as `config` has it. Raises ConfigError."""
        runtime = make_runtime(
            name,
            config.sources[name],
            config,
            self._plugins,
            clock=self._clock,
            emit=self._log.emit,
            random=self._random,
        )
        runtime.sweeper = self._sweeper
        return runtime

    async def _reapply(self, command: ApplyConfig) -> CommandResult:
        return await self._applying.apply(command)

    def _make_applying(self) -> Applying:
        def use(config: Config) -> None:
            self.config = config

        parts = Parts(
            plugins=self._plugins,
            make=self._make,
            sources=self.sources,
            routes=self._routes,
            route_of=self.route,
            router=self._router,
            asking=self._asking,
            failover=self._failover,
            housekeeping=self._housekeeping,
            steering=self._steering,
            streaming=self._streaming,
            upkeep=self._upkeep,
            seed=self._seeding.seed,
            keeper=self._keeper,
            recorder=self._recorder,
        )
        return Applying(
            Reconfiguring(parts, use),
            in_force=lambda: self.config,
            rehearsing=lambda: self._rehearsals.view() is not None,
            emit=self._log.emit,
            file=self._file,
        )

    def _route_moved(self, route: Route) -> None:
        if route.key.capability is Capability.TICKS:
            self._hub.assign()
