"""Recorded frames of Binance, for replays. Pure."""

from collections.abc import Sequence

from mds_engine.model import Tick
from mds_engine.sources.binance.decode_stream import StreamDecoder


class BinanceFrames:
    """A `FrameDecoder`. Every frame says of which symbol it is, so there is nothing to note."""

    def __init__(self, source: str) -> None:
        self._decoder = StreamDecoder(source)

    def note(self, payload: bytes) -> None:
        """Take a note."""

    def decode(self, frame: bytes, received_ns: int) -> Sequence[Tick]:
        """The ticks of one frame. Raises a SourceError."""
        return self._decoder.decode(frame, received_ns)
