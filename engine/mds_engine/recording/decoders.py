"""A decoder for each connection of a recording, and what the beginnings of its files tell. Blocking I/O."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mds_engine.errors import InvalidPayload, MdsError, SourceError
from mds_engine.log import get_logger
from mds_engine.model import Instrument, Tick
from mds_engine.recording.format import FrameKind, RecordedFrame
from mds_engine.recording.reading import Extent, Recording
from mds_engine.sources.contract import FrameDecoder, SourcePlugin

_log = get_logger(__name__)

_HEAD_ROWS = 2048
_MOST_HEADS = 32
"""Files of which the beginning is read; more than these are a long day's, and much alike."""


class UndecodableError(MdsError):
    """Frames of a recording are of a vendor whose frames nothing here decodes."""


class Opening(NamedTuple):
    """What a replay must know before it begins."""

    extent: Extent
    instruments: dict[str, tuple[Instrument, ...]]
    """By source, in the order in which the engine preferred them: what the beginnings of the files name.
    There is an entry for each source of which there is a row."""


class Decoders:
    """A decoder for each connection of a recording."""

    def __init__(self, recording: Recording, plugins: Mapping[str, SourcePlugin]) -> None:
        self._recording = recording
        self._plugins = plugins
        self._by_connection: dict[int, FrameDecoder] = {}
        self._bugs: set[str] = set()

    def take(self, row: RecordedFrame) -> Sequence[Tick]:
        """The ticks of a row; none of a note. Raises a SourceError for a frame that cannot be decoded.

        UndecodableError if no installed vendor decodes frames of its source.
        """
        decoder = self._by_connection.get(row.connection)
        if decoder is None:
            decoder = self._by_connection[row.connection] = self.new(row.source)
        try:
            if row.kind == FrameKind.NOTE:
                decoder.note(row.payload)
                return ()
            return decoder.decode(row.payload, row.received_ns)
        except SourceError:
            raise
        except Exception as error:
            # As live: a bug of a plug-in costs its own frames, and nothing else.
            if row.source not in self._bugs:
                self._bugs.add(row.source)
                _log.exception("adapter_bug", source=row.source, subject="recorded frame")
            raise InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}") from error

    def new(self, source: str) -> FrameDecoder:
        """A new decoder of a source's frames. Raises UndecodableError if no installed vendor has one."""
        known = self._recording.sources.get(source)
        plugin = self._plugins.get(known.kind) if known is not None else None
        if plugin is None or plugin.frame_decoder is None:
            kind = known.kind if known is not None else "a vendor that it does not name"
            raise UndecodableError(
                f"{self._recording.path}: {source} is of {kind}, whose frames nothing here decodes"
            )
        return plugin.frame_decoder(source)


def look_into(recording: Recording, plugins: Mapping[str, SourcePlugin], *, whole: bool = False) -> Opening:
    """Read the times of a recording, and the first frames of its files; with `whole`, all frames.

    Raises InvalidPayload if there is no tick in it, UndecodableError, OSError.
    """
    extent = recording.extent()
    decoders = Decoders(recording, plugins)
    for name in sorted(extent.sources):
        decoders.new(name)
    found: dict[str, dict[Instrument, None]] = {
        name: {} for name in recording.sources if name in extent.sources
    }
    heads = [] if whole else list(recording.heads(_HEAD_ROWS))
    for head in heads[:: -(-len(heads) // _MOST_HEADS) or 1]:
        of_head = Decoders(recording, plugins)
        for row in head:
            found[row.source].update(dict.fromkeys(_instruments(of_head, row)))
    if not any(found.values()):
        for row in recording.frames():
            found[row.source].update(dict.fromkeys(_instruments(decoders, row)))
            if found[row.source] and not whole:
                break
    if not any(found.values()):
        raise InvalidPayload(f"{recording.path}: none of its {extent.rows:,} frames holds a tick")
    return Opening(extent, {name: tuple(instruments) for name, instruments in found.items()})


def _instruments(decoders: Decoders, row: RecordedFrame) -> list[Instrument]:
    try:
        return [tick.instrument for tick in decoders.take(row)]
    except SourceError:
        return []
