"""What an engine needs to run on a recording: a source for each recorded one, a clock, and a conductor.

replay = Replay(Recording(path), installed_plugins, Orders(speed=10.0))
engine = engine_of(replay)                                  # mds_engine.replaying
async with engine, asyncio.TaskGroup() as tasks:
    tasks.create_task(replay.conductor.run())
"""

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from mds_engine.config.schema import Config, ConsoleSettings, EngineSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.model import Capability, Instrument, Tick
from mds_engine.policy.limiter import LimitWindow
from mds_engine.recording.conductor import Conductor
from mds_engine.recording.decoders import Decoders, Opening, look_into
from mds_engine.recording.orders import Orders
from mds_engine.recording.reading import Recording
from mds_engine.recording.replay_clock import ReplayClock
from mds_engine.sources.contract import (
    Deliver,
    RequestCost,
    Source,
    SourceContext,
    SourcePlugin,
    TickStream,
)


class Replay:
    """One way through a recording, from its beginning. Belongs to the loop of one engine."""

    def __init__(
        self,
        recording: Recording,
        plugins: Mapping[str, SourcePlugin],
        orders: Orders | None = None,
        *,
        opening: Opening | None = None,
    ) -> None:
        """`opening` is what `look_into` found, where somebody has looked already; else it is found now,
        which blocks, and raises InvalidPayload, UndecodableError, OSError."""
        self.recording = recording
        self.opening = opening or look_into(recording, plugins)
        extent = self.opening.extent
        self.clock = ReplayClock(extent.first_ns)
        self.exchanges = {
            name: {one.exchange for one in instruments}
            for name, instruments in self.opening.instruments.items()
        }
        """Those of which each source has sent a tick, or will soon."""
        self.streams: dict[str, list[ReplayStream]] = {}
        """Open ones, by source."""
        self.conductor = Conductor(
            recording.frames(),
            Decoders(recording, plugins),
            self.clock,
            orders or Orders(),
            self.streams,
            self.opening.instruments,
        )
        self.plugins = {
            kind: SourcePlugin(
                kind=kind,
                title=f"{plugins[kind].title}, recorded",
                settings=SourceSettings,
                create=lambda _settings, context: ReplaySource(self, context),
            )
            for kind in {recording.sources[name].kind for name in self.opening.instruments}
        }
        self.config = self._config()

    @property
    def end(self) -> str:
        """How a replay ends, in words."""
        last = datetime.fromtimestamp(self.opening.extent.last_ns / 1e9, UTC)
        return f"the recording ended ({last:%Y-%m-%d %H:%M:%S} UTC)"

    def _config(self) -> Config:
        found = self.opening.instruments
        watched = dict.fromkeys(itertools.chain.from_iterable(found.values()))
        return Config(
            engine=EngineSettings(name=f"replay of {self.recording.path.name}", state_path=":memory:"),
            sources={
                name: SourceSettings(kind=self.recording.sources[name].kind, priority=place)
                for place, name in enumerate(found)
            },
            # What was silent then is not connected anew now.
            streams=StreamSettings(mute_after_s=0.0),
            console=ConsoleSettings(watch=tuple(map(str, watched))),
        )


class ReplaySource(Source):
    """One recorded source. It has ticks and nothing else, and is always well."""

    capabilities = frozenset({Capability.TICKS})
    replays = True

    def __init__(self, replay: Replay, context: SourceContext) -> None:
        recorded = replay.recording.sources[context.name]
        self.tick_time_unit_ns = recorded.tick_time_unit_ns
        self.numbering = recorded.numbering
        self._replay = replay
        self._name = context.name

    def limits(self) -> Mapping[str, tuple[LimitWindow, ...]]:
        """Nobody counts what is read from a file."""
        return {}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        return RequestCost(counted=False)

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return capability is Capability.TICKS and instrument.exchange in self._replay.exchanges[self._name]

    async def connect(self) -> None:
        """There is nobody to connect to."""

    async def close(self) -> None:
        """There is nothing to give back."""

    async def check(self) -> None:
        """A recording is always there."""

    def stream(self, deliver: Deliver) -> "ReplayStream":
        return ReplayStream(self._replay, self._name, deliver)


class ReplayStream(TickStream):
    """One connection to a recorded source: what is subscribed comes, whichever connection it came on."""

    def __init__(self, replay: Replay, source: str, deliver: Deliver) -> None:
        self._deliver = deliver
        self._subscribed: set[Instrument] = set()
        self._replay = replay
        self._source = source

    async def open(self) -> None:
        self._replay.streams.setdefault(self._source, []).append(self)
        self.last_frame_at = self._replay.clock.now()

    async def run(self) -> None:
        """Ends by cancellation only: after its end a recording can be wound back."""
        await asyncio.get_running_loop().create_future()

    def take(self, ticks: Sequence[Tick]) -> None:
        """Deliver those of the ticks of a frame that are subscribed."""
        wanted = [tick for tick in ticks if tick.instrument in self._subscribed]
        if wanted:
            self._deliver(ticks if len(wanted) == len(ticks) else wanted)

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        self._subscribed.update(instruments)

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        self._subscribed.difference_update(instruments)

    async def close(self) -> None:
        streams = self._replay.streams.get(self._source, [])
        if self in streams:
            streams.remove(self)
