"""One open WebSocket, on picows: a message is handed on in the callback in which it arrives.

Between the socket and the taker there is no queue and no coroutine, which makes
it several times as fast as awaiting each message. Import this module where a
connection is opened, not before: picows takes a tenth of a second.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from aiohappyeyeballs import AddrInfoType, start_connection
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSParsedURL, WSTransport, ws_connect

Take = Callable[[Any], None]

_TEXT, _BINARY, _CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
_PING, _PONG, _CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE

_READ_BYTES = 64 * 1024
"""At most so much is read at once: a flood stays in the processor's cache, and lets others have the loop."""
_MOST_HELD = 256
_NEXT_ADDRESS_AFTER_S = 0.25
_TLS_GOODBYE_S = 2.0


class Ending(NamedTuple):
    """The close frame that ended a connection: whose it was, its code (0: it had none) and reason."""

    by_vendor: bool
    code: int
    reason: str


class Connection(WSListener):
    """Puts messages together, answers pings, and hands on what comes while somebody takes it.

    What comes while nobody does is held; beyond 256 messages reading stops, so
    that the vendor feels it. `ended` is set when nothing more will come, or the
    taker has failed; `failure` is the taker's exception.
    """

    __slots__ = (
        "_after_read",
        "_as_str",
        "_held",
        "_largest_message",
        "_over",
        "_part_bytes",
        "_parts",
        "_parts_are_text",
        "_straight",
        "_take",
        "_transport",
        "_writable",
        "connected",
        "ended",
        "failure",
    )

    _transport: WSTransport

    def __init__(self, largest_message: int) -> None:
        self.connected = False
        self.ended = asyncio.Event()
        self.failure: Exception | None = None
        self._largest_message = largest_message
        self._writable = asyncio.Event()
        self._writable.set()
        self._held: list[tuple[bool, bytes]] = []
        self._take: Take | None = None
        self._after_read: Callable[[], None] | None = None
        self._as_str = False
        self._parts: list[bytes] = []
        self._part_bytes = 0
        self._parts_are_text = False
        self._over = False
        """Whether what comes is for nobody any more."""
        self._straight = False
        """Whether a whole frame goes straight to the taker: there is one, and no message is in parts."""

    def start(self, take: Take, after_read: Callable[[], None] | None, *, texts_as_str: bool) -> None:
        """Hand on what was held, then what comes: texts as str, or else as their bytes.

        `after_read` is called after the last message of each read of the socket, and after one that failed.
        """
        self._take, self._after_read, self._as_str = take, after_read, texts_as_str
        self._straight = not self._parts and not self._over
        held, self._held = self._held, []
        for is_text, payload in held:
            self._hand_on(payload, is_text=is_text)
        self._read_is_over()
        if self.failure is None:
            self._socket_transport().resume_reading()

    def stop(self) -> None:
        """Hold again what comes."""
        self._take = self._after_read = None
        self._straight = False

    async def send(self, text: str) -> bool:
        """Send one text, and wait while the socket takes no more. False if the connection has ended."""
        transport = self._transport
        await self._writable.wait()
        if transport.is_disconnected or transport.is_close_frame_sent:
            return False
        transport.send(_TEXT, text)
        await self._writable.wait()
        return not transport.is_disconnected

    async def close(self, within_s: float) -> None:
        """Say goodbye, wait for the vendor's for at most `within_s` seconds, and free the socket."""
        self.stop()
        self._over = True
        self._held.clear()
        self._socket_transport().resume_reading()
        try:
            self._transport.send_close(WSCloseCode.OK)
            async with asyncio.timeout(within_s):
                await self._until_closed()
        except TimeoutError:
            self._transport.disconnect(graceful=False)
            await self._until_closed()
        finally:
            self._transport.disconnect(graceful=False)

    def ending(self) -> Ending | None:
        """How it ended; None where no close frame came or went."""
        closes: Any = self._transport.close_handshake  # None where no close frame came or went
        if closes is None:
            return None
        by_vendor = closes.recv is not None and (closes.sent is None or closes.recv_then_sent)
        first = closes.recv if by_vendor else closes.sent
        return None if first is None else Ending(by_vendor, int(first.code.value), first.reason or "")

    # --- What picows calls ---------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done; more may have come with it."""
        self._transport, self.connected = transport, True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """One frame: a whole message in nearly every case, which goes the short way."""
        kind = frame.msg_type
        if (
            not self._straight
            or (kind is not _TEXT and kind is not _BINARY)
            or not frame.fin
            or frame.rsv1
            or frame.rsv2
            or frame.rsv3
        ):
            self._take_apart(transport, frame, kind)
            if frame.last_in_buffer:
                self._read_is_over()
            return
        payload: bytes | str
        if kind is _TEXT and self._as_str:
            try:
                payload = frame.get_payload_as_utf8_text()
            except UnicodeDecodeError:
                self._violated(WSCloseCode.INVALID_TEXT, "a text is not UTF-8")
                return
        else:
            payload = frame.get_payload_as_bytes()
        try:
            self._take(payload)  # type: ignore[misc]  # there is one while `_straight`
        except Exception as error:  # noqa: BLE001  it is raised again where the messages are awaited
            self._failed(error)
        if self._after_read is not None and frame.last_in_buffer:
            self._read_is_over()

    def is_user_specific_pong(self, frame: WSFrame) -> bool:  # noqa: ARG002
        """Never: pongs come to `on_ws_frame` like all else, lest the last frame of a read go unseen."""
        return False

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        """The socket is closed."""
        self._writable.set()
        self.ended.set()

    def pause_writing(self) -> None:
        """The vendor reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    # --- The long way --------------------------------------------------------------------------------

    def _take_apart(self, transport: WSTransport, frame: WSFrame, kind: WSMsgType) -> None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._violated(WSCloseCode.PROTOCOL_ERROR, "a frame uses an extension that was not agreed on")
        elif kind is _PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is _PONG:
            transport.notify_user_specific_pong_received()
        elif kind is _CLOSE:
            self._answer_close(transport, frame.get_close_code())
        elif self._over:
            return
        elif (kind is _CONTINUATION) is not bool(self._parts):
            self._violated(WSCloseCode.PROTOCOL_ERROR, "the parts of a message are out of order")
        elif frame.fin and not self._parts:
            self._hold_or_hand_on(frame.get_payload_as_bytes(), is_text=kind is _TEXT)
        else:
            self._add_part(frame, kind)

    def _add_part(self, frame: WSFrame, kind: WSMsgType) -> None:
        if not self._parts:
            self._parts_are_text, self._part_bytes = kind is _TEXT, 0
        self._part_bytes += frame.payload_size
        if self._part_bytes > self._largest_message:
            self._violated(
                WSCloseCode.MESSAGE_TOO_BIG, f"a message is larger than {self._largest_message} bytes"
            )
            return
        self._parts.append(frame.get_payload_as_bytes())
        self._straight = False
        if frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._straight = self._take is not None
            self._hold_or_hand_on(whole, is_text=self._parts_are_text)

    def _hold_or_hand_on(self, payload: bytes, *, is_text: bool) -> None:
        if self._take is not None:
            self._hand_on(payload, is_text=is_text)
            return
        self._held.append((is_text, payload))
        if len(self._held) >= _MOST_HELD:
            self._socket_transport().pause_reading()

    def _hand_on(self, payload: bytes, *, is_text: bool) -> None:
        """A whole message to the taker, unless a message before it was the last."""
        if self._take is None:
            return
        message: bytes | str = payload
        if is_text and self._as_str:
            try:
                message = payload.decode()
            except UnicodeDecodeError:
                self._violated(WSCloseCode.INVALID_TEXT, "a text is not UTF-8")
                return
        try:
            self._take(message)
        except Exception as error:  # noqa: BLE001  it is raised again where the messages are awaited
            self._failed(error)

    def _read_is_over(self) -> None:
        if self._after_read is not None:
            try:
                self._after_read()
            except Exception as error:  # noqa: BLE001  it is raised again where the messages are awaited
                self._after_read = None
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        """The taker raised: what came before it is still good, what comes after it is for nobody."""
        self.failure = self.failure or error
        self._over, self._straight, self._take = True, False, None
        self._socket_transport().pause_reading()
        self.ended.set()

    def _violated(self, code: WSCloseCode, why: str) -> None:
        """Tell the vendor that it broke the protocol, and end."""
        self._over, self._straight, self._take = True, False, None
        self._transport.send_close(code, why)
        self._transport.disconnect()
        self.ended.set()

    def _answer_close(self, transport: WSTransport, code: WSCloseCode) -> None:
        """Say goodbye with the vendor's own code, where it may be sent."""
        unsendable = code in (WSCloseCode.NO_INFO, WSCloseCode.ABNORMAL_CLOSURE)
        transport.send_close(WSCloseCode.OK if unsendable else code)
        transport.disconnect()
        self.ended.set()

    async def _until_closed(self) -> None:
        # It raises what broke the protocol, which `ending` tells.
        with contextlib.suppress(Exception):
            await self._transport.wait_disconnected()

    def _socket_transport(self) -> asyncio.Transport:
        return self._transport.underlying_transport


