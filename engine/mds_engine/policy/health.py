"""How well a source is: a score for comparing, a status for people, and when to check it next.

Fed by active checks (which rise and fall) and by the outcomes of real calls
(which move the score and raise doubt). Pure; times are monotonic seconds.
"""

from enum import StrEnum

import msgspec

_FOLD_EVERY_S = 1.0
_FIRST_CALLS = 20  # the baseline is a plain mean over so many calls before time takes over


class HealthStatus(StrEnum):
    """The state of a source's health in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    DISCONNECTED = "disconnected"


class HealthSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Active checks and what the score is made of."""

    interval_s: float = 30.0
    """Seconds between active checks while all is clear."""
    doubt_interval_s: float = 2.0
    """Seconds between active checks while there is doubt."""
    rise: int = 3
    """Good checks in a row after which a source that was down is up."""
    fall: int = 3
    """Failed checks in a row after which it is down."""
    memory_s: float = 60.0
    """An outcome counts half after so many seconds."""
    baseline_s: float = 1800.0
    """Time over which the usual latency is learned, seconds."""
    slow_factor: float = 2.0
    """The score falls when calls take more than this many times the usual."""
    fresh_s: float = 90.0
    """Good news older than this many seconds lowers the score, by `stale_cost` at most."""
    stale_cost: float = 0.2
    """How much of the score is lost when nothing has been heard for long, 0.0-1.0."""
    degraded_below: float = 0.8
    """Score under which a source is degraded."""
    unhealthy_below: float = 0.5
    """Score under which a source is unhealthy."""

    def __post_init__(self) -> None:
        """Refuse what cannot be judged by."""
        for name in ("interval_s", "doubt_interval_s", "memory_s", "baseline_s", "fresh_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0")
        if self.doubt_interval_s > self.interval_s:
            raise ValueError("doubt_interval_s must not be above interval_s")
        if self.rise < 1 or self.fall < 1:
            raise ValueError("rise and fall must be at least 1")
        if self.slow_factor < 1:
            raise ValueError("slow_factor must be at least 1.0")
        if not 0 <= self.stale_cost <= 1:
            raise ValueError("stale_cost must be from 0.0 to 1.0")
        if not 0 <= self.unhealthy_below <= self.degraded_below <= 1:
            raise ValueError("unhealthy_below must be from 0.0 to degraded_below, and that at most 1.0")


