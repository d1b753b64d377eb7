"""Answers that were kept in a file together with their HTTP status. Pure."""

import msgspec

from mds_engine.sources.http import Reply


class _Captured(msgspec.Struct):
    status: int
    body: msgspec.Raw
    headers: dict[str, str] = {}


_CAPTURED = msgspec.json.Decoder(_Captured)


def captured_reply(payload: bytes) -> Reply | None:
    """The reply in `{"status": 429, "headers": {…}, "body": …}`; None if the payload is a bare body.

    A body that is a JSON string stands for its text.
    """
    try:
        captured = _CAPTURED.decode(payload)
    except msgspec.MsgspecError:
        return None
    body = bytes(captured.body)
    if body[:1] == b'"':
        body = msgspec.json.decode(body, type=str).encode()
    headers = {name.lower(): value for name, value in captured.headers.items()}
    return Reply(captured.status, headers, body)
