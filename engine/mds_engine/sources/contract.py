"""What a source is to the engine: a small contract, with pure decoders beside it.

A vendor is one module (or folder) that exposes a `SourcePlugin`, found through
the entry-point group `mds_engine.sources`. See docs/adding-a-vendor.md.

Every method turns every failure into exactly one of the classes of
`mds_engine.errors`; nothing else leaves a source but CancelledError. A source
does not retry: the router decides who is asked next.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mds_engine.clock import Clock
from mds_engine.config.source_settings import SourceSettings
from mds_engine.model import Capability, Instrument, Interval, Quote, Tick
from mds_engine.policy.limiter import LimitWindow
from mds_engine.secret import Secret

UNTOLD = "UNKNOWN"
"""The symbol, and only in what decoders of files give, where a payload does not say whose it is."""

if TYPE_CHECKING:
    from mds_engine.model import Bars


class BarsRequest(NamedTuple):
    """Bars that open in [start_ns, end_ns), UTC nanoseconds; both are always set."""

    instrument: Instrument
    interval: Interval
    start_ns: int
    end_ns: int


class TradesRequest(NamedTuple):
    """Trades that a stream should have brought, by the vendor's own numbers, both included.

    The numbers are those of the ticks' `sequence` of this source's own stream
    (for Binance trade ids or aggregate trade ids, as its stream is configured).
    """

    instrument: Instrument
    first_sequence: int
    last_sequence: int


class StreamLimits(NamedTuple):
    """How much one source may stream. None where the vendor sets no bound."""

    instruments: int | None = None
    """Instruments a connection."""
    connections: int | None = None
    """Connections at once."""


class RequestCost(NamedTuple):
    """What one HTTP request takes from the limiter."""

    group: str = "default"
    """The vendor's endpoint group; a key of `Source.limits()`."""
    weight: int = 1
    counted: bool = True
    """Whether it counts against the plan's calls; False for what the vendor answers without a key."""


class EndpointState(NamedTuple):
    """One base URL, for the operator's eyes."""

    url: str
    active: bool
    failures: int
    retry_in_s: float


class FrameTap(Protocol):
    """Takes what one connection brings, as it came. Must return at once and raise nothing."""

    def __call__(self, frame: bytes | str, /) -> None:
        """One frame, before it is decoded: text (as str or as its UTF-8 bytes) or binary."""
        ...

    def note(self, payload: bytes) -> None:
        """What a decoder must know beside the frames from here on, for `FrameDecoder.note` to read back.

        Kite: JSON `{"instruments": {"408065": "NSE:INFY"}}`, with each subscription, before it is sent.
        """
        ...


class SourceContext(Protocol):
    """What the engine lends to a source. All methods are for the engine's event loop."""

    name: str
    clock: Clock

    async def pay(self, cost: RequestCost) -> None:
        """Wait for the limiter's leave to send one further request.

        The guarded call has paid for the first request of `quotes` and `bars`
        at `Source.cost(...)`; every further request, and everything that
        `connect`, `check` or a stream sends over HTTP, is paid for here. Raises
        Throttled(local=True) where the wait is not worth it, QuotaExhausted
        where the plan is used up.
        """
        ...

    def observe_usage(
        self, group: str, window_s: float, *, used: int | None = None, remaining: int | None = None
    ) -> None:
        """The vendor's own count of what we used in a window, from its headers."""
        ...

    def set_limit(self, group: str, window_s: float, limit: int) -> None:
        """The vendor published another limit than we knew (Binance's exchangeInfo)."""
        ...

    def endpoint_switched(self, before: str, after: str, why: str) -> None:
        """Requests now go to another base URL."""
        ...

    def frame_tap(self) -> FrameTap | None:
        """Where a new stream shows its raw frames; None while nobody records."""
        ...


class TickStream(ABC):
    """One live connection of one source. The engine's supervisor owns it.

    Life: `open`, then `run` in a task while `subscribe`/`unsubscribe` are
    called as wishes change, then `close`. It does not reconnect by itself.
    """

    last_frame_at: float = 0.0
    """Monotonic time of the last frame of any kind, heartbeats included."""
    renew_at: float = float("inf")
    """Monotonic time by which another connection should carry the load: the vendor will end this one.

    A stream moves it forward when the vendor announces an earlier end, and goes on meanwhile.
    """

    @abstractmethod
    async def open(self) -> None:
        """Connect and log in. Raises a SourceError."""

    @abstractmethod
    async def run(self) -> None:
        """Receive, decode and deliver until the connection ends, which always raises a SourceError."""

    @abstractmethod
    async def subscribe(self, instruments: Iterable[Instrument]) -> None:
        """Ask for instruments, in the vendor's batch sizes and message rates."""

    @abstractmethod
    async def unsubscribe(self, instruments: Iterable[Instrument]) -> None:
        """Ask for them no more."""

    @abstractmethod
    async def close(self) -> None:
        """End the connection. Safe to call twice, and in any state."""

    def newly_unknown(self) -> frozenset[Instrument]:
        """Subscribed instruments that the vendor, as it said since this was last asked, does not have."""
        return frozenset()


Deliver = Callable[[Sequence[Tick]], None]
"""Takes the ticks of one frame, in the order they came; `source` and `received_ns` are set by the stream."""


