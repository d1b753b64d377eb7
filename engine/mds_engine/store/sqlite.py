"""What survives a restart: one SQLite file, one writer thread.

The thread commits whatever has queued up, so that a producer pays for a place
in the queue and not for a commit, a storm of events makes a few large
transactions, and a value that changes with every request is written once for
many changes. Whoever must know that a thing is safe awaits
`committed()`: from then on it survives `kill -9` and a power cut.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, Self

from mds_engine.errors import MdsError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, until REAL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (
    number INTEGER PRIMARY KEY, stream TEXT NOT NULL, at REAL NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS log_by_time ON log (stream, at);
"""

_LINGER_S = 0.02
"""What nobody waits for is given this long to be joined by what comes next, in seconds."""

_RETRY_S = 1.0
"""A disk that refused is asked again this often while something waits to be written."""

_BUSY_S = 5.0
"""How long another process may hold the file."""

_PRUNE_EVERY_S = 600.0

_QUEUE_LIMIT = 200_000
"""Log entries kept in memory while the disk refuses; beyond it the oldest go, and are counted."""


class StoreError(MdsError):
    """The state file cannot be used; the message is one sentence for the operator."""


class Entry(NamedTuple):
    """One kept value. `until` is its end in epoch seconds UTC, None if it has none."""

    key: str
    value: bytes
    until: float | None


class LogEntry(NamedTuple):
    """One line of an append-only log. `number` ascends over restarts; `at` is epoch seconds UTC."""

    number: int
    at: float
    body: bytes


class _Put(NamedTuple):
    kind: str
    key: str
    value: bytes | None
    until: float | None


class _Append(NamedTuple):
    stream: str
    at: float
    body: bytes


class _Batch(NamedTuple):
    puts: dict[tuple[str, str], _Put]
    lines: deque[_Append]


