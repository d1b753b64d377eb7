"""What reached the simulator, by its own count: the judge's evidence in drills."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Literal

import msgspec

Outcome = Literal["answered", "hung", "cut", "abandoned", "stream"]
"""`abandoned`: the client went away before the answer. `stream`: a WebSocket was opened."""


class WireEntry(msgspec.Struct, kw_only=True):
    """One request that arrived."""

    number: int
    at: float
    """Epoch seconds of arrival."""
    vendor: str
    endpoint: int
    method: str
    path: str
    query: str
    group: str
    """The route's group, as `quote`, `historical`, `ticks`; empty for an unknown path."""
    outcome: Outcome = "answered"
    status: int = 0
    """HTTP status sent; 0 until answered."""
    faults: list[str] = []
    """Kinds of the faults that hit it."""


class WireLog:
    """Counts every request, and keeps the newest ones whole.

    A connection that is refused never reaches the simulator, so it cannot be
    counted here: that is what "refused" means.
    """

    def __init__(self, vendor: str, wall: Callable[[], float], *, kept: int = 20_000) -> None:
        self._vendor = vendor
        self._wall = wall
        self._entries: deque[WireEntry] = deque(maxlen=kept)
        self._total = 0
        self._by_group: Counter[str] = Counter()
        self._waiters: set[asyncio.Event] = set()
        self.resets = 0
        """Live connections that a fault reset."""

    def arrived(self, endpoint: int, method: str, path: str, query: str, group: str) -> WireEntry:
        """Note a request; the caller fills in how it ended."""
        self._total += 1
        self._by_group[group] += 1
        entry = WireEntry(
            number=self._total,
            at=self._wall(),
            vendor=self._vendor,
            endpoint=endpoint,
            method=method,
            path=path,
            query=query,
            group=group,
        )
        self._entries.append(entry)
        self.touch()
        return entry

    def touch(self) -> None:
        """Wake those who wait: something was noted."""
        for waiter in self._waiters:
            waiter.set()

    async def until(self, ready: Callable[["WireLog"], bool]) -> None:
        """Return once `ready` is true of this log; it is asked again after every note."""
        changed = asyncio.Event()
        self._waiters.add(changed)
        try:
            while not ready(self):
                changed.clear()
                await changed.wait()
        finally:
            self._waiters.discard(changed)

    @property
    def total(self) -> int:
        """Requests since the start."""
        return self._total

    def by_group(self) -> dict[str, int]:
        """Requests since the start, by route group."""
        return dict(self._by_group)

    def entries(
        self,
        *,
        group: str | None = None,
        endpoint: int | None = None,
        path_prefix: str = "",
        since: int = 0,
    ) -> list[WireEntry]:
        """Requests whose number is above `since`, oldest first, of those still kept."""
        return [
            entry
            for entry in self._entries
            if entry.number > since
            and (group is None or entry.group == group)
            and (endpoint is None or entry.endpoint == endpoint)
            and entry.path.startswith(path_prefix)
        ]
