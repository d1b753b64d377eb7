"""Everything that an operator can do: one closed union of small frozen structs.

Routes are written `NSE/quote`, instruments `NSE:RELIANCE`, so that a command
reads the same in a log, over HTTP and on the command line.
"""

from enum import StrEnum

import msgspec

from mds_engine.secret import Secret


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", forbid_unknown_fields=True):
    by: str = "operator"
    """Who asked."""
    why: str = ""
    """The reason that was given."""


class FailOver(_Command, frozen=True, tag="fail-over"):
    """Move a route off its active source now; failback follows by itself, as after any failover."""

    route: str
    to: str | None = None
    """The source to move to; None takes the next one that can serve."""


class Pin(_Command, frozen=True, tag="pin"):
    """Force a route onto one source, whatever its priorities say."""

    route: str
    source: str
    ttl_s: float | None = 900.0
    """Seconds until the route returns to automatic; None holds until it is ended."""


class Unpin(_Command, frozen=True, tag="automatic"):
    """Give a route back to automatic choice."""

    route: str


class SetPriority(_Command, frozen=True, tag="set-priority"):
    """Reorder the sources of a route; the first is the primary."""

    route: str
    sources: tuple[str, ...]


class ForcedState(StrEnum):
    """What a breaker can be forced to."""

    OPEN = "open"
    CLOSED = "closed"
    AUTOMATIC = "automatic"


class ForceBreaker(_Command, frozen=True, tag="force-breaker"):
    """Hold a breaker open or closed until told otherwise; `automatic` ends it."""

    source: str
    state: ForcedState
    capability: str | None = None
    """None means every breaker of the source."""
    ttl_s: float | None = 900.0
    """Seconds until it is automatic again; None holds until it is ended."""


class ResetBreaker(_Command, frozen=True, tag="reset-breaker"):
    """Close a breaker and forget what opened it."""

    source: str
    capability: str | None = None
    """None means every breaker of the source."""


class EnableSource(_Command, frozen=True, tag="enable-source"):
    """Take a source into service, or out of it."""

    source: str
    enabled: bool = True


class RestartSource(_Command, frozen=True, tag="restart-source"):
    """Close a source and connect it anew; what is known of its limits, quotas and breakers stays."""

    source: str


class SetRateLimit(_Command, frozen=True, tag="set-rate-limit"):
    """Change how much a source may be sent, below or above what the vendor publishes."""

    source: str
    limit: int
    """Requests (or weight, where the vendor counts so) in a window."""
    window_s: float = 1.0
    """Length of the window in seconds; it must be one that the limiter has."""
    group: str = "default"
    """The vendor's endpoint group."""


class CheckHealth(_Command, frozen=True, tag="check-health"):
    """Run the active health check of a source now."""

    source: str


class Login(_Command, frozen=True, tag="login"):
    """Log in at a vendor: without an answer ask for its page, with one exchange what the page gave."""

    source: str
    answer: Secret | msgspec.UnsetType = msgspec.UNSET
    """What the operator brought back from the page. It is nowhere written: an encoder refuses it."""


class Subscribe(_Command, frozen=True, tag="subscribe"):
    """Watch the live ticks of instruments."""

    instruments: tuple[str, ...]


class Unsubscribe(_Command, frozen=True, tag="unsubscribe"):
    """Stop watching instruments."""

    instruments: tuple[str, ...]


class ApplyConfig(_Command, frozen=True, tag="apply-config"):
    """Take what the engine's configuration file says now; only what changed is touched.

    It bears no configuration: that may hold secrets, and this goes to logs and screens.
    """

    digest: str = ""
    """Of the text that was looked at, as `mds_engine.config.file` reckons it: what was written since is not
    taken. Empty takes the file as it is."""


class StartDrill(_Command, frozen=True, tag="start-drill"):
    """Rehearse a fault of a source on the running engine, on our side of its connection; it ends by itself.

    Nothing is sent to the vendor that would not be sent anyway.
    """

    scenario: str
    """One of `mds_engine.control.drill.SCENARIOS`."""
    target: str
    """A source, or a route, which means the source that serves it now."""
    duration_s: float = 60.0
    """Seconds for which the fault stands; what it broke is watched for a while after that."""
    accept_loss: bool = False
    """Whether it may hit a route that has no other source now."""


class EndDrill(_Command, frozen=True, tag="end-drill"):
    """End the fault of the drill at once; said again, end the watching of its recovery too."""


Command = (
    FailOver
    | Pin
    | Unpin
    | SetPriority
    | ForceBreaker
    | ResetBreaker
    | EnableSource
    | RestartSource
    | SetRateLimit
    | CheckHealth
    | Login
    | Subscribe
    | Unsubscribe
    | ApplyConfig
    | StartDrill
    | EndDrill
)


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command."""

    accepted: bool
    message: str
    """One sentence: what was done, or why not."""
    reverse: Command | None = None
    """The command that undoes it, None where nothing needs undoing or nothing can."""
    page: str = ""
    """For `Login` without an answer: the address at which to log in, for who asked alone."""


def same(one: Command, other: Command) -> bool:
    """Whether both would do the same, whoever asked and why."""
    return msgspec.structs.replace(one, by="", why="") == msgspec.structs.replace(other, by="", why="")


def on_record(command: Command) -> Command:
    """The command as it may be written down and shown: without what was entrusted to it."""
    if isinstance(command, Login):
        return msgspec.structs.replace(command, answer=msgspec.UNSET)
    return command