class Store:
    """Values by kind and key, and append-only logs. Every method may be called from any thread.

    `retention_s` is how long entries of each log are kept, in seconds of the
    entries' own time; logs that it does not name are kept for good.
    """

    def __init__(self, path: Path, retention_s: Mapping[str, float] | None = None) -> None:
        self.path = path
        self.dropped = 0
        """Log entries lost because the disk refused for too long."""
        self.failure: str | None = None
        """Why the disk refuses now, None while it takes what it is given."""
        self._retention_s = dict(retention_s or {})
        self._pruned_at: dict[str, float] = {}
        self._queue = _Batch({}, deque())
        self._waiting: list[Future[None]] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._idle = False
        self._closing = False
        self._unsynced = False
        self._writer: threading.Thread | None = None

    @classmethod
    def open(cls, path: Path, retention_s: Mapping[str, float] | None = None) -> Self:
        """Open or create the file and start the writer. Raises StoreError."""
        store = cls(path, retention_s)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(store._connection()) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(_sentence(path, error)) from error
        store._writer = threading.Thread(target=store._write_until_closed, name="mds-store", daemon=True)
        store._writer.start()
        return store

    def put(self, kind: str, key: str, value: bytes, *, until: float | None = None) -> None:
        """Keep `value`, in place of what was there."""
        self._enqueue_put(_Put(kind, key, value, until))

    def remove(self, kind: str, key: str) -> None:
        """Keep it no more."""
        self._enqueue_put(_Put(kind, key, None, None))

    def append(self, stream: str, at: float, body: bytes) -> None:
        """Add one line to a log; `at` is epoch seconds UTC."""
        with self._lock:
            self._refuse_if_closed()
            lines = self._queue.lines
            lines.append(_Append(stream, at, body))
            if len(lines) > _QUEUE_LIMIT:
                lines.popleft()
                self.dropped += 1
            self._wake()

    async def committed(self) -> None:
        """Return when all that was put, removed or appended before this call is on the disk.

        Raises StoreError if the disk refuses; what waits stays in memory and is
        tried again, and so may be on the disk later all the same.
        """
        await asyncio.shield(asyncio.wrap_future(self._ask()))

    def flush(self, timeout_s: float = 30.0) -> None:
        """`committed()` for callers without an event loop. Raises StoreError."""
        try:
            self._ask().result(timeout_s)
        except TimeoutError:
            raise StoreError(f"{self.path} took longer than {timeout_s:g} s to write") from None

    def entries(self, kind: str, now: float) -> list[Entry]:
        """What is kept of a kind on the disk and not over at `now` (epoch seconds), by key."""
        rows = self._read(
            "SELECT key, value, until FROM kept WHERE kind = ? AND (until IS NULL OR until > ?) ORDER BY key",
            (kind, now),
        )
        return [Entry(*row) for row in rows]

    def log(self, stream: str, *, since: float = 0.0, limit: int = 1000) -> list[LogEntry]:
        """The latest `limit` lines of a log from `since` (epoch seconds) on, oldest first."""
        rows = self._read(
            "SELECT number, at, body FROM log WHERE stream = ? AND at >= ? ORDER BY number DESC LIMIT ?",
            (stream, since, limit),
        )
        return [LogEntry(*row) for row in reversed(rows)]

    def close(self) -> None:
        """Write what is queued, once, and end the writer. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._writer is not None:
            self._writer.join()
            self._writer = None

    def _enqueue_put(self, put: _Put) -> None:
        with self._lock:
            self._refuse_if_closed()
            self._queue.puts[put.kind, put.key] = put
            self._wake()

    def _refuse_if_closed(self) -> None:
        if self._closing:
            raise StoreError(f"{self.path} is closed")

    def _wake(self) -> None:
        # Waking a thread that is awake costs more than all the rest.
        if self._idle:
            self._idle = False
            self._changed.notify()

    def _ask(self) -> Future[None]:
        asked: Future[None] = Future()
        with self._changed:
            if self._writer is None or self._closing:
                raise StoreError(f"{self.path} is closed")
            self._waiting.append(asked)
            self._changed.notify()
        return asked

    def _write_until_closed(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            batch, waiting, closing = self._next_batch()
            try:
                if connection is None:
                    connection = self._connection()
                self._commit(connection, batch, durable=bool(waiting) or closing)
            except sqlite3.Error as error:
                self.failure = _sentence(self.path, error)
                if connection is not None:
                    connection.close()
                connection = None
                self._give_back(batch)
                for asked in waiting:
                    asked.set_exception(StoreError(self.failure))
                if closing:
                    return
                self._pause()
                continue
            self.failure = None
            for asked in waiting:
                asked.set_result(None)
            if closing:
                connection.close()
                return

    def _next_batch(self) -> tuple[_Batch, list[Future[None]], bool]:
        """Wait for something to do, and take all of it."""
        with self._changed:
            while not (any(self._queue) or self._waiting or self._closing):
                self._idle = True
                self._changed.wait()
            self._idle = False
            self._changed.wait_for(self._is_urgent, _LINGER_S)
            batch, self._queue = self._queue, _Batch({}, deque())
            waiting, self._waiting = self._waiting, []
            return batch, waiting, self._closing

    def _is_urgent(self) -> bool:
        return bool(self._waiting) or self._closing

    def _commit(self, connection: sqlite3.Connection, batch: _Batch, *, durable: bool) -> None:
        # FULL syncs before the commit returns; it is asked for only where somebody waits for the word.
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT INTO log (stream, at, body) VALUES (?, ?, ?)", batch.lines)
            for put in batch.puts.values():
                _apply(connection, put)
            if durable and self._unsynced:
                # A commit that writes nothing syncs nothing: give it something to write.
                _apply(connection, _Put("store", "synced", b"", None))
            self._prune(connection, batch.lines)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._unsynced = not durable

    def _prune(self, connection: sqlite3.Connection, lines: Iterable[_Append]) -> None:
        newest = {line.stream: line.at for line in lines}
        for stream, at in newest.items():
            keep_s = self._retention_s.get(stream)
            if keep_s is None or at - self._pruned_at.get(stream, float("-inf")) < _PRUNE_EVERY_S:
                continue
            connection.execute("DELETE FROM log WHERE stream = ? AND at < ?", (stream, at - keep_s))
            self._pruned_at[stream] = at

    def _give_back(self, batch: _Batch) -> None:
        with self._changed:
            # What came since is newer: its values stand, its lines come after.
            self._queue = _Batch({**batch.puts, **self._queue.puts}, batch.lines + self._queue.lines)

    def _pause(self) -> None:
        """Wait until the disk is worth another try, or somebody asks."""
        with self._changed:
            self._changed.wait_for(self._is_urgent, _RETRY_S)

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)

    def _read(self, query: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            with contextlib.closing(self._connection()) as connection:
                return connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(_sentence(self.path, error)) from error


def _apply(connection: sqlite3.Connection, put: _Put) -> None:
    if put.value is None:
        connection.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (put.kind, put.key))
    else:
        connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", put)


def _sentence(path: Path, error: Exception) -> str:
    words = str(error).lower()
    if "full" in words or "no space" in words or "disk i/o" in words:
        return (
            f"The disk that holds {path} is full or refuses to write: make room; nothing is lost until then."
        )
    if "readonly" in words or "read-only" in words or "unable to open" in words or isinstance(error, OSError):
        return f"{path} cannot be written: check that the folder exists and belongs to you ({error})."
    if "not a database" in words or "malformed" in words:
        return f"{path} is damaged or not a state file: move it away and start again."
    if "locked" in words:
        return f"{path} is held by another process: end that one, or configure another path."
    return f"{path} cannot be used: {error}."
