"""Asking a second vendor when the first is slow: after how long, and how often at all."""

import msgspec

from mds_engine.policy.call_share import CallShare


class HedgeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hedges of all routes that hedge; a route does so only if it is configured to."""

    quantile: float = 0.95
    """A hedge goes out when a call has taken longer than this quantile of the learned latencies, 0.0-1.0."""
    share: float = 0.05
    """Hedges allowed per call, 0.0-1.0, over `window_s`."""
    window_s: float = 60.0
    """Seconds over which the budget is counted."""
    minimum_delay_s: float = 0.02
    """A hedge waits at least so long, seconds, however fast the source is."""

    def __post_init__(self) -> None:
        """Refuse what no hedge could work with."""
        if not 0 < self.quantile < 1:
            raise ValueError("quantile must be above 0.0 and below 1.0")
        if not 0 <= self.share <= 1:
            raise ValueError("share must be from 0.0 to 1.0")
        if self.window_s <= 0:
            raise ValueError("window_s must be above 0")
        if self.minimum_delay_s < 0:
            raise ValueError("minimum_delay_s must not be negative")


def hedge_delay_s(settings: HedgeSettings, learned_p95_s: float | None) -> float | None:
    """Seconds after which a second source is asked; None: do not hedge, for nothing is learned yet.

    `learned_p95_s` is the latency at `settings.quantile` of the source asked first.
    """
    if learned_p95_s is None:
        return None
    return max(learned_p95_s, settings.minimum_delay_s)


def may_hedge(metered: bool) -> bool:
    """Whether a hedge may go to a source: never to one that charges or counts by the call (`metered`)."""
    return not metered


class HedgeBudget(CallShare):
    """Keeps hedges within their share of the calls. There is no minimum: a few calls earn no hedge."""

    __slots__ = ()

    def __init__(self, settings: HedgeSettings) -> None:
        super().__init__(settings.share, 0, settings.window_s)
