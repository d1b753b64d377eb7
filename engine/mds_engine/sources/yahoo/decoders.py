"""What `mds-tui decode yahoo KIND FILE` reads: bare bodies, and recordings that wrap one."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.sources.contract import DecodeKind
from mds_engine.sources.yahoo.failures import classify_status, excerpt, is_throttle_text

if TYPE_CHECKING:
    from mds_engine.model import Bars, Quote, Tick


class _Response(msgspec.Struct):
    status: int = 200
    body_json: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="bodyJson")
    body_text: str | None = msgspec.field(default=None, name="bodyText")
    body: msgspec.Raw = msgspec.Raw()


class _Recorded(msgspec.Struct):
    request: msgspec.Raw
    response: _Response


_Decoded = TypeVar("_Decoded")
_RECORDED = msgspec.json.Decoder(_Recorded)


def chart(body: bytes) -> "Iterable[Bars]":
    """The bars of a `/v8/finance/chart` body."""
    from mds_engine.sources.yahoo.decode_chart import decode_chart

    return [_unwrapped(body, decode_chart)]


def quote(body: bytes) -> "Iterable[Quote]":
    """The quotes of a `/v7/finance/quote` body."""
    from mds_engine.sources.yahoo.decode_quote import decode_quotes

    return _unwrapped(body, decode_quotes).values()


def stream(frame: bytes) -> "Iterable[Tick]":
    """The tick of one frame of the streamer, of version 1 or 2."""
    from mds_engine.sources.yahoo.decode_stream import decode_stream

    return [tick for _, tick in decode_stream(frame)]


def _unwrapped(payload: bytes, decode: Callable[[bytes], _Decoded]) -> _Decoded:
    status, body = _unwrap(payload)
    if status >= 400 or is_throttle_text(body[:64]):
        raise classify_status(status, body)
    return decode(body)


def _unwrap(payload: bytes) -> tuple[int, bytes]:
    try:
        response = _RECORDED.decode(payload).response
    except msgspec.MsgspecError:
        return 200, payload
    if response.body_text is not None:
        return response.status, response.body_text.encode()
    body = bytes(response.body_json) or bytes(response.body)
    if not body:
        raise InvalidPayload("the recording holds no body", raw=excerpt(payload))
    return response.status, msgspec.json.decode(body, type=str).encode() if body[:1] == b'"' else body


DECODERS = {
    "chart": DecodeKind(chart, "body", "bars: /v8/finance/chart"),
    "quote": DecodeKind(quote, "body", "quotes: /v7/finance/quote"),
    "stream": DecodeKind(stream, "lines", "the streamer's frames: base64 protobuf, bare or in JSON"),
}
