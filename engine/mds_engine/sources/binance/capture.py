"""Files with many stream frames, for `mds-tui decode binance stream`: plain, logged or gzipped."""

import gzip
import re
import zlib
from collections.abc import Iterator

from mds_engine.errors import InvalidPayload, SourceError, Unavailable
from mds_engine.model import Tick
from mds_engine.sources.binance.decode_stream import StreamDecoder
from mds_engine.sources.scrub import Scrubber

_GZIP = b"\x1f\x8b"
# cryptofeed writes "<epoch seconds>: <frame>", hftbacktest "<epoch nanoseconds> <frame>".
_RECEIVED = re.compile(rb"(\d{10})(?:\.(\d{1,9}))?: |(\d{19}) ")
_ADDRESS = re.compile(rb"(?:https?|wss?)://\S")
"""cryptofeed logs whom it asks too, and what REST answered on the same line: no frames."""


def decode_stream_file(payload: bytes) -> Iterator[Tick | SourceError]:
    """The ticks of one frame, or of a log with a frame a line, in the log's order.

    Addresses and REST answers, in cryptofeed's logs, are passed over. A line
    that cannot be read does not end the file: its error comes in its place.
    Where the one frame is all there is, its error is raised.
    """
    if payload.startswith(_GZIP):
        payload = _unpacked(payload)
    # A frame that somebody has pretty-printed is one frame on many lines.
    is_one = payload.lstrip()[:2] in (b"{\n", b"{\r", b"[\n", b"[\r")
    frames = [payload] if is_one else payload.splitlines()
    decoder = StreamDecoder()
    for number, line in enumerate(frames, start=1):
        frame, received_ns = _split(line)
        if not frame or _ADDRESS.match(frame):
            continue
        try:
            if frame[:1] not in (b"{", b"["):
                raise InvalidPayload("it is not JSON", raw=Scrubber()(frame))
            yield from decoder.decode(frame, received_ns)
            if decoder.shutdown_announced:
                decoder.shutdown_announced = False
                raise Unavailable("the vendor announced a shutdown")
        except SourceError as error:
            if len(frames) == 1:
                raise
            yield type(error)(f"line {number}: {error.message}", raw=error.raw)


def _split(line: bytes) -> tuple[bytes, int]:
    """A line's frame, and when it was received in epoch ns (0 where the line does not say)."""
    line = line.strip()
    found = _RECEIVED.match(line)
    if found is None:
        return line, 0
    seconds, fraction, nanoseconds = found.groups()
    received_ns = int(nanoseconds or 0) or int(seconds) * 10**9 + int((fraction or b"").ljust(9, b"0"))
    return line[found.end() :], received_ns


def _unpacked(payload: bytes) -> bytes:
    try:
        return gzip.decompress(payload)
    except (EOFError, OSError, zlib.error) as error:
        raise InvalidPayload(f"the gzip file is damaged: {error}") from error
