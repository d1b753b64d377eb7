"""What a simulated vendor is made of: routes, streams, and its own words for every failure."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import ClassVar

from aiohttp import web

from mds_engine.clock import Clock
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.market import Market
from mds_engine.simulator.recorded import Recording, Recordings
from mds_engine.simulator.stream import Stream


@dataclass(frozen=True, slots=True)
class VendorContext:
    """What the simulator gives to each vendor."""

    market: Market
    """The truth; the vendor's own view comes with each call."""
    clock: Clock
    seed: int
    recordings: Path | None = None
    """The folder of all vendors' recordings, None to invent the answers."""


def _no_market() -> Market:
    raise RuntimeError("this call was made without a view of the market")


@dataclass(slots=True)
class Call:
    """One request, with what a handler needs to answer it."""

    request: web.Request
    endpoint: int
    """Index of the endpoint that was called."""
    market: Market
    """The vendor's view: late and noisy as it is, wrong or frozen if a fault says so."""
    clock: Clock
    faults: frozenset[FaultKind] = frozenset()
    """The kinds of the faults that hit this request: for what only the vendor can do about one."""
    recording: Recording | None = None
    """STREAM routes under `--recorded`: the frames to play instead of live ones."""
    market_now: Callable[[], Market] = field(default=_no_market)
    """The view as the faults stand at this moment: streams ask again for every frame."""

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of repeated ones the first (`request.query.getall` gives all)."""
        return self.request.query


Handler = Callable[[Call], Awaitable[web.StreamResponse]]
StreamHandler = Callable[[Call, Stream], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of a vendor. `path` is an aiohttp pattern, as `/instruments/{exchange}`.

    A stream route serves WebSockets: the handler owns the stream until it
    returns. Handshakes that need an HTTP error are refused in `admit`, which
    returns the response, or None to go on.
    """

    path: str
    group: str
    """What the wire log counts it under, as `quote`, `historical`, `ticks`."""
    handler: Handler | None = None
    stream: StreamHandler | None = None
    admit: Callable[[Call], Awaitable[web.Response | None]] | None = None
    method: str = "GET"
    needs_recording: bool = True
    """False for a route that `handler` answers under `--recorded` too: pings, clocks, logins."""


class Vendor(ABC):
    """One simulated vendor. Subclasses know its wire format and nothing of faults, ports or logs.

    A subclass gives `routes`, `fault_response` and `not_found`, and may give
    `recordings`, `after_response` and the class attributes.
    """

    name: ClassVar[str]
    endpoint_count: ClassVar[int] = 1
    websocket_path: ClassVar[str] = ""
    """Added to `ws://127.0.0.1:PORT` in the description."""
    lag_s: ClassVar[float] = 0.0
    """How old its data is."""
    login_path: ClassVar[str] = ""
    """The page on which an operator logs in; empty where there is none."""
    noise_steps: ClassVar[int] = 0
    """By how many price steps its last prices may be off."""

    def __init__(self, context: VendorContext) -> None:
        self.context = context

    @property
    def folder(self) -> Path | None:
        """This vendor's recordings, None to invent the answers."""
        root = self.context.recordings
        return None if root is None else root / self.name

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Every path that it serves."""

    @abstractmethod
    def fault_response(self, fault: Fault, call: Call) -> web.Response:
        """Its own answer to STATUS, THROTTLE, BAN, TOKEN_EXPIRED, ERROR_IN_200 and QUOTA.

        `retry_after_headers(fault, …)` makes the Retry-After header.
        """

    @abstractmethod
    def not_found(self, call: Call) -> web.Response:
        """Its answer to a path or an instrument that it does not have."""

    def recordings(self) -> Recordings:
        """Which request is answered by which recorded file. None by default."""
        return Recordings(())

    async def before_handler(self, call: Call, group: str) -> web.Response | None:  # noqa: ARG002
        """Called for each known request before its handler: limits, weights, keys. A response ends it."""
        return None

    def logged_in_since(self, call: Call, since: float) -> bool:  # noqa: ARG002
        """Whether the caller's session began after `since` (epoch seconds), or is only about to: what ended
        the sessions of that time does not concern it."""
        return False

    def decorate(self, call: Call, response: web.Response) -> None:  # noqa: B027
        """Called for each plain response before it is sent, faults' included: headers of its own."""

    async def close(self) -> None:  # noqa: B027
        """Called once when the simulator stops."""


def retry_after_headers(fault: Fault, now: float) -> dict[str, str]:
    """The Retry-After header that a fault asks for, as seconds or as an HTTP date; `now` is epoch seconds."""
    if fault.retry_after_s is None:
        return {}
    if fault.retry_after_as_date:
        return {"Retry-After": formatdate(now + fault.retry_after_s, usegmt=True)}
    return {"Retry-After": f"{fault.retry_after_s:.0f}"}


HTML_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Service maintenance</title></head>"
    "<body><h1>We'll be back soon</h1></body></html>\n"
)
