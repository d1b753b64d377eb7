"""The process behind one tab of a browser: started with one end of a socket pair, ended for certain."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec
from mds_engine.attached_server import AttachedScreens, Visitor
from mds_engine.log import get_logger
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from mds_tui.web.tab_settings import VARIABLE, TabSettings

END_WITHIN_S = 3.0
"""By itself; then it is killed."""
MOST_STDERR_BYTES = 4096
"""Kept of what it complains of, for the log."""
_READY = b"__GANGLION__\n"
_KEPT_NAMES = frozenset(
    {
        *("PATH", "PYTHONPATH", "VIRTUAL_ENV", "HOME", "USER", "LOGNAME", "TMPDIR"),
        *("LANG", "LANGUAGE", "TZ", "NO_COLOR"),
        *("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"),
    }
)
_KEPT_KINDS = ("LC_", "TEXTUAL", "TERM_PROGRAM", "COLUMNS", "ROWS")
_log = get_logger(__name__)


class TabProcess(AppService):
    """One of them, with its way to the engine.

    Of textual-serve it is the packets to and from the app and the downloads. Its
    own way of starting goes through a shell and hands on the whole environment,
    keys of vendors included; its own way of ending waits for ever for a process
    that is held up writing to a browser that is gone.
    """

    def __init__(
        self,
        screens: AttachedScreens,
        visitor: Visitor,
        settings: TabSettings,
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        download_manager: DownloadManager,
    ) -> None:
        super().__init__(
            "", write_bytes=write_bytes, write_str=write_str, close=close, download_manager=download_manager
        )
        self._screens = screens
        self._visitor = visitor
        self._settings = settings
        self._attending: asyncio.Task[None] | None = None
        self._complaints = bytearray()

    async def start(self, width: int, height: int) -> None:
        """Start it, so many cells wide and high."""
        ours, its = socket.socketpair()
        with its:
            told = msgspec.structs.replace(self._settings, channel=its.fileno())
            environment = kept_environment(self._build_environment(width, height))
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "mds_tui.web.tab",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**environment, VARIABLE: msgspec.json.encode(told).decode()},
                pass_fds=(its.fileno(),),
                # Ctrl+C at the terminal is for the server, which ends its tabs in order.
                start_new_session=True,
            )
        self._stdin = self._process.stdin
        reader, writer = await asyncio.open_connection(sock=ours)
        self._attending = asyncio.create_task(
            self._screens.attend(reader, writer, self._visitor), name=f"engine for {self._visitor.who}"
        )
        self._task = asyncio.create_task(self.run(), name=f"tab of {self._visitor.who}")

    async def run(self) -> None:
        """Hand on what it draws until it ends; then close the tab."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        complaining = asyncio.create_task(self._read_complaints(), name="complaints of a tab")
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await process.stdout.readuntil(_READY)
                while True:
                    kind = await process.stdout.readexactly(1)
                    size = int.from_bytes(await process.stdout.readexactly(4), "big")
                    await self._hand_on(kind, await process.stdout.readexactly(size))
        finally:
            complaining.cancel()
            await asyncio.gather(complaining, return_exceptions=True)
            with suppress(ConnectionError):
                await self.remote_close()

    async def stop(self) -> None:
        """End it and wait for that, at most for `END_WITHIN_S`; then it is killed. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN_S):
                await self.send_meta({"type": "quit"})
                await process.wait()
        if process.returncode is None:
            _log.warning("tab_killed", who=self._visitor.who, process=process.pid)
            process.kill()
            await process.wait()
        if process.returncode:
            words = self._complaints.decode(errors="replace")
            _log.warning("tab_failed", who=self._visitor.who, code=process.returncode, said=words)
        tasks = [task for task in (self._task, self._attending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert process.stdin is not None
        process.stdin.close()

    async def _hand_on(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"D":
                await self.on_data(payload)
            case b"M":
                await self.on_meta(payload)
            case b"P":
                await self.on_packed(payload)

    async def _read_complaints(self) -> None:
        process = self._process
        assert process is not None
        assert process.stderr is not None
        while data := await process.stderr.read(MOST_STDERR_BYTES):
            self._complaints = (self._complaints + data)[-MOST_STDERR_BYTES:]


def kept_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a tab needs of the environment: no vendor's key, and no token."""
    return {
        name: value for name, value in environ.items() if name in _KEPT_NAMES or name.startswith(_KEPT_KINDS)
    }
