"""Recorded frames of Yahoo's streamer, for replays. Pure."""

from collections.abc import Sequence

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Tick
from mds_engine.sources.yahoo.decode_stream import decode_stream
from mds_engine.sources.yahoo.symbols import to_symbol


class _Note(msgspec.Struct):
    instruments: list[str] = []


_NOTE = msgspec.json.Decoder(_Note)


class YahooFrames:
    """A `FrameDecoder`. The notes say under which names the desk had subscribed to a symbol.

    Without one, an instrument is named as Yahoo's own exchange code has it.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._wanted: dict[str, list[Instrument]] = {}

    def note(self, payload: bytes) -> None:
        """Take `{"instruments": ["NASDAQ:AAPL"]}`. Raises InvalidPayload."""
        try:
            names = _NOTE.decode(payload).instruments
        except msgspec.MsgspecError as error:
            raise InvalidPayload(f"a note of Yahoo's stream cannot be read: {error}") from error
        for instrument in map(Instrument.parse, names):
            wanted = self._wanted.setdefault(to_symbol(instrument), [])
            if instrument not in wanted:
                wanted.append(instrument)

    def decode(self, frame: bytes, received_ns: int) -> Sequence[Tick]:
        """The ticks of one frame, one for each name of its symbol. Raises a SourceError."""
        return [
            msgspec.structs.replace(tick, instrument=instrument, source=self._source, received_ns=received_ns)
            for symbol, tick in decode_stream(frame)
            for instrument in self._wanted.get(symbol) or (tick.instrument,)
        ]
