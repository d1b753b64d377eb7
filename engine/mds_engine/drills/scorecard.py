"""What a drill found, as `mds-tui drill --json` prints it."""

import msgspec

from mds_engine.control import Event


class Check(msgspec.Struct, frozen=True):
    """One thing that must hold: `value` was measured, `limit` is what is allowed."""

    name: str
    value: float
    limit: str
    """In words, as `= 0`, `≤ 2.0 s`."""
    ok: bool


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """What the callers saw."""

    total: int
    ok: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one drill."""

    scenario: str
    seed: int
    verdict: str
    """pass or fail."""
    checks: tuple[Check, ...]
    calls: Calls
    timeline: tuple[Event, ...]
    took_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every check held."""
        return self.verdict == "pass"


def at_most(name: str, value: float, limit: float, unit: str = "") -> Check:
    """A check that `value` is not above `limit`."""
    return Check(name, round(value, 3), f"≤ {limit:g}{unit and ' ' + unit}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "") -> Check:
    """A check that `value` is not below `limit`."""
    return Check(name, round(value, 3), f"≥ {limit:g}{unit and ' ' + unit}", value >= limit)


def exactly(name: str, value: float, limit: float) -> Check:
    """A check that `value` is `limit`."""
    return Check(name, value, f"= {limit:g}", value == limit)
