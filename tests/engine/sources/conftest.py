"""What sources are given in tests: a context that records what they tell the engine."""

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from mds_engine.clock import SystemClock
from mds_engine.errors import Throttled
from mds_engine.sources.contract import RequestCost, SourceContext


class Usage(NamedTuple):
    group: str
    window_s: float
    used: int | None
    remaining: int | None


class Limit(NamedTuple):
    group: str
    window_s: float
    limit: int


class Switch(NamedTuple):
    before: str
    after: str
    why: str


@dataclass
class RecordingContext(SourceContext):
    """A SourceContext that keeps what it is told, in order, and lets everything pass."""

    name: str = "under-test"
    clock: SystemClock = field(default_factory=SystemClock)
    paid: list[RequestCost] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    purse: int | None = None
    """How many further payments succeed; None means all. Then Throttled(local=True)."""

    async def pay(self, cost: RequestCost) -> None:
        if self.purse is not None and len(self.paid) >= self.purse:
            raise Throttled("the purse of the test is empty", local=True)
        self.paid.append(cost)

    def observe_usage(
        self, group: str, window_s: float, *, used: int | None = None, remaining: int | None = None
    ) -> None:
        self.usage.append(Usage(group, window_s, used, remaining))

    def set_limit(self, group: str, window_s: float, limit: int) -> None:
        self.limits.append(Limit(group, window_s, limit))

    def endpoint_switched(self, before: str, after: str, why: str) -> None:
        self.switches.append(Switch(before, after, why))


@pytest.fixture
def context() -> RecordingContext:
    """The context to give to `plugin.create(settings, context)` or to a shell."""
    return RecordingContext()
