"""One (source, capability) as the router sees it: its breaker, latencies and counts."""

from typing import TYPE_CHECKING, Any

from mds_engine.model import Capability
from mds_engine.policy.breaker import Breaker
from mds_engine.policy.failback import Recovery
from mds_engine.policy.latency import LatencyTracker

if TYPE_CHECKING:
    from mds_engine.routing.requests import Request
    from mds_engine.routing.source_runtime import SourceRuntime

_UNKNOWN_S = 0.1
"""What a call is reckoned to take before it is known what it usually takes."""


class Unit:
    """What is kept for one capability of one source."""

    __slots__ = (
        "breaker",
        "calls",
        "capability",
        "failures",
        "flowing",
        "hedge_after_s",
        "last_request",
        "latency",
        "name",
        "problem",
        "recent_failures",
        "recovery",
        "runtime",
        "try_early",
        "typical_s",
        "usual_s",
    )

    def __init__(
        self,
        runtime: "SourceRuntime",
        capability: Capability,
        breaker: Breaker,
        latency: LatencyTracker,
        recent_failures: LatencyTracker,
        recovery: Recovery,
    ) -> None:
        self.runtime = runtime
        self.name = runtime.name
        self.capability = capability
        self.breaker = breaker
        self.latency = latency
        """Durations of the calls that were answered well."""
        self.recent_failures = recent_failures
        """Durations of those that failed: with `latency`, the error rate over a window."""
        self.recovery = recovery
        """How long and how often it has been well since it was last ill."""
        self.calls = 0
        self.failures = 0
        self.typical_s = _UNKNOWN_S
        """What a call is reckoned to take: a limiter's wait is weighed against it."""
        self.usual_s: float | None = None
        """What a call usually takes, refreshed now and then. None until learned."""
        self.hedge_after_s: float | None = None
        """The quantile of its latencies after which a hedge is due, in seconds. None until learned."""
        self.last_request: Request[Any] | None = None
        """The last that was answered well: what a probe asks again."""
        self.try_early = False
        """For ticks: a good check of the source suggests to try the stream before its breaker's time."""
        self.flowing = False
        """For ticks: whether data comes in over its stream now."""
        self.problem = ""
        """For ticks: why its stream is not up; empty while it is, or is not wanted."""

    def learn(self, usual_s: float) -> None:
        """Take what a call usually takes, in seconds, as it is known now."""
        self.usual_s = self.typical_s = usual_s
