"""Records the raw frames of an engine's live streams, in a thread of its own.

recorder = Recorder(folder, FileBounds(), stem="recording")
recorder.attach("mds", engine.sources.values())    # before the engine starts
...
recorder.close()                                   # after it has stopped; blocks for the last batch
"""

import itertools
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from mds_engine.config.recording_settings import RecordingSettings
from mds_engine.config.secret import Secret
from mds_engine.log import get_logger
from mds_engine.recording.files import FileBounds, FrameFiles
from mds_engine.recording.format import FrameColumns, FrameKind, Header, RecordedFrame, RecordedSource
from mds_engine.recording.tap import Queue, SecretMask, Tap
from mds_engine.routing.source_runtime import SourceRuntime

_log = get_logger(__name__)

_LOOK_EVERY_S = 0.25
_WRITE_EVERY_S = 0.75
"""With the pause between looks, a frame is on its way to the disk within a second."""
_WRITE_BYTES = 256 * 1024
_BATCH_FRAMES = 2048
_MOST_WAITING_BYTES = 64 * 1024 * 1024
_CLOSE_WITHIN_S = 5.0
_FILES_OF_A_BLACK_BOX = 15


class Recorder:
    """Writes what its taps take into files. `tap` and the taps are for the engine's event loop."""

    def __init__(
        self,
        folder: Path,
        bounds: FileBounds,
        *,
        stem: str = "recording",
        wall: Callable[[], float] = time.time,
        most_waiting_bytes: int = _MOST_WAITING_BYTES,
    ) -> None:
        """Does no I/O. Files are `<stem>-<time>-<number>.arrows`; `wall` times the frames, epoch seconds."""
        self.folder = folder
        self.failure: str | None = None
        """Why nothing is recorded any more, in one sentence; None while all is well."""
        self.on_failure: Callable[[], object] | None = None
        """Called once, in the writer's thread, when `failure` is set."""
        self.frames_written = 0
        self._bounds = bounds
        self._stem = stem
        self._wall = wall
        self._queue = Queue(most_waiting_bytes)
        self._taps: weakref.WeakSet[Tap] = weakref.WeakSet()
        self._taps_lock = threading.Lock()
        self._connections = itertools.count(1)
        self._dropped_told = 0
        self._noted: dict[int, set[bytes]] = {}
        """By connection: the notes that stand in a file already."""
        self._header: Header | None = None
        self._secrets: list[Secret] = []
        self._mask = SecretMask(())
        self._files: FrameFiles | None = None
        self._written_at = 0.0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def frames_dropped(self) -> int:
        """Frames that were not recorded because the disk was too slow, or gone."""
        return self._queue.dropped

    @property
    def bytes_written(self) -> int:
        """Bytes of all files of this session."""
        return self._files.bytes_written if self._files is not None else 0

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of this session, oldest first, deleted ones included."""
        return tuple(self._files.paths) if self._files is not None else ()

    def attach(self, engine: str, runtimes: Iterable[SourceRuntime]) -> None:
        """Record every stream that these sources open from now on, and start the writer."""
        runtimes = tuple(runtimes)
        sources = {one.name: _recorded(one) for one in runtimes}
        secrets = [secret for one in runtimes for secret in _secrets(one)]
        self.start(engine, sources, secrets)
        for one in runtimes:
            one.recorder = self.tap

    def attach_more(self, runtimes: Iterable[SourceRuntime]) -> None:
        """Record these too, from a new file on whose head knows them; their secrets are masked as well."""
        assert self._header is not None, "a recorder is attached before more can be"
        assert self._files is not None
        secrets = list(self._secrets)
        sources = dict(self._header.sources)
        for one in runtimes:
            sources[one.name] = _recorded(one)
            secrets += _secrets(one)
            one.recorder = self.tap
        self._header = msgspec.structs.replace(self._header, sources=sources)
        self._secrets, self._mask = secrets, SecretMask(secrets)
        self._files.use(self._header)

    def start(self, engine: str, sources: dict[str, RecordedSource], secrets: Iterable[Secret] = ()) -> None:
        """Start the writer. The first file is made with the first frame."""
        assert self._thread is None, "a recorder is started once"
        header = Header(
            session=uuid.uuid4().hex[:12], engine=engine, started_ns=int(self._wall() * 1e9), sources=sources
        )
        self._header = header
        self._secrets = list(secrets)
        self._mask = SecretMask(self._secrets)
        self._files = FrameFiles(self.folder, self._stem, header, self._bounds, standing=self._standing)
        self._thread = threading.Thread(target=self._run, name="mds-recorder", daemon=True)
        self._thread.start()

    def tap(self, source: str) -> Tap:
        """Where one new connection of a source shows its frames."""
        tap = Tap(self._queue, self._wall, source, next(self._connections))
        with self._taps_lock:
            self._taps.add(tap)
        return tap

    def close(self, timeout_s: float = _CLOSE_WITHIN_S) -> None:
        """Write what waits and end the file. Safe to call twice, and before `start`."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    # --- In the writer's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        assert self._files is not None
        try:
            while not self._closing.wait(_LOOK_EVERY_S):
                if self._is_due():
                    self._write_all(self._files)
                self._files.housekeep(time.time())
            self._write_all(self._files)
            self._files.close()
        except OSError as error:
            self._fail(f"{self.folder}: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001  a defect here must not cost the desk its data
            _log.exception("recorder_defect")
            self._fail(f"a defect: {type(error).__name__}: {error}")

    def _is_due(self) -> bool:
        queue = self._queue
        return bool(queue.rows) and (
            queue.waiting_bytes >= _WRITE_BYTES or time.monotonic() - self._written_at >= _WRITE_EVERY_S
        )

    def _write_all(self, files: FrameFiles) -> None:
        # What comes meanwhile waits for the next turn, so that this ends however fast it comes.
        until = self._queue.taken_bytes
        while self._queue.written_bytes < until and (rows := self._queue.take(_BATCH_FRAMES)) is not None:
            files.write(rows._replace(payload=self._mask(rows.payload)), time.time())
            notes = rows.kind.count(FrameKind.NOTE)
            self.frames_written += len(rows.kind) - notes
            for place in (place for place, kind in enumerate(rows.kind) if notes and kind == FrameKind.NOTE):
                self._noted.setdefault(rows.connection[place], set()).add(rows.payload[place])
        self._note_drops(files)
        self._written_at = time.monotonic()

    def _note_drops(self, files: FrameFiles) -> None:
        dropped = self._queue.dropped
        if dropped > self._dropped_told:
            lost = str(dropped - self._dropped_told).encode()
            self._dropped_told = dropped
            _log.warning("frames_not_recorded", frames=int(lost), why="the disk is too slow")
            row = RecordedFrame(int(self._wall() * 1e9), "", 0, FrameKind.LOST, lost)
            files.write(FrameColumns.of([row]), time.time())

    def _standing(self, time_ns: int) -> list[RecordedFrame]:
        """The notes of all connections that are still there, for the head of a new file."""
        with self._taps_lock:
            taps = sorted(self._taps, key=lambda tap: tap.connection)
        self._noted = {tap.connection: self._noted.get(tap.connection, set()) for tap in taps}
        return [
            RecordedFrame(time_ns, tap.source, tap.connection, FrameKind.NOTE, *self._mask([note]))
            for tap in taps
            for note in tap.notes
            if note in self._noted[tap.connection]
        ]

    def _fail(self, why: str) -> None:
        assert self._files is not None
        self._queue.close()
        self._files.abandon()
        self.failure = f"the recording was stopped: {why}"
        _log.error("recording_stopped", why=why)
        if self.on_failure is not None:
            self.on_failure()


def _recorded(runtime: SourceRuntime) -> RecordedSource:
    source = runtime.source
    return RecordedSource(runtime.settings.kind, source.tick_time_unit_ns, source.numbering)


def _secrets(runtime: SourceRuntime) -> list[Secret]:
    settings = runtime.settings
    values = (getattr(settings, name) for name in settings.__struct_fields__)
    return [value for value in values if isinstance(value, Secret) and value]


def black_box(settings: RecordingSettings, engine: str) -> Recorder | None:
    """The recorder of a console's last minutes; None if it is switched off."""
    if not settings.black_box_minutes:
        return None
    keep_s = settings.black_box_minutes * 60.0
    total_bytes = settings.black_box_mb * 1_000_000
    bounds = FileBounds(
        file_bytes=total_bytes // _FILES_OF_A_BLACK_BOX,
        file_s=keep_s / _FILES_OF_A_BLACK_BOX,
        total_bytes=total_bytes,
        keep_s=keep_s,
        earlier_too=True,
    )
    return Recorder(settings.folder(engine), bounds, stem="black-box")
