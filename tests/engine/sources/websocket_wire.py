"""A WebSocket server's side of the wire, byte by byte, for what no library would send."""

import base64
import hashlib

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA


def handshake_for(request: bytes) -> bytes:
    """The answer that takes the connection."""
    lines = request.split(b"\r\n")
    key = next(
        line.split(b":", 1)[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key:")
    )
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def frame(opcode: int, payload: bytes = b"", *, last: bool = True, reserved: int = 0) -> bytes:
    """One frame of less than 64 KiB, unmasked as a server sends it. `reserved` are its RSV bits, 0 to 7."""
    first = (0x80 if last else 0) | reserved << 4 | opcode
    size = len(payload)
    return bytes([first, size] if size < 126 else [first, 126, size >> 8, size & 0xFF]) + payload


def text_frame(text: str) -> bytes:
    """A whole text message."""
    return frame(TEXT, text.encode())


def close_frame(code: int, reason: str = "") -> bytes:
    """The end of a connection."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode())


def frames_sent(sent: bytes) -> list[tuple[int, bytes]]:
    """What a client sent: the opcode and the unmasked payload of each frame of less than 126 bytes."""
    found, at = [], 0
    while at < len(sent):
        size = sent[at + 1] & 0x7F
        mask, masked = sent[at + 2 : at + 6], sent[at + 6 : at + 6 + size]
        found.append((sent[at] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))))
        at += 6 + size
    return found
