"""A source as the engine sees it while a fault stands: the vendor's own, with the fault before it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from mds_engine.drills.live.fault import Fault
from mds_engine.errors import Unavailable
from mds_engine.model import Bars, Capability, Instrument, Quote, Tick
from mds_engine.policy.limiter import LimitWindow
from mds_engine.sources.contract import (
    BarsRequest,
    Deliver,
    EndpointState,
    RequestCost,
    Source,
    TickStream,
    TradesRequest,
)

_TRAITS = (
    "capabilities",
    "stream_limits",
    "tick_time_unit_ns",
    "numbering",
    "has_trades",
    "polls",
    "replays",
    "quotes_at_once",
)


class FaultySource(Source):
    """Stands in for `real`. What the fault does not hit goes to it untouched."""

    def __init__(
        self,
        real: Source,
        fault: Fault,
        *,
        came: Callable[[Capability], None],
        not_sent: Callable[[RequestCost], None],
    ) -> None:
        """`came` is told of each data call, `not_sent` what one cost that was kept from the vendor although
        it had been paid for."""
        self.real = real
        for trait in _TRAITS:
            setattr(self, trait, getattr(real, trait))
        self._fault = fault
        self._made: WeakSet[TickStream] = WeakSet()
        self._came = came
        self._not_sent = not_sent

    def __getattr__(self, name: str) -> Any:
        # What a vendor's adapter has beside the contract, as a login.
        return getattr(self.real, name)

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        return self.real.limits()

    def cost(self, capability: Capability, instruments: int) -> RequestCost:
        return self.real.cost(capability, instruments)

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return self.real.serves(capability, instrument)

    async def connect(self) -> None:
        await self.real.connect()

    async def close(self) -> None:
        await self.real.close()

    async def check(self) -> None:
        if self._fault.hits_calls:
            await self._hold_back()
        await self.real.check()
        await self._fault.after_call()

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        await self._before(Capability.QUOTE, len(instruments))
        answer = await self.real.quotes(instruments)
        await self._fault.after_call()
        return answer

    async def bars(self, request: BarsRequest) -> Bars:
        await self._before(Capability.BARS, 1)
        answer = await self.real.bars(request)
        await self._fault.after_call()
        return answer

    async def trades(self, request: TradesRequest) -> list[Tick]:
        if self._fault.hits_calls:
            await self._hold_back()
        answer = await self.real.trades(request)
        await self._fault.after_call()
        return answer

    def stream(self, deliver: Deliver) -> TickStream:
        if self._fault.refuses_streams:
            return _NoStream(self._fault)
        if not self._fault.bends:
            return self.real.stream(deliver)

        def bent(ticks: Sequence[Tick]) -> None:
            deliver(self._fault.bend(ticks))

        stream = self.real.stream(bent)
        self._made.add(stream)
        return stream

    def made(self, stream: TickStream) -> bool:
        """Whether the ticks of a stream come bent from here already."""
        return stream in self._made

    def use_credentials(self, settings: Any) -> None:
        self.real.use_credentials(settings)

    def endpoints(self) -> tuple[EndpointState, ...]:
        return self.real.endpoints()

    async def _before(self, capability: Capability, instruments: int) -> None:
        self._came(capability)
        if not self._fault.hits_calls:
            return
        try:
            await self._hold_back()
        except BaseException as error:
            # The engine itself takes back what found nobody.
            if not (isinstance(error, Unavailable) and error.unreachable):
                self._not_sent(self.real.cost(capability, instruments))
            raise

    async def _hold_back(self) -> None:
        """Returns where the request may be sent after all."""
        if self._fault.scenario.name != "slow":
            self._fault.held_back += 1
        await self._fault.before_call()


class _NoStream(TickStream):
    """A live connection that never comes about; or seems to, and says nothing."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    async def open(self) -> None:
        self._fault.held_back += 1
        await self._fault.open_stream()

    async def run(self) -> None:
        await self._fault.end_stream()

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        """There is nobody to ask."""

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        """There is nobody to ask."""

    async def close(self) -> None:
        """There is nothing to give back."""
