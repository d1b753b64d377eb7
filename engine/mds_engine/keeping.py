"""What the engine keeps over a restart, and takes up again: bans, meters, standing commands, the events."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from mds_engine.clock import Clock
from mds_engine.control import Command, Event, commands, events
from mds_engine.log import get_logger
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
            subject = f"breaker:{command.source}/{command.capability or 'all'}"
            return (Standing(subject, command.ttl_s, ends=ends),)
        case commands.ResetBreaker():
            return (Standing(f"breaker:{command.source}/{command.capability or 'all'}", None, ends=True),)
        case commands.EnableSource():
            return (Standing(f"source:{command.source}", None, ends=False),)
        case commands.SetRateLimit():
            subject = f"limit:{command.source}/{command.group}/{command.window_s:g}"
            return (Standing(subject, None, ends=False),)
        case commands.FailOver() | commands.CheckHealth() | commands.Subscribe() | commands.Unsubscribe():
            return ()


class Keeper:
    """Listens to events and writes down what must outlast the process. Writes are queued."""

    def __init__(self, records: Records, sources: Mapping[str, SourceRuntime], clock: Clock) -> None:
        self._records = records
        self._sources = sources
        self._clock = clock

    def restore(self) -> list[Command]:
        """Take up bans and meters; returns the standing commands, each with the time that it has left."""
        now, wall = self._clock.now(), self._clock.wall()
        for name, record in self._records.meters(AccountRecord, wall).items():
            runtime = self._sources.get(name)
            if runtime is not None:
                runtime.account.restore(record, wall)
                resets_at = runtime.account.exhausted_until(wall)
                if resets_at is not None:
                    runtime.quota_spent("the plan's calls were used before the restart", resets_at)
        for ban in self._records.bans(wall):
            runtime = self._sources.get(ban.source)
            if runtime is not None and ban.group in runtime.limiters:
                runtime.limiters[ban.group].banned(now, now + ban.until - wall)
        for sentence in self._records.unreadable:
            _log.warning("state_not_readable", what=sentence)
        return [self._remaining(override, wall) for override in self._records.overrides(wall)]

    def _remaining(self, override: Override, wall: float) -> Command:
        command = override.command
        if override.until is not None and isinstance(command, commands.Pin | commands.ForceBreaker):
            return msgspec.structs.replace(command, ttl_s=override.until - wall)
        return command

    def listen(self, event: Event) -> None:
        """Write down an event, and what follows from it."""
        self._records.record(event)
        match event:
            case events.CommandApplied():
                self._records.record_audit(
                    Audit(at=event.at, command=event.command, applied=True, message=event.message)
                )
                self._keep_standing(event.command, event.at)
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

    def _keep_standing(self, command: Command, wall: float) -> None:
        for what in standing(command):
            if what.ends:
                self._records.end_override(what.subject)
            else:
                until = None if what.ttl_s is None else wall + what.ttl_s
                self._records.keep_override(Override(subject=what.subject, command=command, until=until))

    def keep_account(self, runtime: SourceRuntime) -> None:
        """A request was counted: the plan's calls and the money survive from now on."""
        self._records.keep_meters(runtime.name, runtime.account.dump())

    async def committed(self) -> None:
        """Return when everything written so far is on the disk. Raises StoreError."""
        await self._records.committed()