class HealthTracker:
    """The health of one source."""

    __slots__ = (
        "_bad",
        "_baseline_s",
        "_calls",
        "_checks_failed",
        "_checks_passed",
        "_fold_at",
        "_folded_at",
        "_good",
        "_in_doubt",
        "_last_good_at",
        "_recent_s",
        "_seconds",
        "_timed",
        "_unreachable",
        "is_up",
        "settings",
    )

    def __init__(self, settings: HealthSettings | None = None) -> None:
        self.settings = settings or HealthSettings()
        self.is_up = True
        """What the active checks say: down after `fall` failed ones, up again after `rise` good ones."""
        self._checks_passed = 0
        self._checks_failed = 0
        self._in_doubt = False
        self._unreachable = 0
        self._good = 0.0
        self._bad = 0.0
        self._calls = 0
        self._seconds = 0.0
        self._folded_at = 0.0
        self._fold_at = 0.0
        self._last_good_at: float | None = None
        self._recent_s = 0.0
        self._baseline_s = 0.0
        self._timed = 0

    # --- What happened --------------------------------------------------------------------------------

    def succeeded(self, now: float, duration_s: float) -> None:
        """A call was answered well in `duration_s`."""
        # On the path of every call: what can wait is done once a second, by `_fold`.
        if now >= self._fold_at:
            self._fold(now)
        self._calls += 1
        self._seconds += duration_s
        self._last_good_at = now
        self._unreachable = 0

    def failed(self, now: float, *, unreachable: bool = False) -> None:
        """A call failed by the source's fault; `unreachable` if it did not get there at all."""
        self._fold(now)
        self._bad += 1.0
        self._in_doubt = True
        self._unreachable = self._unreachable + 1 if unreachable else 0

    def data_flowed(self, now: float) -> None:
        """A stream of the source brought data."""
        self._last_good_at = now
        self._unreachable = 0

    def check_passed(self, now: float) -> None:
        """An active check was answered well."""
        self._fold(now)
        self._good += 1.0
        self._last_good_at = now
        self._unreachable = 0
        self._in_doubt = False
        self._checks_failed = 0
        self._checks_passed += 1
        if self._checks_passed >= self.settings.rise:
            self.is_up = True

    def check_failed(self, now: float, *, unreachable: bool = False) -> None:
        """An active check failed; `unreachable` if it did not get there at all."""
        self.failed(now, unreachable=unreachable)
        self._checks_passed = 0
        self._checks_failed += 1
        if self._checks_failed >= self.settings.fall:
            self.is_up = False

    # --- What follows from it -------------------------------------------------------------------------

    def success_rate(self, now: float) -> float:
        """Share of good outcomes, 0.0-1.0, old ones counting less; without any it is 1.0."""
        self._fold(now)
        # The one good outcome that is assumed keeps a single failure from meaning the worst.
        return (self._good + 1.0) / (self._good + self._bad + 1.0)

    def score(self, now: float) -> float:
        """0.0-1.0 from the success rate, the latency against its own baseline, and the age of good news."""
        settings = self.settings
        success_rate = self.success_rate(now)
        speed = 1.0
        if self._recent_s > self._baseline_s * settings.slow_factor:
            speed = self._baseline_s * settings.slow_factor / self._recent_s
        age_s = 0.0 if self._last_good_at is None else now - self._last_good_at
        fresh = min(1.0, settings.fresh_s / age_s) if age_s > 0 else 1.0
        return success_rate * speed * (1.0 - settings.stale_cost * (1.0 - fresh))

    def status(self, now: float) -> HealthStatus:
        """The state in one word. Disconnected: nothing good was heard yet, or it cannot be reached."""
        settings = self.settings
        if self._last_good_at is None or self._unreachable >= settings.fall:
            return HealthStatus.DISCONNECTED
        score = self.score(now)
        if not self.is_up or score < settings.unhealthy_below:
            return HealthStatus.UNHEALTHY
        if self._checks_failed or score < settings.degraded_below:
            return HealthStatus.DEGRADED
        return HealthStatus.HEALTHY

    @property
    def in_doubt(self) -> bool:
        """Whether the next checks decide something: up but failing, or down but answering again."""
        return self._in_doubt if self.is_up else self._checks_passed > 0

    def next_check_in_s(self, now: float) -> float:  # noqa: ARG002 - all that is asked takes the time
        """Seconds to wait from now before the next active check."""
        return self.settings.doubt_interval_s if self.in_doubt else self.settings.interval_s

    def _fold(self, now: float) -> None:
        """Add the last good calls, and let what was counted weigh less for the time that has passed."""
        self._fold_at = now + _FOLD_EVERY_S
        since_s = now - self._folded_at
        self._folded_at = now
        calls = self._calls
        # The calls not yet added are as old as the last fold, or less than a second younger.
        self._good += calls
        if since_s > 0:
            left = 0.5 ** (since_s / self.settings.memory_s)
            self._good *= left
            self._bad *= left
        if not calls:
            return
        mean_s = self._seconds / calls
        self._calls = 0
        self._seconds = 0.0
        self._timed += calls
        # Calls weigh by their time, so that a burst does not teach what an hour should.
        first = calls / self._timed if self._timed - calls < _FIRST_CALLS else 0.0
        by_time, by_calls = since_s / (self.settings.memory_s + since_s), 1.0 - 0.9**calls
        self._recent_s += (mean_s - self._recent_s) * max(first, by_time, by_calls)
        by_time = since_s / (self.settings.baseline_s + since_s)
        self._baseline_s += (mean_s - self._baseline_s) * max(first, by_time)
