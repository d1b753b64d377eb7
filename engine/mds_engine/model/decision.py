"""The trace of one choice: each candidate, taken or passed over, and why."""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What became of one candidate."""

    TAKEN = "taken"
    SKIPPED = "skipped"
    """Never asked: disabled, open, exhausted, throttled, forced away."""
    FAILED = "failed"
    """Asked, and did not answer well."""


class Step(msgspec.Struct, frozen=True):
    """One candidate of one decision."""

    source: str
    verdict: Verdict
    why: str = ""
    error: str = ""
    """Class name of the error, as `Unavailable`; empty unless failed."""
    took_ms: float = 0.0


class Decision(msgspec.Struct, frozen=True):
    """How one call was answered. `steps` are in the order they were considered."""

    number: int
    route: str
    subject: str
    """What was asked for, as `NSE:RELIANCE` or `NSE:INFY 1d`."""
    at: float
    """Epoch seconds UTC at which the call began."""
    took_ms: float
    source: str | None
    """The source that answered, None if none did."""
    steps: tuple[Step, ...]

    def explain(self) -> str:
        """One line for a log or an error: every candidate and what became of it."""
        return "; ".join(
            f"{step.source} {step.verdict.value}" + (f" ({step.why})" if step.why else "")
            for step in self.steps
        )
