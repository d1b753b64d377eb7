"""Faults on demand: what a vendor can do wrong, and where and how often it does it now."""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Literal

import msgspec


class FaultKind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"
    """The listening socket is closed and live connections are reset: connecting is refused."""
    HANG = "hang"
    """Requests are read and never answered; streams fall silent and answer no ping."""
    SLOW = "slow"
    """The answer (or the stream's handshake) comes `delay_s` later."""
    STATUS = "status"
    """HTTP `status` with the vendor's own body for it; any 4xx or 5xx."""
    THROTTLE = "throttle"
    """429 in the vendor's words, with Retry-After if `retry_after_s` is given."""
    BAN = "ban"
    """418 in the vendor's words, with Retry-After if `retry_after_s` is given."""
    TOKEN_EXPIRED = "token-expired"  # noqa: S105
    """The vendor's answer to a session that has ended. Sessions that began after the fault live on."""
    HTML = "html"
    """200 with a web page where JSON was due."""
    TRUNCATE = "truncate"
    """The body ends in the middle; `cut_connection` also breaks the framing and the connection."""
    ERROR_IN_200 = "error-in-200"
    """The vendor's own way to fail with HTTP 200."""
    QUOTA = "quota"
    """The plan's calls are used up, in the vendor's words."""
    WRONG_PRICE = "wrong-price"
    """Every price is multiplied by `factor`."""
    FROZEN_PRICE = "frozen-price"
    """Prices stand still while times go on."""
    MUTE_STREAM = "mute-stream"
    """Streams send no data, and go on answering pings."""
    CUT_STREAM = "cut-stream"
    """Live streams are reset at once; new ones are accepted, and cut at age `delay_s` if that is given."""
    TRUNCATED_FRAMES = "truncated-frames"
    """Stream frames are cut in half."""
    MUTE_INSTRUMENT = "mute-instrument"
    """Streams send nothing of `instrument`, and go on with all others."""
    DUPLICATE_FRAMES = "duplicate-frames"
    """Stream frames with data are sent twice, the copy `delay_s` later."""
    REORDERED_FRAMES = "reordered-frames"
    """Stream frames with data are sent `delay_s` late, or after the following one if that is zero."""
    DROPPED_FRAMES = "dropped-frames"
    """Stream frames with data are not sent."""
    STREAM_SHUTDOWN = "stream-shutdown"
    """Streams that live now are closed after `delay_s`; Binance announces it at once."""
    NO_TRADES = "no-trades"
    """Binance has no trades to ask for again: the answer is an empty list."""


Scope = Literal["all", "http", "ws"]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: its kind, its parameters, and which requests it hits.

    REFUSE stands on the port and the stream kinds stand on live streams, not on
    single requests: `scope` says nothing of them. To the kinds that change
    frames with data, `probability` and `first` count frames.
    """

    kind: FaultKind
    delay_s: float = 0.0
    """Seconds. SLOW: added to each answer. CUT_STREAM: age at which new streams are cut.

    DUPLICATE_FRAMES, REORDERED_FRAMES, STREAM_SHUTDOWN: see there.
    """
    status: int = 503
    """STATUS: the HTTP code."""
    retry_after_s: float | None = None
    """THROTTLE, BAN, STATUS: sent as Retry-After."""
    retry_after_as_date: bool = False
    """Retry-After as an HTTP date instead of seconds."""
    factor: float = 1.01
    """WRONG_PRICE: what prices are multiplied by."""
    cut_connection: bool = False
    """TRUNCATE: announce the whole length, send half, and break the connection."""
    path_prefix: str = ""
    """Only requests whose path starts so; empty means all."""
    scope: Scope = "all"
    """Requests and streams, or one of them only."""
    probability: float = 1.0
    """Share of the matching requests or frames that are hit."""
    first: int | None = None
    """Only this many matching requests or frames are hit, then the fault is spent; None means no limit."""
    instrument: str = ""
    """The kinds that change frames: only frames that tell of this `EXCHANGE:SYMBOL`; empty means all."""

    def __post_init__(self) -> None:
        if self.kind is FaultKind.MUTE_INSTRUMENT and not self.instrument:
            raise ValueError("mute-instrument needs an instrument, as NSE:INFY")


def problem_of(fault: Fault) -> str:
    """Why a fault cannot be made, in one sentence; empty if it can."""
    if fault.delay_s < 0:
        return f"delay_s is {fault.delay_s:g}; give seconds from 0 on"
    if not 400 <= fault.status <= 599:
        return f"status is {fault.status}; give an HTTP code from 400 to 599"
    if fault.retry_after_s is not None and fault.retry_after_s < 0:
        return f"retry_after_s is {fault.retry_after_s:g}; give seconds from 0 on"
    if fault.factor <= 0:
        return f"factor is {fault.factor:g}; give what prices are multiplied by, above 0"
    if not 0 <= fault.probability <= 1:
        return f"probability is {fault.probability:g}; give a share from 0 to 1"
    if fault.first is not None and fault.first < 1:
        return f"first is {fault.first}; give how many requests are hit, at least 1"
    return ""


class ActiveFault(msgspec.Struct, kw_only=True):
    """A fault that was injected and not yet cleared."""

    id: int
    vendor: str
    endpoint: int | None
    """Index of the endpoint; None means all of the vendor's."""
    fault: Fault
    injected_at: float
    """Epoch seconds."""
    hits: int = 0


