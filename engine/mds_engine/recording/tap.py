"""Where a stream shows its frames: on the event loop, so it does next to nothing."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from mds_engine.config.secret import Secret
from mds_engine.recording.format import FrameColumns, FrameKind

_ROW_BYTES = 128
"""What a waiting frame takes beside its payload, about."""
_MOST_NOTES_BYTES = 4 * 1024 * 1024
_SHORTEST_SECRET = 8
"""A shorter one would be found by chance in binary frames."""


class _Note(bytes):
    """A note among the frames."""


_KINDS: dict[type, int] = {
    str: FrameKind.TEXT.value,
    bytes: FrameKind.BINARY.value,
    _Note: FrameKind.NOTE.value,
}


class Queue:
    """Frames on their way from the event loop to the writer. One thread puts, one takes.

    Each number is written by one side only, and a deque's two ends may be used
    from two threads: so there is no lock.
    """

    __slots__ = ("dropped", "most_bytes", "room_until", "rows", "taken_bytes", "written_bytes")

    def __init__(self, most_bytes: int) -> None:
        self.rows: deque[float | Tap | bytes | str] = deque()
        """Time, tap, frame, one by one: tuples that wait would keep the garbage collector busy."""
        self.most_bytes = most_bytes
        self.taken_bytes = 0
        """By the taps, since the beginning."""
        self.written_bytes = 0
        """By the writer, since the beginning."""
        self.room_until = most_bytes
        """The taps may take so many bytes since the beginning. Moved on by the writer."""
        self.dropped = 0
        """Frames that found no room."""

    def close(self) -> None:
        """Take nothing more, and forget what waits."""
        self.room_until = -1
        self.rows.clear()

    @property
    def waiting_bytes(self) -> int:
        """What the waiting frames take in memory, about."""
        return self.taken_bytes - self.written_bytes

    def take(self, most_frames: int) -> FrameColumns | None:
        """The oldest frames, at most so many; None if none waits."""
        count = min(most_frames, len(self.rows) // 3)
        if not count:
            return None
        pop = self.rows.popleft
        flat: list[Any] = [pop() for _ in range(3 * count)]
        walls, taps, payloads = flat[::3], flat[1::3], flat[2::3]
        self.written_bytes += sum(map(len, payloads)) + _ROW_BYTES * count
        self.room_until = self.written_bytes + self.most_bytes
        kinds = [_KINDS[type(payload)] for payload in payloads]
        if FrameKind.TEXT in kinds:
            payloads = [
                payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
                for payload in payloads
            ]
        return FrameColumns(
            [int(wall * 1e9) for wall in walls],
            [tap.source for tap in taps],
            [tap.connection for tap in taps],
            kinds,
            payloads,
        )


class Tap:
    """Takes the frames of one connection. A `FrameTap`."""

    __slots__ = ("__weakref__", "_put", "_queue", "_wall", "connection", "notes", "source")

    def __init__(self, queue: Queue, wall: Callable[[], float], source: str, connection: int) -> None:
        self.source = source
        self.connection = connection
        self.notes: tuple[bytes, ...] = ()
        """What holds for the frames that come now. Replaced as a whole: the writer reads it too."""
        self._queue = queue
        self._put = queue.rows.extend
        self._wall = wall

    def __call__(self, frame: bytes | str, /) -> None:
        """Take one frame; where there is no room it is counted and dropped."""
        queue = self._queue
        taken = queue.taken_bytes + len(frame) + _ROW_BYTES
        if taken > queue.room_until:
            queue.dropped += 1
            return
        queue.taken_bytes = taken
        self._put((self._wall(), self, frame))

    def note(self, payload: bytes) -> None:
        """Take what the decoder must know. Not dropped for want of room: without it no frame can be read."""
        if payload in self.notes or self._queue.room_until < 0:
            return
        notes = (*self.notes, payload)
        while len(notes) > 1 and sum(map(len, notes)) > _MOST_NOTES_BYTES:
            notes = notes[1:]
        self.notes = notes
        self._queue.taken_bytes += len(payload) + _ROW_BYTES
        self._put((self._wall(), self, _Note(payload)))


class SecretMask:
    """Takes configured secrets out of rows, should a vendor ever echo one."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        texts = {secret.reveal() for secret in secrets}
        spellings = {
            spelling.encode()
            for text in texts
            if len(text) >= _SHORTEST_SECRET
            for spelling in (text, quote(text, safe=""), quote_plus(text))
        }
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, payloads: Sequence[bytes]) -> Sequence[bytes]:
        """The payloads, with asterisks in place of secrets."""
        if not self._spellings:
            return payloads
        # One search over all of them: it all but never finds anything.
        joined = b"\0".join(payloads)
        found = [spelling for spelling in self._spellings if spelling in joined]
        return [_masked(payload, found) for payload in payloads] if found else payloads


def _masked(payload: bytes, spellings: list[bytes]) -> bytes:
    for spelling in spellings:
        payload = payload.replace(spelling, b"*" * len(spelling))
    return payload