class _Socket(socket.socket):
    """Reads in pieces. picows would double its buffer as long as a read fills it, up to megabytes."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return super().recv_into(buffer, min(nbytes or len(buffer), _READ_BYTES), flags)


def _make_socket(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    return _Socket(family=family, type=kind, proto=protocol)


async def open_connection(
    url: str, headers: Mapping[str, str], *, ping_after_s: float, largest_message: int
) -> Connection:
    """Connect and shake hands. Raises OSError, EOFError and picows' own errors.

    A vendor that has sent nothing for `ping_after_s` seconds is sent a ping, and
    taken for dead if it does not answer within as many again. Cancelled, it
    leaves no socket behind.
    """
    connection = Connection(largest_message)
    used: list[socket.socket] = []
    tls: dict[str, Any] = {"ssl_shutdown_timeout": _TLS_GOODBYE_S} if url.startswith("wss:") else {}

    async def connect(address: WSParsedURL) -> socket.socket:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        one = await start_connection(
            found, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S, socket_factory=_make_socket
        )
        used.append(one)
        return one

    try:
        await ws_connect(
            lambda *_: connection,
            url,
            websocket_handshake_timeout=None,
            # Not the library's own logger: it prints the URL, and with it the access token.
            logger_name=logging.Logger("mds_engine.websocket", logging.CRITICAL),  # noqa: LOG001
            enable_auto_ping=True,
            auto_ping_idle_timeout=ping_after_s,
            auto_ping_reply_timeout=ping_after_s,
            enable_auto_pong=False,
            max_frame_size=largest_message,
            extra_headers=headers,
            # Room for a read and for a message that a read before it has begun.
            read_buffer_init_size=2 * _READ_BYTES,
            socket_factory=connect,
            # Python's own TLS: the engine's other connections use it too.
            use_aiofastnet=False,
            **tls,
        )
    except BaseException:
        # A handshake that is given up leaves its transport to itself; without a socket it ends at once.
        for one in used:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        raise
    if not connection.connected:
        raise EOFError  # the vendor hung up in the middle of the handshake
    return connection
