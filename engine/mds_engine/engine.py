"""The façade: quotes, bars and ticks from whichever source is best now, with proof of why.

async with Engine(config, plugins) as engine:
    quote = await engine.quote("NSE:RELIANCE")
    print(quote.price, quote.source, quote.decision.explain())
"""

import asyncio
import random as random_module
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec
import structlog

from mds_engine.bars_answer import BarsAnswer
from mds_engine.clock import Clock, SystemClock
from mds_engine.config.schema import Config
from mds_engine.control import Command, CommandResult, Event, Snapshot, events
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import (
    AllSourcesFailedError,
    InvalidRequest,
    MdsError,
    SourceError,
    UnknownSourceError,
)
from mds_engine.event_log import EventLog
from mds_engine.model import Capability, Decision, Instrument, Interval, Quote
from mds_engine.picture import Picture
from mds_engine.policy.reconnect import ReconnectBackoff
from mds_engine.routing.caretaker import Caretaker
from mds_engine.routing.coalesce import Coalescer
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.failover import Failover
from mds_engine.routing.housekeeping import Housekeeping
from mds_engine.routing.requests import BarsCall, QuoteRequest
from mds_engine.routing.route import Route
from mds_engine.routing.router import Router
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import BarsRequest, SourcePlugin
from mds_engine.steering import Steering
from mds_engine.streams.hub import TickHub
from mds_engine.streams.reader import TickReader
from mds_engine.streams.supervisor import StreamSupervisor
from mds_engine.wiring import make_route, make_runtime

if TYPE_CHECKING:
    import pandas as pd

_log = structlog.get_logger(__name__)
T = TypeVar("T")