_NOT_BY_REQUEST = frozenset(
    {
        FaultKind.REFUSE,
        FaultKind.MUTE_STREAM,
        FaultKind.CUT_STREAM,
        FaultKind.TRUNCATED_FRAMES,
        FaultKind.MUTE_INSTRUMENT,
        FaultKind.DUPLICATE_FRAMES,
        FaultKind.REORDERED_FRAMES,
        FaultKind.DROPPED_FRAMES,
        FaultKind.STREAM_SHUTDOWN,
    }
)
VIEW_KINDS = frozenset({FaultKind.WRONG_PRICE, FaultKind.FROZEN_PRICE})


class FaultBoard:
    """All faults of one simulator. The same seed hits the same requests."""

    def __init__(self, seed: int, wall: Callable[[], float]) -> None:
        self.seed = seed
        self._random = random.Random(seed)
        self._wall = wall
        self._ids = itertools.count(1)
        self._active: list[ActiveFault] = []
        self._waiters: set[asyncio.Event] = set()

    def __iter__(self) -> Iterator[ActiveFault]:
        return iter(tuple(self._active))

    def __bool__(self) -> bool:
        return bool(self._active)

    def inject(self, vendor: str, fault: Fault, endpoint: int | None = None) -> ActiveFault:
        """Switch a fault on."""
        active = ActiveFault(
            id=next(self._ids), vendor=vendor, endpoint=endpoint, fault=fault, injected_at=self._wall()
        )
        self._active.append(active)
        self._wake()
        return active

    def clear(self, vendor: str, *, endpoint: int | None = None, kind: FaultKind | None = None) -> int:
        """Switch off a vendor's faults, all or those of one endpoint or kind. Returns how many there were."""
        kept = [
            active
            for active in self._active
            if active.vendor != vendor
            or (endpoint is not None and active.endpoint != endpoint)
            or (kind is not None and active.fault.kind is not kind)
        ]
        cleared = len(self._active) - len(kept)
        self._active = kept
        self._wake()
        return cleared

    def active(self, vendor: str, endpoint: int) -> list[ActiveFault]:
        """The faults that stand on an endpoint, oldest first, whatever requests they hit."""
        return [
            active
            for active in self._active
            if active.vendor == vendor and active.endpoint in (None, endpoint) and not _spent(active)
        ]

    def standing(self, vendor: str, endpoint: int, kind: FaultKind, path: str = "") -> ActiveFault | None:
        """The newest fault of a kind that stands on a path, without counting a hit."""
        found = self.all_standing(vendor, endpoint, kind, path)
        return found[-1] if found else None

    def all_standing(self, vendor: str, endpoint: int, kind: FaultKind, path: str = "") -> list[ActiveFault]:
        """The faults of a kind that stand on a path, oldest first, without counting a hit."""
        return [active for active in self.on_streams(vendor, endpoint, path) if active.fault.kind is kind]

    def on_streams(self, vendor: str, endpoint: int, path: str) -> list[ActiveFault]:
        """The faults that stand on the live streams of a path, oldest first: not those of requests alone."""
        if not self._active:
            return []
        return [
            active
            for active in self.active(vendor, endpoint)
            if path.startswith(active.fault.path_prefix)
            and (active.fault.scope != "http" or active.fault.kind in _NOT_BY_REQUEST)
        ]

    def hit(self, vendor: str, endpoint: int, path: str, *, is_stream: bool) -> list[ActiveFault]:
        """The faults that hit this request, each counted."""
        hits = []
        for active in self.active(vendor, endpoint):
            fault = active.fault
            if fault.kind in _NOT_BY_REQUEST or not path.startswith(fault.path_prefix):
                continue
            if fault.scope != "all" and (fault.scope == "ws") != is_stream:
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            active.hits += 1
            hits.append(active)
        return hits

    async def cleared(self, active: ActiveFault) -> None:
        """Return once this fault has been cleared."""
        with self.watching() as changed:
            while any(other is active for other in self._active):
                changed.clear()
                await changed.wait()

    @contextmanager
    def watching(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever the board changes; the reader clears it."""
        event = asyncio.Event()
        self._waiters.add(event)
        try:
            yield event
        finally:
            self._waiters.discard(event)

    def _wake(self) -> None:
        for event in self._waiters:
            event.set()


def _spent(active: ActiveFault) -> bool:
    return active.fault.first is not None and active.hits >= active.fault.first
