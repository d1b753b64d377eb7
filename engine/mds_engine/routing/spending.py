"""What one source's calls use up: each is counted when it is sent, and taken back where nobody took it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mds_engine.control import events
from mds_engine.control.events import Event

if TYPE_CHECKING:
    from mds_engine.routing.source_runtime import SourceRuntime


class Spending:
    """Keeps a source's account, and has the source out while its plan is used up."""

    __slots__ = ("_emit", "_runtime")

    def __init__(self, runtime: "SourceRuntime", emit: Callable[[Event], None]) -> None:
        self._runtime = runtime
        self._emit = emit

    def count(self) -> None:
        """One more request goes out: count it against the plan, if the plan counts or charges."""
        runtime = self._runtime
        account = runtime.account
        if not account.matters:
            return
        wall = runtime.clock.wall()
        percent = account.spend(wall)
        runtime.counted(runtime)
        if percent:
            self._emit(events.BudgetCrossed(source=runtime.name, meter="calls a day", percent=float(percent)))
        # A threshold is told once a day; used up again the plan may be, if a call was taken back.
        resets_at = account.exhausted_until(wall)
        if resets_at is not None:
            self.used_up(self.plan_used, resets_at)

    def take_back(self) -> None:
        """A request that was counted found nobody to take it: the vendor counts it neither."""
        runtime = self._runtime
        if not runtime.account.matters:
            return
        wall = runtime.clock.wall()
        runtime.account.take_back(wall)
        runtime.counted(runtime)
        quota = runtime.blocks.get("quota")
        by_our_count = quota is not None and quota.why.endswith(self.plan_used)
        if by_our_count and runtime.account.exhausted_until(wall) is None:
            runtime.unblock("quota")

    @property
    def plan_used(self) -> str:
        """That the plan is used up by our own count, in words."""
        return f"the plan's {self._runtime.settings.calls_per_day} calls a day are used"

    def used_up(self, why: str, resets_at: float | None) -> None:
        """The plan is used up: out until it resets, an hour where nobody says when."""
        runtime = self._runtime
        wall = runtime.clock.wall()
        if "quota" not in runtime.blocks:
            self._emit(events.QuotaSpent(source=runtime.name, why=why, resets_at=resets_at))
        runtime.account.use_up(wall)
        runtime.counted(runtime)
        runtime.block("quota", f"quota spent: {why}", resets_at or wall + 3600.0)
