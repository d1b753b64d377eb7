"""What every `[sources.NAME]` block has, whatever its vendor."""

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings shared by all vendors. A vendor's module adds its own by subclassing.

    Every field is documented by the string below it: `config.toml.example` and
    docs/configuration.md are checked against these.
    """

    kind: str
    """The vendor adapter, as `binance`."""
    enabled: bool = True
    """Whether the source is in service."""
    priority: int = 0
    """Orders sources where no route names them; lower is asked first."""
    endpoints: tuple[str, ...] = ()
    """Base URLs for requests, tried in order; empty means the vendor's own."""
    stream_endpoints: tuple[str, ...] = ()
    """Base URLs for live streams, tried in order; empty means the vendor's own."""
    timeout_s: Seconds = 5.0
    """Longest time for one attempt at this source, in seconds."""
    connections: Count = 3
    """Requests in flight at once, which is also the size of the connection pool."""
    rate_limit: Count | None = None
    """Requests allowed in `rate_window_s`, in place of the vendor's published limit."""
    rate_window_s: Seconds = 1.0
    """Length of the window of `rate_limit`, in seconds."""
    calls_per_day: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """The plan's calls a day; unset means the vendor's default plan, 0 means no limit."""
    pace_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Where the vendor has no live streams, its quotes are asked for every so many seconds instead, one
    request at a time. Unset: so that four fifths of `calls_per_day` last until the vendor's midnight, and
    never faster than half of its limits allows. 0: never."""
    cost_per_call: str = "0"
    """Price of one request, exact decimal text, in `currency`."""
    cost_per_month: str = "0"
    """Fixed price of the plan a month, exact decimal text, in `currency`."""
    currency: str = "USD"
    """Currency of the costs (ISO 4217)."""
