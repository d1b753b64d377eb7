"""When a better source takes over again, and how gently."""

import msgspec


class FailbackSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source that has failed must prove itself before it leads a route again."""

    preemptive: bool = False
    """Whether a better source takes over as soon as it may serve; false: only once it has proved itself."""
    after_s: float = 30.0
    """Seconds that it must have been well."""
    good_checks: int = 3
    """Checks or calls without a failure between that it must have answered."""
    slow_start_s: float = 10.0
    """Seconds over which its share of the calls rises to all of them; 0: all at once."""
    slow_start_from: float = 0.1
    """Share of the calls that it gets at first, above 0.0 and at most 1.0."""

    def __post_init__(self) -> None:
        """Refuse what no failback could work with."""
        for name in ("after_s", "slow_start_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if self.good_checks < 1:
            raise ValueError("good_checks must be at least 1")
        if not 0 < self.slow_start_from <= 1:
            raise ValueError("slow_start_from is a share and must be above 0.0 and at most 1.0")


def slow_start_share(settings: FailbackSettings, since_s: float) -> float:
    """Share of the calls, up to 1.0, for a source that took over again `since_s` seconds ago."""
    if since_s >= settings.slow_start_s:
        return 1.0
    start = settings.slow_start_from
    return start + (1.0 - start) * max(0.0, since_s) / settings.slow_start_s


class Recovery:
    """How long one capability of one source has been well.

    It holds the sticky rule only: whether a route is preemptive is the
    route's own matter, and then it need not ask.
    """

    __slots__ = ("_well_since", "good_checks", "settings")

    def __init__(self, settings: FailbackSettings) -> None:
        self.settings = settings
        self.good_checks = 0
        """Good checks and calls since the last failure."""
        self._well_since = 0.0

    def good(self, now: float) -> None:
        """A check passed, or a call was answered well."""
        if not self.good_checks:
            self._well_since = now
        self.good_checks += 1

    def bad(self, now: float) -> None:  # noqa: ARG002 - outcomes come with their time
        """A check or a call failed: it starts from nothing."""
        self.good_checks = 0

    def may_take_over(self, now: float) -> bool:
        """Whether it has proved itself: good often enough, for long enough."""
        settings = self.settings
        return self.good_checks >= settings.good_checks and now - self._well_since >= settings.after_s

    def well_for_s(self, now: float) -> float:
        """Seconds since the first good answer after the last failure; 0 if there was none."""
        return now - self._well_since if self.good_checks else 0.0
