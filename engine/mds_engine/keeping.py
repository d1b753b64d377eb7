"""What the engine keeps over a restart, and takes up again: bans, meters, standing commands, the events."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from mds_engine.clock import Clock
from mds_engine.control import Command, Event, commands, events
from mds_engine.control.commands import same
from mds_engine.log import get_logger
from mds_engine.model import Capability
from mds_engine.routing.account import AccountRecord
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.store.records import Audit, Ban, Override, Records

_log = get_logger(__name__)


class Standing(NamedTuple):
    """What a command leaves standing: a subject, and for how long (None: until it is taken back)."""

    subject: str
    ttl_s: float | None
    ends: bool
    """True if the command ends what stood, instead of standing itself."""


def standing(command: Command) -> tuple[Standing, ...]:
    """What `command` leaves standing, or ends. A command that only happens once leaves nothing."""
    match command:
        case commands.Pin():
            return (Standing(f"route:{command.route}", command.ttl_s, ends=False),)
        case commands.Unpin():
            return (Standing(f"route:{command.route}", None, ends=True),)
        case commands.SetPriority():
            return (Standing(f"priority:{command.route}", None, ends=False),)
        case commands.ForceBreaker():
            ends = command.state is commands.ForcedState.AUTOMATIC
            return _breakers(command.source, command.capability, command.ttl_s, ends=ends)
        case commands.ResetBreaker():
            return _breakers(command.source, command.capability, None, ends=True)
        case commands.EnableSource():
            return (Standing(f"source:{command.source}", None, ends=False),)
        case commands.SetRateLimit():
            subject = f"limit:{command.source}/{command.group}/{command.window_s:g}"
            return (Standing(subject, None, ends=False),)
        case (
            commands.RestartSource()
            | commands.FailOver()
            | commands.CheckHealth()
            | commands.Subscribe()
            | commands.Unsubscribe()
        ):
            return ()
        case commands.ApplyConfig():
            return ()  # the file itself is what stands
        case commands.Login():
            return ()  # what it gave is kept apart from everything else
        case commands.StartDrill() | commands.EndDrill():
            return ()  # its fault ends with the engine at the latest


def _breakers(
    source: str, capability: str | None, ttl_s: float | None, *, ends: bool
) -> tuple[Standing, ...]:
    """A word about every breaker of a source ends those about single ones."""
    if capability is not None:
        return (Standing(_breaker(source, capability), ttl_s, ends=ends),)
    single = tuple(Standing(_breaker(source, one), None, ends=True) for one in Capability)
    return (Standing(_breaker(source, _EVERY), ttl_s, ends=ends), *single)


def _breaker(source: str, capability: str) -> str:
    # By subject is the order in which words are taken up: "all" stands before each capability.
    return f"breaker:{source}/{capability}"


_EVERY = "all"


def _remaining(override: Override, wall: float) -> Override:
    command = override.command
    if override.until is not None and isinstance(command, commands.Pin | commands.ForceBreaker):
        command = msgspec.structs.replace(command, ttl_s=override.until - wall)
    return msgspec.structs.replace(override, command=command)


class Keeper:
    """Listens to events and writes down what must outlast the process. Writes are queued."""

    def __init__(self, records: Records, sources: Mapping[str, SourceRuntime], clock: Clock) -> None:
        self._records = records
        self._sources = sources
        self._clock = clock
        self._standing: dict[str, Override] = {}
        """By subject."""

    def restore(self) -> list[Override]:
        """Take up bans and meters; returns the standing words as they were given one after the other, each
        command with the time that it has left."""
        now, wall = self._clock.now(), self._clock.wall()
        for name, record in self._records.meters(AccountRecord, wall).items():
            runtime = self._sources.get(name)
            if runtime is not None:
                self._restore_account(runtime, record, wall)
        for ban in self._records.bans(wall):
            runtime = self._sources.get(ban.source)
            if runtime is not None and ban.group in runtime.limiters:
                runtime.limiters[ban.group].banned(now, now + ban.until - wall)
        for sentence in self._records.unreadable:
            _log.warning("state_not_readable", what=sentence)
        for runtime in self._sources.values():
            runtime.counted = self.keep_account
        overrides = self._records.overrides(wall)
        self._standing = {override.subject: override for override in overrides}
        overrides.sort(key=lambda override: override.at)
        return [_remaining(override, wall) for override in overrides]

    def _restore_account(self, runtime: SourceRuntime, record: AccountRecord, wall: float) -> None:
        runtime.account.restore(record, wall)
        resets_at = runtime.account.exhausted_until(wall)
        if resets_at is not None:
            runtime.spending.used_up("the plan's calls were used before the restart", resets_at)

    def take_up(self, runtime: SourceRuntime) -> None:
        """A source that was not there at the start: its meters and bans hold as they were kept."""
        now, wall = self._clock.now(), self._clock.wall()
        record = self._records.meters(AccountRecord, wall).get(runtime.name)
        if record is not None:
            self._restore_account(runtime, record, wall)
        for ban in self._records.bans(wall):
            if ban.source == runtime.name and ban.group in runtime.limiters:
                runtime.limiters[ban.group].banned(now, now + ban.until - wall)

    def forget(self, over: Callable[[str], bool]) -> None:
        """End the standing words whose subjects are `over`: the configuration says otherwise since."""
        for subject in [subject for subject in self._standing if over(subject)]:
            del self._standing[subject]
            self._records.end_override(subject)

    def listen(self, event: Event) -> None:
        """Write down an event, and what follows from it."""
        self._records.record(event)
        match event:
            case events.CommandApplied():
                self._records.record_audit(
                    Audit(at=event.at, command=event.command, applied=True, message=event.message)
                )
                self._keep_standing(event)
            case events.CommandRefused():
                self._records.record_audit(
                    Audit(at=event.at, command=event.command, applied=False, message=event.message)
                )
            case events.Throttled() if event.banned:
                until = event.at + event.for_s
                for group in self._sources[event.source].limiters:
                    self._records.keep_ban(Ban(source=event.source, group=group, until=until, why=event.why))
            case _:
                pass

    def _keep_standing(self, event: events.CommandApplied) -> None:
        command = event.command
        for what in standing(command):
            until = None if what.ttl_s is None else event.at + what.ttl_s
            excepted = self._excepted(command)
            before = self._standing.get(what.subject)
            if what.ends and excepted is None:
                self._standing.pop(what.subject, None)
                self._records.end_override(what.subject)
                continue
            if excepted is not None:
                until = self._standing[excepted].until
            undid = before is not None and before.reverse is not None and same(command, before.reverse)
            override = Override(
                subject=what.subject,
                command=command,
                until=until,
                reverse=None if undid else event.reverse,
                at=event.at,
            )
            self._standing[what.subject] = override
            self._records.keep_override(override)

    def _excepted(self, command: Command) -> str | None:
        """The word about every breaker of a source from which this one excepts a single breaker: then
        both stand."""
        match command:
            case commands.ForceBreaker(state=commands.ForcedState.AUTOMATIC) | commands.ResetBreaker() if (
                command.capability is not None
            ):
                every = _breaker(command.source, _EVERY)
                return every if every in self._standing else None
            case _:
                return None

    def keep_account(self, runtime: SourceRuntime) -> None:
        """A request was counted: the plan's calls and the money survive from now on."""
        self._records.keep_meters(runtime.name, runtime.account.dump())

    async def committed(self) -> None:
        """Return when everything written so far is on the disk. Raises StoreError."""
        await self._records.committed()
