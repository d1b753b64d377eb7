"""In which order the endpoints of one source are tried, each with a health of its own.

Pure. An endpoint that fails is left alone for a while that grows; when the
while is over and it ranks before the one in use, one request at a time tries
it. So the first is used again as soon as it answers, and no request but the
one that tries pays for finding out.
"""

import math
from collections.abc import Sequence

import msgspec


class EndpointSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an endpoint that fails is left alone."""

    failures: int = 1
    """Failures in a row after which it is left alone."""
    first_s: float = 10.0
    """Seconds that it is left alone the first time."""
    growth: float = 2.0
    """Each further time without a success between is this many times longer."""
    cap_s: float = 120.0
    """Longest time that it is left alone, seconds."""
    trial_s: float = 10.0
    """Seconds after which another request may try it, if the one that tried was never heard of again."""

    def __post_init__(self) -> None:
        """Refuse what no endpoint could work with."""
        if self.failures < 1:
            raise ValueError("failures must be at least 1")
        if not 0 < self.first_s <= self.cap_s:
            raise ValueError("first_s must be above 0 and at most cap_s")
        if self.growth < 1:
            raise ValueError("growth must be at least 1.0")
        if self.trial_s <= 0:
            raise ValueError("trial_s must be above 0")


class _Endpoint:
    """What is known of one endpoint. Times are monotonic seconds."""

    __slots__ = ("cooling", "due_at", "failures", "left_alone_s", "tried_until")

    def __init__(self) -> None:
        self.failures = 0
        self.cooling = False  # from the failure on until the next success
        self.due_at = 0.0
        self.left_alone_s = 0.0
        self.tried_until = -math.inf


class EndpointSet:
    """The endpoints of one source by index; 0 is preferred."""

    __slots__ = ("_endpoints", "_look_again_at", "_order", "settings")

    def __init__(self, count: int, settings: EndpointSettings | None = None) -> None:
        if count < 1:
            raise ValueError("a source needs at least one endpoint")
        self.settings = settings or EndpointSettings()
        self._endpoints = tuple(_Endpoint() for _ in range(count))
        self._order: tuple[int, ...] = tuple(range(count))
        self._look_again_at = math.inf

    def choose(self, now: float) -> Sequence[int]:
        """Indices to try one after the other; never empty.

        Those that are left alone are not among them, unless all are: then all
        are tried, the one due soonest first.
        """
        if now < self._look_again_at:
            return self._order
        return self._look(now)

    def failed(self, index: int, now: float) -> None:
        """A request to this one failed by its fault."""
        endpoint, settings = self._endpoints[index], self.settings
        endpoint.failures += 1
        if endpoint.failures < settings.failures:
            return
        if not endpoint.cooling:
            endpoint.cooling = True
            endpoint.left_alone_s = settings.first_s
        elif now >= endpoint.due_at:
            # Only a try that was due makes it longer: fifty requests that fail together are one outage.
            endpoint.left_alone_s = min(endpoint.left_alone_s * settings.growth, settings.cap_s)
        endpoint.due_at = now + endpoint.left_alone_s
        endpoint.tried_until = -math.inf
        self._arrange(now)

    def succeeded(self, index: int, now: float) -> None:
        """This one answered: it is well."""
        endpoint = self._endpoints[index]
        if not endpoint.failures:
            return
        endpoint.failures = 0
        endpoint.cooling = False
        endpoint.tried_until = -math.inf
        self._arrange(now)

    @property
    def active(self) -> int:
        """The one that requests go to first, single tries apart."""
        return self._order[0]

    def failures(self, index: int) -> int:
        """Failures in a row."""
        return self._endpoints[index].failures

    def retry_in_s(self, index: int, now: float) -> float:
        """Seconds until it is due again; 0 if it is not left alone."""
        endpoint = self._endpoints[index]
        return max(0.0, endpoint.due_at - now) if endpoint.cooling else 0.0

    def _look(self, now: float) -> Sequence[int]:
        """Arrange anew, and let this request try an endpoint that ranks before the one in use."""
        self._arrange(now)
        order = self._order
        for index, endpoint in enumerate(self._endpoints[: order[0]]):
            if endpoint.due_at <= now and endpoint.tried_until <= now:
                endpoint.tried_until = now + self.settings.trial_s
                self._arrange(now)
                return (index, *order)
        return order

    def _arrange(self, now: float) -> None:
        """Set the order for all requests, and the time at which it may change without an outcome."""
        endpoints = self._endpoints
        first_well = next((index for index, endpoint in enumerate(endpoints) if not endpoint.cooling), None)
        if first_well is None:
            self._order = tuple(sorted(range(len(endpoints)), key=lambda index: endpoints[index].due_at))
            self._look_again_at = math.inf
            return
        self._order = tuple(
            index
            for index, endpoint in enumerate(endpoints)
            if not endpoint.cooling or (index > first_well and endpoint.due_at <= now)
        )
        self._look_again_at = min(
            (
                max(endpoint.due_at, endpoint.tried_until)
                for index, endpoint in enumerate(endpoints)
                if endpoint.cooling and (index < first_well or endpoint.due_at > now)
            ),
            default=math.inf,
        )
