"""Recorded frames of Kite's ticker, for replays. Pure."""

from collections.abc import Sequence

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Tick
from mds_engine.sources.kite.decode_ticker import decode_ticks
from mds_engine.sources.kite.errors import classify_message
from mds_engine.sources.scrub import Scrubber


class _Note(msgspec.Struct):
    instruments: dict[int, str] = {}


class _Text(msgspec.Struct):
    type: str = ""
    data: object = None


_NOTE = msgspec.json.Decoder(_Note, strict=False)
_TEXT = msgspec.json.Decoder(_Text)


class KiteFrames:
    """A `FrameDecoder`. Frames bear tokens; the notes say which instruments these are."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._instruments: dict[int, Instrument] = {}

    def note(self, payload: bytes) -> None:
        """Take `{"instruments": {"408065": "NSE:INFY"}}`. Raises InvalidPayload."""
        try:
            noted = _NOTE.decode(payload).instruments
        except msgspec.MsgspecError as error:
            raise InvalidPayload(f"a note of Kite's stream cannot be read: {error}") from error
        self._instruments.update((token, Instrument.parse(name)) for token, name in noted.items())

    def decode(self, frame: bytes, received_ns: int) -> Sequence[Tick]:
        """The ticks of one frame; a token that no note names is `KITE:<token>`. Raises a SourceError.

        Texts give none: an error is raised, as it ended the stream when it came.
        """
        # As the first two bytes of a binary frame, a brace would mean 31,488 packets or more.
        if not frame.startswith(b"{"):
            return decode_ticks(frame, self._instruments, self._source, received_ns)
        try:
            text = _TEXT.decode(frame)
        except msgspec.DecodeError as error:
            raise InvalidPayload(f"a text of the stream cannot be read: {error}") from error
        if text.type == "error":
            raise classify_message(str(text.data), Scrubber())
        return []
