"""Files of the ticker, for `mds-tui decode kite ticker`: frames, bare packets, texts."""

import base64
import binascii
from collections.abc import Iterator

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.model import Tick
from mds_engine.sources.kite.decode_ticker import PACKET_LENGTHS, decode_ticks
from mds_engine.sources.kite.errors import classify_message
from mds_engine.sources.scrub import Scrubber


class _Text(msgspec.Struct):
    type: str = ""
    data: object = None


def decode_ticker_file(payload: bytes) -> Iterator[Tick]:
    """The ticks of binary frames, one after the other, or of lines in base64; texts are passed over.

    A bare packet, without the frame's header, is taken too: so the vendor's own
    samples come.
    """
    if _is_text(payload):
        for line in payload.splitlines():
            yield from _line(line.strip())
    else:
        yield from _binary(payload)


def _is_text(payload: bytes) -> bool:
    return len(payload) > 1 and all(32 <= octet < 127 or octet in b"\r\n\t" for octet in payload)


def _line(line: bytes) -> Iterator[Tick]:
    if line.startswith(b"{"):
        _check_text(line)
        return
    try:
        yield from _binary(base64.b64decode(line, validate=True))
    except binascii.Error as error:
        raise InvalidPayload(f"a line is neither JSON nor base64: {error}", raw=Scrubber()(line)) from error


def _check_text(line: bytes) -> None:
    """Raise what a text says is wrong; most say nothing of the market."""
    try:
        text = msgspec.json.decode(line, type=_Text)
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"a text of the stream cannot be read: {error}") from error
    if text.type == "error":
        raise classify_message(str(text.data), Scrubber())


def _binary(octets: bytes) -> Iterator[Tick]:
    end = _frame_end(octets, 0)
    if end is None and len(octets) in PACKET_LENGTHS:
        octets = b"\x00\x01" + len(octets).to_bytes(2, "big") + octets
        end = len(octets)
    start = 0
    while end is not None and end < len(octets):
        yield from decode_ticks(octets[start:end], {})
        start, end = end, _frame_end(octets, end)
    yield from decode_ticks(octets[start:], {})


def _frame_end(octets: bytes, start: int) -> int | None:
    """Where the frame that begins at `start` ends; None if it does not end within the file."""
    count, at = int.from_bytes(octets[start : start + 2], "big"), start + 2
    for _ in range(count):
        at += 2 + int.from_bytes(octets[at : at + 2], "big")
        if at > len(octets):
            return None
    return at if at <= len(octets) else None