class Engine:
    """Owns everything that runs. Made anywhere, entered on the event loop that it shall live on."""

    def __init__(
        self,
        config: Config,
        plugins: Mapping[str, SourcePlugin],
        *,
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        """Does no I/O. `seed` makes jitter the same every time. Raises ConfigError for unknown vendors."""
        self.config = config
        self._plugins = plugins
        self._clock: Clock = clock or SystemClock()
        self._random = random_module.Random(seed)
        self._log = EventLog(self._clock.wall)
        self._routes: dict[RouteKey, Route] = {}
        self._quotes: Coalescer[Quote] = Coalescer()
        self._bars: Coalescer[BarsAnswer] = Coalescer()
        self._tasks: list[asyncio.Task[None]] = []
        self._broken: asyncio.Future[None] | None = None
        self.sources: dict[str, SourceRuntime] = {
            name: make_runtime(
                name, settings, config, plugins, clock=self._clock, emit=self._log.emit, random=self._random
            )
            for name, settings in config.sources.items()
        }
        self._failover = Failover(
            config.failback, clock=self._clock, emit=self._log.emit, moved=self._route_moved
        )
        self._hub = TickHub(config.streams, clock=self._clock, route_of=self.route)

    # --- Life -----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connect every enabled source, side by side; one that cannot is not waited for by the others."""
        loop = asyncio.get_running_loop()
        self._broken = loop.create_future()
        sweeper = self._sweeper = DeadlineSweeper(loop)
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
        caretaker = Caretaker(clock=self._clock, sweeper=sweeper)
        for route in self.config.routes:
            self.route(route.key)
        supervisors: dict[str, StreamSupervisor] = {}
        for runtime in self.sources.values():
            runtime.sweeper = sweeper
            unit = runtime.units.get(Capability.TICKS)
            if unit is not None:
                supervisors[runtime.name] = StreamSupervisor(
                    runtime,
                    unit,
                    self.config.streams,
                    ReconnectBackoff(self.config.reconnect, self._random),
                    clock=self._clock,
                    emit=self._log.emit,
                    deliver=self._hub.deliver,
                )
        self._hub.supervisors = supervisors
        self._steering = Steering(
            self.sources,
            self._routes,
            clock=self._clock,
            failover=self._failover,
            hub=self._hub,
            checker=caretaker,
            seed=self._seed_board,
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
        self._picture = Picture(self.config.engine.name, self.sources, self._routes, self._hub, self._clock)
        self._log.emit(
            events.EngineStarted(
                sources=tuple(self.sources), routes=tuple(route.text for route in self._routes.values())
            )
        )
        self._own(self._housekeeping.run(), "housekeeping")
        for runtime in self.sources.values():
            if not runtime.refusal():
                runtime.connecting = self._own(runtime.connect(), f"connect {runtime.name}")
            self._own(caretaker.watch(runtime), f"care for {runtime.name}")
        for supervisor in supervisors.values():
            self._own(supervisor.run(), f"stream of {supervisor.runtime.name}")
        watched = self._hub.watch(self.config.console.watched)
        self._seed_board(watched)

    async def stop(self) -> None:
        """End every task, close every source. Safe to call twice."""
        self._hub.close_readers()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks:
            return
        closing = (runtime.source.close() for runtime in self.sources.values())
        for name, outcome in zip(
            self.sources, await asyncio.gather(*closing, return_exceptions=True), strict=True
        ):
            if isinstance(outcome, Exception):
                _log.warning("close_failed", source=name, error=str(outcome))
        self._sweeper.close()
        self._log.emit(events.EngineStopped())

    async def wait_broken(self) -> None:
        """Wait for a defect of the engine itself: ends only by raising it, or by cancellation."""
        assert self._broken is not None, "the engine was not started"
        await self._broken

    def _own(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)
        return task

    def _task_ended(self, task: "asyncio.Future[None]") -> None:
        if task.cancelled() or task.exception() is None or self._broken is None or self._broken.done():
            return
        error = task.exception()
        assert error is not None
        _log.error("engine_task_died", exc_info=error)
        self._broken.set_exception(error)

    # --- Data -----------------------------------------------------------------------------------------

    async def quote(
        self, instrument: str | Instrument, *, source: str | None = None, deadline_s: float | None = None
    ) -> Quote:
        """The latest quote of `EXCHANGE:SYMBOL`, with `.source` and `.decision`.

        `source` asks that source and no other; `deadline_s` (seconds) stands in
        for the configured one. Raises InvalidRequest, UnknownSourceError, or
        AllSourcesFailedError with every attempt.
        """
        asked = Instrument.parse(instrument) if isinstance(instrument, str) else instrument
        deadline = self._deadline(deadline_s)
        key = RouteKey(Capability.QUOTE, asked.exchange)
        return await self._together(
            self._quotes, (asked, source), key, deadline, lambda: self._quote(asked, source, deadline)
        )

    async def _quote(self, instrument: Instrument, source: str | None, deadline: float) -> Quote:
        route = self.route(RouteKey(Capability.QUOTE, instrument.exchange))
        request = QuoteRequest((instrument,))
        found, unit, decision = await self._router.call(
            route, request, deadline=deadline, only=self._only(route, source)
        )
        return _signed(found[instrument], unit, decision)

    async def quotes(
        self,
        instruments: Iterable[str | Instrument],
        *,
        source: str | None = None,
        deadline_s: float | None = None,
    ) -> dict[str, Quote]:
        """The latest quotes of many instruments, keyed by `EXCHANGE:SYMBOL`; the unknown ones are absent.

        What the first source does not know is asked of the next. Raises
        AllSourcesFailedError only if nothing at all was found.
        """
        asked = [Instrument.parse(item) if isinstance(item, str) else item for item in instruments]
        by_exchange: dict[str, list[Instrument]] = {}
        for instrument in dict.fromkeys(asked):
            by_exchange.setdefault(instrument.exchange, []).append(instrument)
        deadline = self._deadline(deadline_s)
        results = await asyncio.gather(
            *(self._quotes_of(group, source, deadline) for group in by_exchange.values()),
            return_exceptions=True,
        )
        found: dict[str, Quote] = {}
        failures: list[MdsError] = []
        for result in results:
            if isinstance(result, AllSourcesFailedError):
                failures.append(result)
            elif isinstance(result, BaseException):
                raise result
            else:
                found.update(result)
        if failures and not found:
            raise failures[0]
        return {str(item): found[str(item)] for item in asked if str(item) in found}

    async def _quotes_of(
        self, instruments: list[Instrument], source: str | None, deadline: float
    ) -> dict[str, Quote]:
        route = self.route(RouteKey(Capability.QUOTE, instruments[0].exchange))
        found: dict[str, Quote] = {}
        missing = tuple(instruments)
        only = self._only(route, source)
        for candidate in (only,) if only is not None else (None, *route.order[1:]):
            try:
                answer, unit, decision = await self._router.call(
                    route, QuoteRequest(missing), deadline=deadline, only=candidate
                )
            except AllSourcesFailedError:
                if not found and candidate is None:
                    raise
                continue
            for instrument, quote in answer.items():
                found[str(instrument)] = _signed(quote, unit, decision)
            missing = tuple(instrument for instrument in missing if str(instrument) not in found)
            if not missing:
                break
        return found

    async def fetch_bars(
        self,
        instrument: str | Instrument,
        interval: str | Interval,
        start: datetime,
        end: datetime,
        *,
        source: str | None = None,
        deadline_s: float | None = None,
    ) -> BarsAnswer:
        """Bars that open in [start, end), as columns, straight from the source. Both times bear a time zone."""
        asked = Instrument.parse(instrument) if isinstance(instrument, str) else instrument
        step = Interval.parse(interval) if not isinstance(interval, Interval) else interval
        if start.tzinfo is None or end.tzinfo is None:
            raise InvalidRequest("start and end need a time zone, as datetime(2026, 1, 2, tzinfo=UTC)")
        if start >= end:
            raise InvalidRequest(
                f"the start {start:%Y-%m-%d %H:%M} is not before the end {end:%Y-%m-%d %H:%M}"
            )
        request = BarsRequest(asked, step, _epoch_ns(start), _epoch_ns(end))
        deadline = self._deadline(self.config.engine.bars_deadline_s if deadline_s is None else deadline_s)
        call = BarsCall(request)
        key = RouteKey(Capability.BARS, asked.exchange)

        async def ask() -> BarsAnswer:
            route = self.route(key)
            bars, unit, decision = await self._router.call(
                route, call, deadline=deadline, only=self._only(route, source)
            )
            return BarsAnswer(bars, unit.name, decision)

        return await self._together(self._bars, (request, source), key, deadline, ask)

    async def bars(
        self,
        instrument: str | Instrument,
        interval: str | Interval,
        start: datetime,
        end: datetime,
        *,
        source: str | None = None,
        deadline_s: float | None = None,
    ) -> "pd.DataFrame":
        """Like `fetch_bars`, as a DataFrame (UTC index `time`) with `source` and `decision` in `df.attrs`."""
        answer = await self.fetch_bars(instrument, interval, start, end, source=source, deadline_s=deadline_s)
        return await asyncio.to_thread(answer.to_frame)

    def ticks(self, instruments: Iterable[str | Instrument]) -> TickReader:
        """Live ticks: `async with engine.ticks(["NSE:INFY"]) as ticks: async for tick in ticks: ...`."""
        asked = [Instrument.parse(item) if isinstance(item, str) else item for item in instruments]
        return self._hub.reader(asked)

    # --- Control --------------------------------------------------------------------------------------

    async def apply(self, command: Command) -> CommandResult:
        """Carry out an operator's word, and write down what became of it. Never raises for a bad command."""
        result = await self._steering.apply(command)
        if result.accepted:
            self._log.emit(
                events.CommandApplied(command=command, message=result.message, reverse=result.reverse)
            )
            self._housekeeping.settle()
        else:
            self._log.emit(events.CommandRefused(command=command, message=result.message))
        return result

    def snapshot(self, *, loop_lag_ms: float = 0.0) -> Snapshot:
        """A picture of everything now."""
        return self._picture.take(loop_lag_ms=loop_lag_ms, last_event=self._log.last_number)

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

    def _deadline(self, deadline_s: float | None) -> float:
        return self._clock.now() + (self.config.engine.deadline_s if deadline_s is None else deadline_s)

    def _only(self, route: Route, source: str | None) -> Unit | None:
        if source is None:
            return None
        runtime = self.sources.get(source)
        if runtime is None:
            raise UnknownSourceError(f"there is no source {source!r}; known are {', '.join(self.sources)}")
        unit = runtime.units.get(route.key.capability)
        if unit is None:
            raise InvalidRequest(f"{source} does not serve {route.key.capability.value}")
        return unit

    async def _together(
        self,
        flights: Coalescer[T],
        subject: tuple[object, ...],
        key: RouteKey,
        deadline: float,
        call: Callable[[], Awaitable[T]],
    ) -> T:
        """One call for all that ask the same at the same time."""
        try:
            return await flights.run(subject, call, deadline=deadline, now=self._clock.now)
        except TimeoutError:
            decision = Decision(0, str(key), str(subject[0]), self._clock.wall(), 0.0, None, ())
            raise AllSourcesFailedError(
                f"the call for {subject[0]} that this one shared was not answered by its deadline",
                decision=decision,
            ) from None

    def _route_moved(self, route: Route) -> None:
        if route.key.capability is Capability.TICKS:
            self._hub.assign()

    def _seed_board(self, instruments: tuple[Instrument, ...]) -> None:
        """Put a quote on the board for each instrument newly watched: ticks may lack a previous close."""
        if instruments:
            self._own(self._seed(instruments), "seed the board")

    async def _seed(self, instruments: tuple[Instrument, ...]) -> None:
        try:
            found = await self.quotes(instruments)
        except AllSourcesFailedError as error:
            _log.info("board_not_seeded", why=str(error))
            return
        now = self._clock.now()
        for quote in found.values():
            self._hub.board.seed(quote, now)


def _signed(quote: Quote, unit: Unit, decision: Decision) -> Quote:
    """The quote with its source and decision. It is fresh from the decoder, and nobody else has it yet."""
    msgspec.structs.force_setattr(quote, "source", unit.name)
    msgspec.structs.force_setattr(quote, "decision", decision)
    return quote


def _epoch_ns(moment: datetime) -> int:
    """UTC nanoseconds since the epoch, exact to the microsecond."""
    return (moment - _EPOCH) // _MICROSECOND * 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
