"""A recording played through an engine: a source for each recorded one, and a clock of its time.

replay = Replay(Recording(path), installed_plugins, speed=10.0)     # reads it once: blocks
async with Engine(replay.config, replay.plugins, clock=replay.clock) as engine: ...
"""

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from mds_engine.config.schema import Config, ConsoleSettings, EngineSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.errors import SourceError, Unavailable
from mds_engine.model import Capability, Instrument
from mds_engine.policy.limiter import LimitWindow
from mds_engine.recording.format import FrameKind, RecordedFrame
from mds_engine.recording.reading import Recording
from mds_engine.recording.replay_clock import ReplayClock
from mds_engine.recording.survey import Decoders, survey
from mds_engine.sources.contract import (
    Deliver,
    RequestCost,
    Source,
    SourceContext,
    SourcePlugin,
    TickStream,
)

_SETTLE_S = 0.2
"""Real seconds for all sources to subscribe before the first frame, and for readers after the last."""
_TAIL_S = 6.0
"""Of the recording's time after the last frame: for trades that wait for others to be given up."""
_LONGEST_SILENCE_S = 60.0
"""Longer ones are passed over at once: between the sessions of a folder there may be days."""
_CHUNK = 2048
_FRAMES_A_TURN = 256
"""So many frames are played before readers get their turn."""


class Replay:
    """What an engine needs to run on a recording. Belongs to the loop of that engine."""

    def __init__(
        self, recording: Recording, plugins: Mapping[str, SourcePlugin], *, speed: float = 1.0
    ) -> None:
        """`speed` is how many times as fast as it came; 0 is as fast as possible.

        Reads the whole recording once. Raises InvalidPayload, OSError.
        """
        self.recording = recording
        self.survey = survey(recording, plugins)
        self.clock = ReplayClock(self.survey.first_ns / 1e9, rate=speed or 1.0)
        self.ended = asyncio.Event()
        """Set when the last frame was played."""
        self.streams: dict[str, list[ReplayStream]] = {}
        """Open ones, by source."""
        self._speed = speed
        self._decoders = Decoders(recording, plugins)
        self._rows = recording.frames()
        self._reading: asyncio.Future[list[RecordedFrame]] | None = None
        self._baton = asyncio.Lock()
        self._begun = False
        self.plugins = {
            kind: SourcePlugin(
                kind=kind,
                title=f"{plugins[kind].title}, recorded",
                settings=SourceSettings,
                create=lambda _settings, context: ReplaySource(self, context),
            )
            for kind in {recording.sources[name].kind for name in self.survey.instruments}
        }
        self.config = self._config()

    @property
    def end(self) -> str:
        """How a replay ends, in words."""
        last = datetime.fromtimestamp(self.survey.last_ns / 1e9, UTC)
        return f"the recording ended ({last:%Y-%m-%d %H:%M:%S} UTC)"

    def _config(self) -> Config:
        found = self.survey.instruments
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

    async def conduct(self) -> None:
        """Play to the end, or wait while another stream does. Always ends by raising Unavailable."""
        async with self._baton:
            if not self._begun:
                self._begun = True
                await asyncio.sleep(_SETTLE_S)
                self.clock.show(self.survey.first_ns / 1e9)
            if not self.ended.is_set():
                await self._play()
                await self._finish()
        raise Unavailable(self.end)

    async def _play(self) -> None:
        clock, speed = self.clock, self._speed
        turn = 0
        while chunk := await self._next_chunk():
            while chunk:
                row = chunk[-1]
                due = row.received_ns / 1e9
                early_s = due - clock.wall()
                if early_s > 0:
                    if not speed:
                        clock.move_to(due)
                    elif early_s > _LONGEST_SILENCE_S:
                        clock.move_to(due - 1.0)
                        continue
                    else:
                        await clock.sleep(early_s)
                # Only what is played is taken: another stream goes on where this one is cancelled.
                chunk.pop()
                self._show(row)
                turn += 1
                if turn % _FRAMES_A_TURN == 0:
                    await asyncio.sleep(0)
            self._reading = None

    async def _finish(self) -> None:
        clock = self.clock
        if self._speed:
            await clock.sleep(_TAIL_S)
        else:
            clock.move_to(clock.wall() + _TAIL_S)
            await asyncio.sleep(_SETTLE_S)
        clock.stop()
        self.ended.set()
        await asyncio.sleep(_SETTLE_S)

    async def _next_chunk(self) -> list[RecordedFrame]:
        """The frames that come next, the last one first; what was read is kept until it is played."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(asyncio.to_thread(_take, self._rows))
        return await asyncio.shield(self._reading)

    def _show(self, row: RecordedFrame) -> None:
        decoder = self._decoders.of(row)
        streams = self.streams.get(row.source)
        try:
            if row.kind == FrameKind.NOTE:
                decoder.note(row.payload)
                return
            if not streams:
                return
            ticks = decoder.decode(row.payload, row.received_ns)
        except SourceError:
            return  # counted by the survey; what ended the stream then need not end it now
        now = self.clock.now()
        for stream in streams:
            stream.last_frame_at = now
            if ticks:
                wanted = [tick for tick in ticks if tick.instrument in stream.subscribed]
                if wanted:
                    stream.deliver(ticks if len(wanted) == len(ticks) else wanted)


def _take(rows: Iterator[RecordedFrame]) -> list[RecordedFrame]:
    chunk = list(itertools.islice(rows, _CHUNK))
    chunk.reverse()
    return chunk


class ReplaySource(Source):
    """One recorded source. It has ticks and nothing else, and is always well."""

    capabilities = frozenset({Capability.TICKS})
    replays = True

    def __init__(self, replay: Replay, context: SourceContext) -> None:
        self._replay = replay
        self._name = context.name
        self._exchanges = {one.exchange for one in replay.survey.instruments[context.name]}
        self.tick_time_unit_ns = replay.recording.sources[context.name].tick_time_unit_ns

    def limits(self) -> Mapping[str, tuple[LimitWindow, ...]]:
        return {"default": (LimitWindow(1_000_000, 1.0),)}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        return RequestCost(counted=False)

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return capability is Capability.TICKS and instrument.exchange in self._exchanges

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
        self.deliver = deliver
        self.subscribed: set[Instrument] = set()
        self._replay = replay
        self._source = source

    async def open(self) -> None:
        """Raises Unavailable after the end."""
        if self._replay.ended.is_set():
            raise Unavailable(self._replay.end)
        self._replay.streams.setdefault(self._source, []).append(self)
        self.last_frame_at = self._replay.clock.now()

    async def run(self) -> None:
        await self._replay.conduct()

    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        self.subscribed.update(instruments)

    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        self.subscribed.difference_update(instruments)

    async def close(self) -> None:
        streams = self._replay.streams.get(self._source, [])
        if self in streams:
            streams.remove(self)
