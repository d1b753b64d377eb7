"""WebSocket for every vendor that streams: raw frames in, texts out, failures classified.

The connection itself is picows', in `websocket_connection`, which is imported in
a worker thread at the first `open`.
"""

import asyncio
import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mds_engine.clock import Clock
from mds_engine.config.secret import Secret
from mds_engine.errors import AuthRequired, InvalidPayload, SourceError, Throttled, Unavailable
from mds_engine.policy.retry_after import parse_retry_after
from mds_engine.sources.contract import FrameTap
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.scrub import Scrubber
from mds_engine.sources.transport_errors import describe_transport_error

if TYPE_CHECKING:
    from picows import WSUpgradeResponse

    from mds_engine.sources.websocket_connection import Connection

_CONNECTIONS = "mds_engine.sources.websocket_connection"
_LARGEST_MESSAGE = 8 * 1024 * 1024
_CLOSE_WITHIN_S = 2.0
_NORMAL, _GOING_AWAY, _VIOLATED_POLICY = 1000, 1001, 1008
_PROTOCOL_VIOLATIONS = frozenset({1002, 1003, 1007, 1009})
_USER_AGENT = {"User-Agent": "mds-engine"}


class WebSocketShell:
    """One connection of one stream, on the first of the source's endpoints that takes it.

    `endpoints` is the source's own, so that what one connection learns about
    the base URLs serves the next. Give every secret that goes into a URL.
    `tap` sees each message before it is taken. A vendor that has sent nothing
    for `ping_after_s` is asked for a sign of life, and has as long to give it.
    """

    def __init__(
        self,
        clock: Clock,
        endpoints: Endpoints,
        *,
        timeout_s: float,
        secrets: Iterable[Secret] = (),
        ping_after_s: float = 20.0,
        largest_message: int = _LARGEST_MESSAGE,
        tap: FrameTap | None = None,
    ) -> None:
        self.scrub = Scrubber(secrets)
        self._clock = clock
        self._endpoints = endpoints
        self._timeout_s = timeout_s
        self._ping_after_s = ping_after_s
        self._largest_message = largest_message
        self._tap = tap
        self._connection: Connection | None = None

    async def open(self, path: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Connect to `path` (from the slash or question mark on). Raises a SourceError.

        Passes over endpoints that do not answer; what a vendor says about us
        (a login, a throttle) holds for all of them and is raised at once.
        """
        await asyncio.to_thread(importlib.import_module, _CONNECTIONS)
        last: SourceError | None = None
        order = self._endpoints.order()
        now = asyncio.get_running_loop().time
        deadline = now() + self._timeout_s
        for position, index in enumerate(order):
            share_s = (deadline - now()) / (len(order) - position)
            try:
                url = self._endpoints.urls[index] + path
                self._connection = await self._handshake(url, headers, share_s)
            except Unavailable as error:
                last = error
                self._endpoints.failed(index, error.message)
            else:
                self._endpoints.succeeded(index)
                return
        raise last or Unavailable("no stream endpoint is configured")

    async def pump(
        self, on_frame: Callable[[str | bytes], None], after_read: Callable[[], None] | None = None
    ) -> None:
        """Call `on_frame` with each message, text as str and binary as bytes, until the connection ends.

        The end raises a SourceError; an exception of `on_frame` ends it, and is
        raised as it is. `after_read` is called when all that had come at once is
        through, for who gathers; also before an exception is raised.
        """
        await self._pump(on_frame, after_read, texts_as_str=True)

    async def pump_bytes(
        self, on_frame: Callable[[bytes], None], after_read: Callable[[], None] | None = None
    ) -> None:
        """`pump`, with texts undecoded too: for decoders that read UTF-8 themselves."""
        await self._pump(on_frame, after_read, texts_as_str=False)

    async def send(self, text: str) -> None:
        """Send one text message. Raises a SourceError when the connection has ended."""
        connection = self._connected()
        if not await connection.send(text):
            raise self._ended(connection)

    async def close(self) -> None:
        """End the connection. Safe to call twice, and before `open`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(_CLOSE_WITHIN_S)

    def _connected(self) -> "Connection":
        if self._connection is None:
            raise Unavailable("the stream is not connected")
        return self._connection

    async def _pump(
        self, on_frame: Callable[..., None], after_read: Callable[[], None] | None, *, texts_as_str: bool
    ) -> None:
        connection = self._connected()
        take = on_frame if self._tap is None else _tapped(self._tap, on_frame)
        connection.start(take, after_read, texts_as_str=texts_as_str)
        try:
            await connection.ended.wait()
        finally:
            connection.stop()
        raise connection.failure or self._ended(connection)

    async def _handshake(self, url: str, headers: Mapping[str, str] | None, share_s: float) -> "Connection":
        from picows import WSError, WSInvalidStatusError

        from mds_engine.sources.websocket_connection import open_connection

        host = urlsplit(url).netloc.rpartition("@")[2]
        try:
            async with asyncio.timeout(share_s):
                return await open_connection(
                    url,
                    {**_USER_AGENT, **(headers or {})},
                    ping_after_s=self._ping_after_s,
                    largest_message=self._largest_message,
                )
        except WSInvalidStatusError as error:
            if error.response is None:
                raise
            raise self._refused(host, error.response, error.raw_body or b"") from error
        except (OSError, EOFError, WSError) as error:
            why = describe_transport_error(error, share_s)
            raise Unavailable(f"{host} {self.scrub(why)}", raw=self.scrub(str(error))) from error

    def _refused(self, host: str, response: "WSUpgradeResponse", body: bytes) -> SourceError:
        """What the vendor means by an HTTP answer to the handshake."""
        status, raw = int(response.status), self.scrub(body)
        if status in (401, 403):
            return AuthRequired(f"{host} wants a login for the stream ({status})", raw=raw)
        if status in (418, 429):
            retry_after_s = parse_retry_after(response.headers.get("Retry-After"), self._clock.wall())
            return Throttled(
                f"{host} takes no further stream from us now ({status})",
                retry_after_s=retry_after_s,
                banned=status == 418,
                raw=raw,
            )
        return Unavailable(f"{host} refused the stream ({status})", raw=raw)

    def _ended(self, connection: "Connection") -> SourceError:
        """Why the connection ended, from the side that ended it."""
        ending = connection.ending()
        if ending is None:
            return Unavailable("the stream broke off without a word")
        code, reason = ending.code, self.scrub(ending.reason)
        if ending.by_vendor:
            told = f"the vendor ended the stream ({code}{': ' + reason if reason else ''})"
            if code == _VIOLATED_POLICY and "too many" in reason.lower():
                return Throttled(told, raw=reason)
            return Unavailable(told, raw=reason)
        if code in _PROTOCOL_VIOLATIONS:
            return InvalidPayload(f"the stream broke the protocol ({code}: {reason})", raw=reason)
        if code == _GOING_AWAY:  # picows' own word for it; we end with another
            return Unavailable("the stream died: the vendor answered no ping", raw=reason)
        return Unavailable("the stream was closed by us")


def _tapped(tap: FrameTap, on_frame: Callable[..., None]) -> Callable[[bytes | str], None]:
    def take(message: bytes | str) -> None:
        tap(message)
        on_frame(message)

    return take
