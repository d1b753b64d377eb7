"""What is in a recording, found by decoding it once. Blocking I/O."""

from collections.abc import Mapping
from typing import NamedTuple

from mds_engine.errors import InvalidPayload, SourceError
from mds_engine.model import Instrument
from mds_engine.recording.format import FrameKind, RecordedFrame
from mds_engine.recording.reading import Recording
from mds_engine.sources.contract import FrameDecoder, SourcePlugin


class Survey(NamedTuple):
    """What a recording holds."""

    frames: int
    ticks: int
    unreadable: int
    """Frames that their decoder refused."""
    first_ns: int
    last_ns: int
    """When the first and the last frame came, UTC nanoseconds."""
    instruments: dict[str, tuple[Instrument, ...]]
    """By source, in the order in which they first came; only sources that sent a tick."""


class Decoders:
    """A decoder for each connection of a recording."""

    def __init__(self, recording: Recording, plugins: Mapping[str, SourcePlugin]) -> None:
        self._recording = recording
        self._plugins = plugins
        self._by_connection: dict[int, FrameDecoder] = {}

    def of(self, row: RecordedFrame) -> FrameDecoder:
        """The decoder of a row's connection. Raises InvalidPayload if no installed vendor has one."""
        decoder = self._by_connection.get(row.connection)
        if decoder is None:
            decoder = self._by_connection[row.connection] = self._new(row.source)
        return decoder

    def _new(self, source: str) -> FrameDecoder:
        known = self._recording.sources.get(source)
        plugin = self._plugins.get(known.kind) if known is not None else None
        if plugin is None or plugin.frame_decoder is None:
            kind = known.kind if known is not None else "a vendor that it does not name"
            raise InvalidPayload(
                f"{self._recording.path}: {source} is of {kind}, whose frames nothing here decodes"
            )
        return plugin.frame_decoder(source)


def survey(recording: Recording, plugins: Mapping[str, SourcePlugin]) -> Survey:
    """Decode everything once. Raises InvalidPayload if there is no tick in it, or nothing to decode it."""
    decoders = Decoders(recording, plugins)
    instruments: dict[str, dict[Instrument, None]] = {}
    frames = ticks = unreadable = first_ns = last_ns = 0
    for row in recording.frames():
        decoder = decoders.of(row)
        try:
            if row.kind == FrameKind.NOTE:
                decoder.note(row.payload)
                continue
            found = decoder.decode(row.payload, row.received_ns)
        except SourceError:
            unreadable += 1
            found = ()
        frames += 1
        ticks += len(found)
        first_ns = first_ns or row.received_ns
        last_ns = max(last_ns, row.received_ns)
        if found:
            seen = instruments.setdefault(row.source, {})
            for tick in found:
                seen[tick.instrument] = None
    if not ticks:
        read = f"none of its {frames:,} frames holds a tick" if frames else "it holds no frame"
        raise InvalidPayload(f"{recording.path}: {read}")
    ordered = {name: tuple(instruments[name]) for name in recording.sources if name in instruments}
    return Survey(frames, ticks, unreadable, first_ns, last_ns, ordered)
