"""The breaker of a source as a whole, so that a dead vendor is learned once and not once per capability.

It opens when its endpoint could not be reached so many times in a row, over
all capabilities together, or when several capability breakers opened within a
window. All else (half-open probes, growing open time, forcing, resetting) is
the breaker's own.
"""

from random import Random

import msgspec

from mds_engine.policy.breaker import Breaker, BreakerSettings, BreakerState, Transition


class SourceBreakerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What takes a source out as a whole. A trigger set to 0 is off."""

    capabilities: int = 2
    """So many of its capability breakers opened within `window_s`; 0: never by this trigger."""
    window_s: float = 60.0
    """Seconds within which those openings are counted together."""
    unreachable: int = 5
    """So many calls in a row that did not reach the vendor at all; 0: never by this trigger."""

    def __post_init__(self) -> None:
        """Refuse what no breaker could work with."""
        if self.capabilities < 0 or self.unreachable < 0:
            raise ValueError("capabilities and unreachable must not be negative")
        if self.window_s <= 0:
            raise ValueError("window_s must be above 0")


class SourceBreaker(Breaker):
    """A breaker over all capabilities of one source.

    Every call of the source takes a permit here beside the one of its
    capability, and releases it here too: `success` when it was answered,
    `failure` with `unreachable` telling whether the vendor was reached at all.
    """

    __slots__ = ("_opened_at", "source_settings")

    def __init__(
        self, settings: SourceBreakerSettings, breaker_settings: BreakerSettings, random: Random
    ) -> None:
        """`breaker_settings` gives the times and probes; its triggers do not apply to a whole source."""
        super().__init__(_of_a_source(settings, breaker_settings), random)
        self.source_settings = settings
        self._opened_at: dict[str, float] = {}

    def use_both(self, settings: SourceBreakerSettings, breaker_settings: BreakerSettings) -> None:
        """Take other triggers and times from now on."""
        self.source_settings = settings
        self.use(_of_a_source(settings, breaker_settings))

    def failure(
        self, permit: int, now: float, duration_s: float, why: str, *, unreachable: bool = False
    ) -> Transition | None:
        """Release `permit`: the call failed. A vendor that answered, however badly, is reachable.

        A probe that fails opens the source again whatever the failure was.
        """
        if unreachable or self.state(now) is BreakerState.HALF_OPEN:
            return super().failure(permit, now, duration_s, why)
        return self.success(permit, now, duration_s)

    def capability_opened(self, capability: str, now: float, why: str) -> Transition | None:
        """Note that the breaker of `capability` opened; open the source if several did."""
        opened_at = self._opened_at
        opened_at[capability] = now
        oldest = now - self.source_settings.window_s
        recent = sorted(name for name, at in opened_at.items() if at >= oldest)
        if not 0 < self.source_settings.capabilities <= len(recent):
            return None
        return self.trip(now, f"breakers of {', '.join(recent)} opened: {why}")

    def capability_closed(self, capability: str) -> None:
        """Note that the breaker of `capability` is closed again, so that its opening counts no more."""
        self._opened_at.pop(capability, None)

    def reset(self, now: float, why: str) -> Transition | None:
        """Close and forget everything, the openings of the capabilities too."""
        self._opened_at.clear()
        return super().reset(now, why)


def _of_a_source(settings: SourceBreakerSettings, breaker_settings: BreakerSettings) -> BreakerSettings:
    return msgspec.structs.replace(
        breaker_settings, consecutive_failures=settings.unreachable, failure_rate=0.0, slow_rate=0.0
    )
