"""Fixtures for the engine: a loop whose hours pass in no time, and a desk of fake vendors."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Self

import pytest
from mds_engine.config.schema import Config, EngineSettings, ExchangeSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.engine import Engine
from mds_engine.errors import InvalidRequest, MdsError, NotFound, Unavailable
from mds_engine.model import Bars, Capability, Instrument, Quote, Tick, TickKind
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.limiter import LimitWindow
from mds_engine.policy.retry import RetrySettings
from mds_engine.rehearsing import Grounds, NoRehearsals, Rehearsals
from mds_engine.sources.contract import RequestCost, Source, SourcePlugin, StreamLimits, TickStream


class VirtualClock:
    """A `Clock` on a virtual loop: wall and monotonic time run together, from a fixed start."""

    START_WALL = 1_750_000_000.0

    def __init__(self, loop: "VirtualTimeLoop") -> None:
        self._loop = loop

    def now(self) -> float:
        return self._loop.time()

    def wall(self) -> float:
        return self.START_WALL + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, moves the loop's time on to when something is due."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("the virtual loop waits for something that nobody will do")
            self.loop.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer whenever nothing is ready."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self._virtual_now = 0.0
        super().__init__(selector)
        self.clock = VirtualClock(self)

    def time(self) -> float:
        return self._virtual_now

    def advance(self, seconds: float) -> None:
        self._virtual_now += max(seconds, self._clock_resolution) if seconds > 0 else 0.0


@pytest.fixture
def virtually() -> Callable[[Callable[[VirtualClock], Coroutine[Any, Any, Any]]], Any]:
    """Run `async def scene(clock)` on a virtual loop, and return what it returns."""

    def run(scene: Callable[[VirtualClock], Coroutine[Any, Any, Any]]) -> Any:
        loop = VirtualTimeLoop()
        try:
            return loop.run_until_complete(scene(loop.clock))
        finally:
            loop.close()

    return run


class FakeVendor:
    """The far end of one fake source: a test says what it does, and looks at what reached it."""

    def __init__(self, name: str, clock: Any) -> None:
        self.name = name
        self.clock = clock
        self.price = 100.0
        self.takes_s = 0.01
        self.reached_in_s = 0.0
        """How long a data call is on its way before it comes in."""
        self.fails: Callable[[], BaseException] | None = None
        """Makes what every call raises; None while all is well."""
        self.hangs = False
        self.check_fails: Callable[[], BaseException] | None = None
        self.connect_fails: Callable[[], BaseException] | None = None
        self.connect_takes_s = 0.0
        self.unknown: set[str] = set()
        """Symbols that it does not have."""
        self.asked: list[float] = []
        """When each data call came in."""
        self.subjects: list[tuple[str, ...]] = []
        self.checks = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.streams: list[FakeStream] = []
        self.stream_fails: Callable[[], BaseException] | None = None
        self.stream_attempts: list[float] = []
        """When each stream was opened, or was refused."""
        self.stream_opens_in_s = 0.0
        self.stream_subscribes_in_s = 0.0
        self.stream_carries_most: int | None = None
        """Beyond so many instruments a stream takes none."""
        self.unlisted: set[str] = set()
        """Symbols of which a stream that is asked for nothing else knows none."""
        self.stream_lives_s = float("inf")
        """How long after its opening each stream asks to be renewed."""

    def break_down(self, message: str = "down", *, unreachable: bool = False) -> None:
        """Fail every call and every check from now on."""
        self.fails = self.check_fails = lambda: Unavailable(message, unreachable=unreachable)

    def recover(self) -> None:
        """Be well again."""
        self.fails = self.check_fails = self.stream_fails = None
        self.hangs = False

    @property
    def stream(self) -> "FakeStream":
        """The stream that is open now."""
        return next(stream for stream in reversed(self.streams) if stream.is_open)

    @property
    def open_streams(self) -> list["FakeStream"]:
        """All that are open now, oldest first."""
        return [stream for stream in self.streams if stream.is_open]

    async def answer(self, subjects: tuple[str, ...]) -> None:
        """Take one data call: be slow, hang, or fail as the test wants it."""
        if self.reached_in_s:
            await self.clock.sleep(self.reached_in_s)
        self.asked.append(self.clock.now())
        self.subjects.append(subjects)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.clock.sleep(1e9 if self.hangs else self.takes_s)
            if self.fails is not None:
                raise self.fails()
        finally:
            self.in_flight -= 1


class FakeStream(TickStream):
    """A live connection to a FakeVendor."""

    def __init__(self, vendor: FakeVendor, deliver: Callable[[Any], None]) -> None:
        self.vendor = vendor
        self.deliver = deliver
        self.subscribed: set[Instrument] = set()
        self.is_open = False
        self.ended: asyncio.Future[None] | None = None

    async def open(self) -> None:
        now = self.vendor.clock.now()
        self.vendor.stream_attempts.append(now)
        if self.vendor.stream_fails is not None:
            raise self.vendor.stream_fails()
        if self.vendor.stream_opens_in_s:
            await self.vendor.clock.sleep(self.vendor.stream_opens_in_s)
        self.is_open = True
        self.renew_at = now + self.vendor.stream_lives_s
        self.ended = asyncio.get_running_loop().create_future()
        self.vendor.streams.append(self)

    async def run(self) -> None:
        await self.ended

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        new = set(instruments)
        if self.vendor.stream_subscribes_in_s:
            await self.vendor.clock.sleep(self.vendor.stream_subscribes_in_s)
        if new and all(instrument.symbol in self.vendor.unlisted for instrument in new):
            raise NotFound(f"lists no {', '.join(map(str, sorted(new)))}")
        most = self.vendor.stream_carries_most
        if most is not None and len(self.subscribed | new) > most:
            raise InvalidRequest(f"at most {most}")
        self.subscribed |= new

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        self.subscribed -= set(instruments)

    async def close(self) -> None:
        self.is_open = False

    def push(self, price: float, symbols: Iterable[str] | None = None) -> None:
        """Deliver one trade of everything that is subscribed, or of these symbols as far as they are."""
        self.deliver(
            [
                Tick(instrument=instrument, kind=TickKind.TRADE, price=price, source=self.vendor.name)
                for instrument in sorted(self.subscribed)
                if symbols is None or instrument.symbol in symbols
            ]
        )

    def end(self, error: BaseException) -> None:
        """Break the connection."""
        if not self.ended.done():
            self.ended.set_exception(error)


class FakeSource(Source):
    """An adapter to a FakeVendor."""

    def __init__(self, vendor: FakeVendor, context: Any, traits: Mapping[str, Any]) -> None:
        self.vendor = vendor
        self.context = context
        self.capabilities = frozenset(traits.get("capabilities", Capability))
        self.exchanges = traits.get("exchanges", "X")
        self._windows = traits.get("windows", (LimitWindow(1_000_000, 1.0),))
        self.stream_limits = traits.get("stream_limits", StreamLimits())
        self.polls = traits.get("polls", False)
        self.quotes_at_once = traits.get("quotes_at_once", 1)
        self.tick_time_unit_ns = traits.get("tick_time_unit_ns", 1_000_000)

    def limits(self) -> Mapping[str, Any]:
        return {"default": self._windows}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:
        return RequestCost()

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return instrument.exchange in self.exchanges

    async def connect(self) -> None:
        await self.context.clock.sleep(self.vendor.connect_takes_s)
        if self.vendor.connect_fails is not None:
            raise self.vendor.connect_fails()

    async def close(self) -> None:
        pass

    async def check(self) -> None:
        await self.context.pay(RequestCost())
        self.vendor.checks += 1
        if self.vendor.check_fails is not None:
            raise self.vendor.check_fails()

    async def quotes(self, instruments: Any) -> dict[Instrument, Quote]:
        await self.vendor.answer(tuple(str(instrument) for instrument in instruments))
        return {
            instrument: Quote(instrument=instrument, price=self.vendor.price)
            for instrument in instruments
            if instrument.symbol not in self.vendor.unknown
        }

    async def bars(self, request: Any) -> Bars:
        await self.vendor.answer((str(request.instrument),))
        prices = {name: [self.vendor.price] for name in ("open", "high", "low", "close", "volume")}
        return Bars.from_rows(request.instrument, request.interval, [request.start_ns], prices)

    def stream(self, deliver: Any) -> FakeStream:
        return FakeStream(self.vendor, deliver)


class FakeDesk:
    """An engine on fake vendors: `async with FakeDesk(clock, "abc") as desk: await desk.quote()`.

    One source for each letter, in that order on every route of exchange X. Checks are
    so seldom, and retries are none, unless `config` says otherwise, so that a test sees
    its own calls only. `sources` gives settings by name, `traits` what the adapter is like:
    `capabilities`, `exchanges`, `windows`, `stream_limits`, `polls`, `quotes_at_once`,
    `tick_time_unit_ns`.
    """

    def __init__(
        self,
        clock: Any,
        names: str = "ab",
        *,
        sources: Mapping[str, Mapping[str, Any]] | None = None,
        traits: Mapping[str, Mapping[str, Any]] | None = None,
        exchange: Mapping[str, Any] | None = None,
        state_path: str = ":memory:",
        seed: int = 1,
        rehearsals: Callable[[Grounds], Rehearsals] = NoRehearsals,
        **config: Any,
    ) -> None:
        self.clock = clock
        self.vendors = {name: FakeVendor(name, clock) for name in names}
        plugins = {name: self._plugin(name, (traits or {}).get(name, {})) for name in names}
        settings = {
            name: SourceSettings(
                kind=name, **{"timeout_s": 1.0, "connections": 1000, **(sources or {}).get(name, {})}
            )
            for name in names
        }
        config.setdefault("engine", EngineSettings(state_path=state_path))
        config.setdefault("health", HealthSettings(interval_s=1e6, doubt_interval_s=1e6))
        config.setdefault("retry", RetrySettings(attempts=0))
        routes = {"X": ExchangeSettings(sources=tuple(names), **(exchange or {}))}
        self.engine = Engine(
            Config(sources=settings, exchanges=routes, **config),
            plugins,
            clock=clock,
            seed=seed,
            rehearsals=rehearsals,
        )

    def _plugin(self, name: str, traits: Mapping[str, Any]) -> SourcePlugin:
        vendor = self.vendors[name]
        return SourcePlugin(
            kind=name,
            title=name,
            settings=SourceSettings,
            create=lambda _settings, context: FakeSource(vendor, context, traits),
        )

    async def __aenter__(self) -> Self:
        await self.engine.start()
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.engine.stop()

    def __getitem__(self, name: str) -> FakeVendor:
        return self.vendors[name]

    async def quote(self, symbol: str = "ONE", **more: Any) -> Quote:
        return await self.engine.quote(f"X:{symbol}", **more)

    async def failure(self, symbol: str = "ONE", **more: Any) -> Exception:
        """What a quote raises."""
        try:
            quote = await self.quote(symbol, **more)
        except MdsError as error:
            return error
        raise AssertionError(f"{quote.source} answered")

    def told(self, kind: type) -> list[Any]:
        """The events of one kind, oldest first."""
        return [event for event in self.engine.events() if isinstance(event, kind)]

    def state(self, source: str, capability: str = "quote") -> str:
        """Where a breaker stands; capability "" is the source as a whole."""
        runtime = self.engine.sources[source]
        breaker = runtime.units[Capability(capability)].breaker if capability else runtime.whole
        return breaker.state(self.clock.now()).value

    def active(self, route: str = "X/quote") -> str | None:
        """The source that a route's calls go to."""
        return self.engine.snapshot().route(route).active

    @property
    def permits(self) -> int:
        """Permits that are not given back, of all breakers together."""
        return sum(
            breaker.in_flight
            for runtime in self.engine.sources.values()
            for breaker in (runtime.whole, *(unit.breaker for unit in runtime.units.values()))
        )


@pytest.fixture
def fake_desk() -> type[FakeDesk]:
    """The class FakeDesk: an engine on fake vendors."""
    return FakeDesk
