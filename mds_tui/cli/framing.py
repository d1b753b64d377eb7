"""A file of raw payloads, taken apart into what came as one body or one frame."""

import base64
import binascii
import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

_GZIP_MAGIC = b"\x1f\x8b"
_LOGGED_AT = re.compile(rb"\d+(?:\.\d+)?:?\s+(?=[{\[])")
"""Recorders put the time of receipt before a frame."""


class Frame(NamedTuple):
    """One payload."""

    number: int
    """Counted from 1: the line, where the file has lines."""
    payload: bytes
    unarmoured: bytes | None = None
    """What base64 of it says, where it may be that."""
    alone: bool = False
    """Whether the file is this one body, so that its number says nothing."""


def read_file(name: str) -> bytes:
    """The bytes of a file, of stdin for `-`; gzip is unpacked."""
    if name == "-":
        content = sys.stdin.buffer.read()
    else:
        try:
            content = Path(name).read_bytes()
        except OSError as error:
            raise click.UsageError(f"{name}: {error.strerror}") from None
    if content.startswith(_GZIP_MAGIC):
        try:
            return gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise click.UsageError(f"{name}: is not whole gzip: {error}") from None
    return content


def frames(content: bytes, framing: str) -> Iterator[Frame]:
    """The frames of a file, by the framing of its kind (`DecodeKind.framing`).

    Bodies too may come many to a file, if each is one line of JSON.
    """
    is_body = framing == "body"
    if (is_body and not _is_json_lines(content)) or not _is_text(content) or _is_one_document(content):
        yield Frame(1, content, None if is_body else _unarmoured(content), alone=is_body)
        return
    for number, line in enumerate(content.splitlines(), start=1):
        stripped = line.strip()
        logged = _LOGGED_AT.match(stripped)
        payload = stripped[logged.end() :] if logged else stripped
        if payload:
            yield Frame(number, payload, _unarmoured(payload))


def _is_text(content: bytes) -> bool:
    """Whether a file has lines at all; a binary frame is no line, whatever bytes it holds."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(character < " " and character not in "\t\r\n" for character in text)


def _is_json_lines(content: bytes) -> bool:
    """Whether there is more than one line, and each is an object; no line of an indented document is."""
    lines = [line for line in map(bytes.strip, content.splitlines()) if line]
    return len(lines) > 1 and all(line[:1] == b"{" and line[-1:] == b"}" and len(line) > 1 for line in lines)


def _is_one_document(content: bytes) -> bool:
    """Whether it is one JSON text, perhaps over many lines, rather than one on each."""
    stripped = content.strip()
    if b"\n" not in stripped or stripped[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(stripped)
    except ValueError:
        return False
    return True


def _unarmoured(payload: bytes) -> bytes | None:
    try:
        return base64.b64decode(payload.strip(), validate=True) or None
    except (binascii.Error, ValueError):
        return None
