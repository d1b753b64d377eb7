"""Commands about breakers: held open or closed for a while, and reset."""

from mds_engine.clock import Clock
from mds_engine.control import commands
from mds_engine.control.commands import CommandResult, ForcedState
from mds_engine.model import Capability
from mds_engine.orders.finding import Finder, check_ttl, left_s
from mds_engine.policy.breaker import Breaker, BreakerState
from mds_engine.routing.source_runtime import SourceRuntime

_WHOLE = ""
_FORCED = {BreakerState.FORCED_OPEN: ForcedState.OPEN, BreakerState.FORCED_CLOSED: ForcedState.CLOSED}


class BreakerOrders:
    """Forces and resets breakers. Each raises InvalidRequest for what makes no sense."""

    def __init__(self, find: Finder, clock: Clock) -> None:
        self._find = find
        self._clock = clock
        self.forced_until: dict[tuple[str, str], float] = {}
        """Monotonic time at which a forced breaker of (source, capability) is automatic again; capability
        "" is the source as a whole."""

    def force(self, command: commands.ForceBreaker) -> CommandResult:
        """Hold one breaker of a source, or all of them."""
        runtime = self._find.source(command.source)
        check_ttl(command.ttl_s)
        now, why = self._clock.now(), command.why or f"by {command.by}"
        names = [unit.capability.value for unit in self._find.units(runtime, command.capability)]
        if command.capability is None:
            names.append(_WHOLE)
        before, held_until = self._held(runtime, names)
        for name in names:
            self._change(runtime, name, command.state, why)
            self.forced_until.pop((runtime.name, name), None)
            if command.ttl_s is not None and command.state is not ForcedState.AUTOMATIC:
                self.forced_until[runtime.name, name] = now + command.ttl_s
        what = command.capability or "every"
        state = "automatic" if command.state is ForcedState.AUTOMATIC else f"forced {command.state.value}"
        return CommandResult(
            accepted=True,
            message=f"{what} breaker of {runtime.name} is {state}",
            reverse=commands.ForceBreaker(
                source=runtime.name,
                capability=command.capability,
                state=before,
                ttl_s=left_s(held_until, now),
                by=command.by,
            ),
        )

    def _held(self, runtime: SourceRuntime, names: list[str]) -> tuple[ForcedState, float | None]:
        """What these breakers are held at, and until when (monotonic); automatic where they differ, for
        which there is no one word."""
        now = self._clock.now()
        held = {
            (
                _FORCED.get(self._breaker(runtime, name).state(now), ForcedState.AUTOMATIC),
                self.forced_until.get((runtime.name, name)),
            )
            for name in names
        }
        return held.pop() if len(held) == 1 else (ForcedState.AUTOMATIC, None)

    def _breaker(self, runtime: SourceRuntime, name: str) -> Breaker:
        return runtime.whole if name == _WHOLE else runtime.units[Capability(name)].breaker

    def _change(self, runtime: SourceRuntime, name: str, state: ForcedState, why: str) -> None:
        """Change one breaker and tell of it."""
        breaker, now = self._breaker(runtime, name), self._clock.now()
        match state:
            case ForcedState.OPEN:
                transition = breaker.force_open(now, why)
            case ForcedState.CLOSED:
                transition = breaker.force_closed(now, why)
            case ForcedState.AUTOMATIC:
                transition = breaker.automatic(now, why)
        if name == _WHOLE:
            runtime.whole_changed(transition)
        else:
            runtime.unit_changed(runtime.units[Capability(name)], transition)

    def carry_over(self, before: SourceRuntime, after: SourceRuntime | None) -> None:
        """A source is made anew, or let go (None): what is forced of it stays so, as far as it is there."""
        now = self._clock.now()
        for name in (_WHOLE, *(unit.capability.value for unit in before.units.values())):
            old = self._breaker(before, name)
            there = after is not None and (name == _WHOLE or name in after.units)
            breaker = self._breaker(after, name) if after is not None and there else None
            forced = _FORCED.get(old.state(now))
            if forced is ForcedState.OPEN and breaker is not None:
                breaker.force_open(now, old.last_why)
            elif forced is ForcedState.CLOSED and breaker is not None:
                breaker.force_closed(now, old.last_why)
            else:
                self.forced_until.pop((before.name, name), None)

    def expire(self) -> list[tuple[str, str]]:
        """End the forced breakers whose time is over; returns (source, capability) of each, a source with
        capability "" where all of its breakers ended together."""
        now = self._clock.now()
        over = [key for key, until in self.forced_until.items() if until <= now]
        for source, name in over:
            del self.forced_until[source, name]
            self._change(self._find.source(source), name, ForcedState.AUTOMATIC, "its time is over")
        return [(source, name) for source, name in over if name == _WHOLE or (source, _WHOLE) not in over]

    def reset(self, command: commands.ResetBreaker) -> CommandResult:
        """Close them and forget what opened them; a login or a spent quota is tried again."""
        runtime = self._find.source(command.source)
        now, why = self._clock.now(), command.why or f"reset by {command.by}"
        if command.capability is None:
            runtime.whole_changed(runtime.whole.reset(now, why))
            self.forced_until.pop((runtime.name, _WHOLE), None)
            for kind in ("login", "quota"):
                runtime.unblock(kind)
        for unit in self._find.units(runtime, command.capability):
            self.forced_until.pop((runtime.name, unit.capability.value), None)
            unit.problem = ""
            runtime.unit_changed(unit, unit.breaker.reset(now, why))
        what = "breakers" if command.capability is None else f"{command.capability} breaker"
        return CommandResult(accepted=True, message=f"{what} of {runtime.name} reset")