class Source(ABC):
    """One configured vendor account."""

    capabilities: frozenset[Capability]
    stream_limits: StreamLimits = StreamLimits()
    """What one stream carries, and how many streams there may be. One answer for the life of the source."""
    tick_time_unit_ns: int = 1_000_000
    """How finely the vendor times its ticks, in nanoseconds: Kite's seconds are 1_000_000_000."""
    numbering: str = ""
    """What the `sequence` of its ticks counts, where its vendor counts in several ways. Sources of one kind
    that count differently are to each other as two vendors."""
    has_trades: bool = False
    """Whether `trades` can give what its stream has missed."""
    polls: bool = False
    """Whether its quotes, asked for again and again, stand in for a stream that it does not have."""
    replays: bool = False
    """Whether what it gives was recorded, and is not the present."""
    quotes_at_once: int = 1
    """How many instruments one request of `quotes` asks for, so that a poll asks for as many."""

    @abstractmethod
    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        """The vendor's published limits: the windows of each endpoint group."""

    @abstractmethod
    def cost(self, capability: Capability, instruments: int) -> RequestCost:
        """What the first HTTP request of a call for so many instruments takes. Pure and quick."""

    @abstractmethod
    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        """Whether the vendor can have this instrument at all, judged by its exchange. Pure and quick."""

    @abstractmethod
    async def connect(self) -> None:
        """Get ready: log in, open pools. Cheap where the vendor needs none. Raises a SourceError."""

    @abstractmethod
    async def close(self) -> None:
        """Give everything back. Safe to call twice, and before `connect`."""

    @abstractmethod
    async def check(self) -> None:
        """The cheapest request that proves that the vendor answers us, paid for through `pay`.
        Raises a SourceError."""

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        """The latest quotes. Instruments that the vendor does not know are missing from the answer;
        if none is known, raises NotFound."""
        raise _unsupported(self, "quotes", instruments)

    async def bars(self, request: BarsRequest) -> "Bars":
        """Bars of one instrument. Raises NotFound if the vendor has none in that span,
        InvalidRequest never for what another vendor could serve (then NotFound)."""
        raise _unsupported(self, "bars", request)

    async def trades(self, request: TradesRequest) -> list[Tick]:
        """Trades by number, oldest first, each as the stream would have brought it; those that the
        vendor no longer has are missing. Only where `has_trades`."""
        raise _unsupported(self, "trades", request)

    def stream(self, deliver: Deliver) -> TickStream:
        """A new live connection, not yet opened."""
        raise _unsupported(self, "ticks", deliver)

    def endpoints(self) -> tuple[EndpointState, ...]:
        """The state of each base URL; empty where there is none to show."""
        return ()

    def use_credentials(self, settings: Any) -> None:
        """Go on with the secrets of these settings, which differ in nothing else, after a login.

        Live streams ask to be renewed. Only where the plugin has a `login`.
        """
        raise _unsupported(self, "a login", settings)


def _unsupported(source: Source, what: str, _request: object) -> NotImplementedError:
    return NotImplementedError(f"{type(source).__name__} does not declare {what} among its capabilities")


Decoder = Callable[[bytes], Iterable[Any]]
"""A raw payload (one body or one frame) to model objects: Quote, Bars, Tick, or instrument records
(msgspec structs), oldest first. Raises a SourceError for what the payload says is wrong; of a file with
many frames, what one of them says may come in its place among the others, and the rest after it."""


class DecodeKind(NamedTuple):
    """One kind of payload for `mds-tui decode VENDOR KIND FILE`."""

    decode: Decoder
    framing: str
    """body (the whole file), lines (one frame a line, text or base64), or length-prefixed."""
    about: str


class FrameDecoder(Protocol):
    """Decodes the recorded frames of one connection, in the order in which they came."""

    def note(self, payload: bytes) -> None:
        """Take what the stream noted beside its frames (for Kite: which token is which instrument)."""
        ...

    def decode(self, frame: bytes, received_ns: int) -> Sequence[Tick]:
        """The ticks of one frame. Raises a SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class VendorLogin:
    """How an operator logs in at a vendor whose credentials end: on a page of the vendor's, in a browser.

    All but `ends_at` are given the source's settings. Nothing of this is heavy
    before `exchange` is called.
    """

    brings: str
    """What the operator brings back from the page, as `the address that you are sent to`."""
    account: tuple[str, ...]
    """The settings by which the vendor knows whose login it is: for another account it is worth nothing."""
    gives: tuple[str, ...]
    """The settings, all of them secrets, that a login gives anew."""
    missing: Callable[[Any], str]
    """Why nobody can log in with these settings, and what to put where; empty where they can."""
    page: Callable[[Any], str]
    """The address of the page. Sends nothing."""
    exchange: Callable[[Any, Secret], Awaitable[Mapping[str, Secret]]]
    """What the operator brought, for the settings that `gives` names. Raises a SourceError."""
    ends_at: Callable[[float], float]
    """When the vendor ends a login that was done at a time; both are epoch seconds UTC."""
    honoured_s: float = 0.0
    """How long after that the vendor may still honour it: an answer by then does not prove a new one."""


@dataclass(frozen=True, slots=True)
class SourcePlugin:
    """What a vendor's package registers under the entry-point group `mds_engine.sources`."""

    kind: str
    title: str
    settings: type[SourceSettings]
    """The type of `[sources.NAME]`; its defaults are the vendor's real base URLs."""
    create: Callable[[Any, SourceContext], Source]
    """Called with the settings and the context; must do no I/O and no heavy import."""
    needs_key: bool = False
    """True if nothing works without credentials."""
    quota_zone: str = "UTC"
    """IANA time zone at whose midnight the vendor's days and months begin."""
    decoders: Mapping[str, DecodeKind] = field(default_factory=dict)
    frame_decoder: Callable[[str], FrameDecoder] | None = None
    """A decoder of one connection's recorded frames, given the source's name; None if it streams nothing."""
    login: VendorLogin | None = None
    """How to log in there; None where credentials do not end."""
