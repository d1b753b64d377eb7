"""Files with many stream frames, for `mds-tui decode binance stream`: plain, logged or gzipped."""

import gzip
import re
import zlib
from collections.abc import Iterator

from mds_engine.errors import InvalidPayload, SourceError
from mds_engine.model import Tick
from mds_engine.sources.binance.decode_stream import StreamDecoder

_GZIP = b"\x1f\x8b"
# cryptofeed writes "<epoch seconds>: <frame>", hftbacktest "<epoch nanoseconds> <frame>".
_RECEIVED = re.compile(rb"(\d{10})(?:\.(\d{1,9}))?: |(\d{19}) ")


def decode_stream_file(payload: bytes) -> Iterator[Tick]:
    """The ticks of one frame, or of a log with a frame a line, in the log's order.

    Lines that are no frames (REST answers and addresses, in cryptofeed's logs)
    are passed over. A frame that cannot be read does not end the file: the
    first such error is raised when all others have been given.
    """
    if payload.startswith(_GZIP):
        payload = _unpacked(payload)
    decoder, first_error, bad = StreamDecoder(), None, 0
    lines = payload.splitlines()
    # A frame that somebody has pretty-printed is one frame on many lines.
    frames = [payload] if payload.lstrip()[:2] in (b"{\n", b"{\r", b"[\n", b"[\r") else lines
    for line in frames:
        frame, received_ns = _split(line)
        if frame[:1] not in (b"{", b"["):
            continue
        try:
            yield from decoder.decode(frame, received_ns)
        except SourceError as error:
            first_error, bad = first_error or error, bad + 1
    if first_error is not None:
        if len(frames) == 1:
            raise first_error
        told = f"{bad} of {len(frames)} frames failed, the first so: {first_error.message}"
        raise type(first_error)(told, raw=first_error.raw) from first_error


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
