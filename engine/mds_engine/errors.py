"""What can go wrong, classified once.

Every source turns every failure into exactly one of the seven classes below;
breakers, limiters and the router read only the class. See DESIGN: "What can
go wrong, classified once".
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from mds_engine.model.decision import Decision


class MdsError(Exception):
    """Base of every error that mds-engine raises on purpose."""


class ConfigError(MdsError):
    """The configuration cannot be used. The message names file, line, key and remedy."""


class UnknownSourceError(MdsError):
    """A caller or a command named a source that is not configured."""


class SourceError(MdsError):
    """One failure of one source, classified.

    `source` is filled in by the guarded call if the adapter left it empty.
    `raw` is the vendor's own words (body, close reason), shortened and with
    secrets removed, for the operator's detail view.
    """

    counts_against_breaker: ClassVar[bool] = False
    """True if this class is evidence that the source is ill."""

    tries_next_source: ClassVar[bool] = True
    """False only for a caller's mistake, which no other source can repair."""

    def __init__(self, message: str, *, source: str = "", raw: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.raw = raw

    @property
    def class_name(self) -> str:
        """The name used in decisions, events, logs and `decode --json`."""
        return type(self).__name__


class Unavailable(SourceError):
    """Refused, reset, timed out, 5xx, TLS: the vendor did not answer.

    `unreachable` marks that no connection came about at all (refused, no such
    host, TLS, connect timeout): evidence against the source as a whole.
    """

    counts_against_breaker = True

    def __init__(self, message: str, *, unreachable: bool = False, source: str = "", raw: str = "") -> None:
        super().__init__(message, source=source, raw=raw)
        self.unreachable = unreachable


class Throttled(SourceError):
    """429, 418, or a 200 whose body says so. Never the breaker's business.

    `retry_after_s` is in seconds from now, None if the vendor did not say.
    `banned` marks a ban (418): it outlasts the limiter and a restart.
    `local` marks a refusal by our own limiter, before anything was sent.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        banned: bool = False,
        local: bool = False,
        source: str = "",
        raw: str = "",
    ) -> None:
        super().__init__(message, source=source, raw=raw)
        self.retry_after_s = retry_after_s
        self.banned = banned
        self.local = local


class AuthRequired(SourceError):
    """401, 403, an expired token: the source needs a login."""


class QuotaExhausted(SourceError):
    """The plan's calls are used up. `resets_at` is epoch seconds UTC, None if unknown."""

    def __init__(
        self, message: str, *, resets_at: float | None = None, source: str = "", raw: str = ""
    ) -> None:
        super().__init__(message, source=source, raw=raw)
        self.resets_at = resets_at


class InvalidPayload(SourceError):
    """Truncated, not JSON, wrong schema, an impossible value."""

    counts_against_breaker = True


class NotFound(SourceError):
    """This source does not know the instrument, or has no data for it. Another may.

    `local` marks that its adapter knew that before anything was sent.
    """

    def __init__(self, message: str, *, local: bool = False, source: str = "", raw: str = "") -> None:
        super().__init__(message, source=source, raw=raw)
        self.local = local


class InvalidRequest(SourceError):
    """The caller's mistake: raised to the caller, and no source's health is hurt."""

    tries_next_source = False


class AllSourcesFailedError(MdsError):
    """No source of the route could answer within the deadline.

    `decision` holds every candidate with what became of it; `retry_at` is the
    earliest time (epoch seconds UTC) at which another try makes sense, None
    when nobody can tell.
    """

    def __init__(self, message: str, *, decision: "Decision", retry_at: float | None = None) -> None:
        super().__init__(message)
        self.decision = decision
        self.retry_at = retry_at
