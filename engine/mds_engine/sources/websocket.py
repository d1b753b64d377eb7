"""WebSocket for every vendor that streams: raw frames in, texts out, failures classified.

websockets is imported at `open`. The library answers pings and sends its own;
a peer that answers none of them for as long is taken for dead.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mds_engine.clock import Clock
from mds_engine.config.secret import Secret
from mds_engine.errors import AuthRequired, InvalidPayload, SourceError, Throttled, Unavailable
from mds_engine.policy.retry_after import parse_retry_after
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.scrub import Scrubber
from mds_engine.sources.transport_errors import describe_transport_error

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed, InvalidStatus

_LARGEST_MESSAGE = 8 * 1024 * 1024
_QUEUED_FRAMES = 256
_CLOSE_WITHIN_S = 2.0
_PROTOCOL_VIOLATIONS = frozenset({1002, 1003, 1007, 1009})


class WebSocketShell:
    """One connection of one stream, on the first of the source's endpoints that takes it.

    `endpoints` is the source's own, so that what one connection learns about
    the base URLs serves the next. Give every secret that goes into a URL.
    """

    def __init__(
        self,
        clock: Clock,
        endpoints: Endpoints,
        *,
        timeout_s: float,
        secrets: Iterable[Secret] = (),
        ping_every_s: float = 20.0,
        largest_message: int = _LARGEST_MESSAGE,
    ) -> None:
        self.scrub = Scrubber(secrets)
        self._clock = clock
        self._endpoints = endpoints
        self._timeout_s = timeout_s
        self._ping_every_s = ping_every_s
        self._largest_message = largest_message
        self._connection: ClientConnection | None = None

    async def open(self, path: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Connect to `path` (from the slash or question mark on). Raises a SourceError.

        Passes over endpoints that do not answer; what a vendor says about us
        (a login, a throttle) holds for all of them and is raised at once.
        """
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

    async def receive(self) -> str | bytes:
        """The next message: text as str, binary as bytes. Raises a SourceError when the connection ends."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._connected().recv()
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def receive_bytes(self) -> bytes:
        """The next message undecoded, text or binary: for decoders that read UTF-8 themselves."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._connected().recv(decode=False)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def send(self, text: str) -> None:
        """Send one text message. Raises a SourceError when the connection has ended."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connected().send(text)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def close(self) -> None:
        """End the connection. Safe to call twice, and before `open`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _connected(self) -> "ClientConnection":
        if self._connection is None:
            raise Unavailable("the stream is not connected")
        return self._connection

    async def _handshake(
        self, url: str, headers: Mapping[str, str] | None, share_s: float
    ) -> "ClientConnection":
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake, InvalidStatus

        host = urlsplit(url).netloc.rpartition("@")[2]
        try:
            async with asyncio.timeout(share_s):
                return await connect(
                    url,
                    additional_headers=headers,
                    # Market data is small messages at once; inflating them costs more than it saves.
                    compression=None,
                    proxy=None,
                    open_timeout=None,
                    close_timeout=_CLOSE_WITHIN_S,
                    ping_interval=self._ping_every_s,
                    ping_timeout=self._ping_every_s,
                    max_size=self._largest_message,
                    max_queue=_QUEUED_FRAMES,
                    # Not the library's own logger: at DEBUG it prints the URL, and with it the access token.
                    logger=logging.Logger("mds_engine.websocket", logging.CRITICAL),  # noqa: LOG001
                )
        except InvalidStatus as error:
            raise self._refused(host, error) from error
        except (OSError, InvalidHandshake) as error:
            why = describe_transport_error(error, share_s)
            raise Unavailable(f"{host} {self.scrub(why)}", raw=self.scrub(str(error))) from error

    def _refused(self, host: str, error: "InvalidStatus") -> SourceError:
        """What the vendor means by an HTTP answer to the handshake."""
        status, raw = error.response.status_code, self.scrub(error.response.body or b"")
        if status in (401, 403):
            return AuthRequired(f"{host} wants a login for the stream ({status})", raw=raw)
        if status in (418, 429):
            retry_after_s = parse_retry_after(error.response.headers.get("Retry-After"), self._clock.wall())
            return Throttled(
                f"{host} takes no further stream from us now ({status})",
                retry_after_s=retry_after_s,
                banned=status == 418,
                raw=raw,
            )
        return Unavailable(f"{host} refused the stream ({status})", raw=raw)

    def _closed(self, error: "ConnectionClosed") -> SourceError:
        """Why the connection ended, from the side that ended it."""
        if error.rcvd is not None and not (error.sent is not None and error.rcvd_then_sent is False):
            code, reason = error.rcvd.code, self.scrub(error.rcvd.reason)
            told = f"the vendor ended the stream ({code}{': ' + reason if reason else ''})"
            if code == 1008 and "too many" in reason.lower():
                return Throttled(told, raw=reason)
            return Unavailable(told, raw=reason)
        if error.sent is not None:
            code, reason = error.sent.code, self.scrub(error.sent.reason)
            if code in _PROTOCOL_VIOLATIONS:
                return InvalidPayload(f"the stream broke the protocol ({code}: {reason})", raw=reason)
            if code == 1011:
                return Unavailable("the stream died: the vendor answered no ping", raw=reason)
            return Unavailable("the stream was closed by us")
        return Unavailable("the stream broke off without a word")
