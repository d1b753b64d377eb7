"""The engine's records in the store: what each is, and nothing about how it is written."""

from typing import TypeVar

import msgspec

from mds_engine.control.commands import Command
from mds_engine.control.events import Event
from mds_engine.store.sqlite import Store

EVENTS = "events"
AUDIT = "audit"

RETENTION_S = {EVENTS: 30 * 86400.0, AUDIT: 400 * 86400.0}
"""How long each log is kept, in seconds: events a month, the audit log over a year's end."""


class Ban(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's ban of one endpoint group, which outlasts a restart."""

    source: str
    group: str
    until: float
    """Epoch seconds UTC."""
    why: str = ""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """An operator's standing word: the command that is in force, and until when."""

    subject: str
    """What it rules, as `breaker:kite/quote`; a newer one of the same subject takes its place."""
    command: Command
    until: float | None = None
    """Epoch seconds UTC; None until it is taken back."""
    reverse: Command | None = None
    """What undoes it; None where nothing does, or where it undid another itself."""
    at: float = 0.0
    """When it was given, or was taken up last, epoch seconds UTC."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """One command and what became of it."""

    at: float
    """Epoch seconds UTC."""
    command: Command
    applied: bool
    message: str


_Meters = TypeVar("_Meters", bound=msgspec.Struct)
_Record = TypeVar("_Record")

_ENCODER = msgspec.json.Encoder()
_BAN = msgspec.json.Decoder(Ban)
_OVERRIDE = msgspec.json.Decoder(Override)
_AUDIT = msgspec.json.Decoder(Audit)
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Records:
    """The engine's face of a `Store`. Times are epoch seconds UTC.

    Writes return at once; `await committed()` before a command is acknowledged.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.unreadable: list[str] = []
        """What an older or newer version wrote that this one cannot read, one sentence each. It is left
        where it is: a start is worth more than an old line."""

    async def committed(self) -> None:
        """Return when everything written before is on the disk. Raises StoreError."""
        await self._store.committed()

    def keep_meters(self, source: str, meters: msgspec.Struct) -> None:
        """The dump of one source's meters, as a plain struct."""
        self._store.put("meters", source, _ENCODER.encode(meters))

    def meters(self, kind: type[_Meters], now: float) -> dict[str, _Meters]:
        """Every source's meters."""
        return self._kept("meters", msgspec.json.Decoder(kind), now)

    def keep_ban(self, ban: Ban) -> None:
        """A ban that came, in place of an earlier one of the same group."""
        self._store.put("ban", f"{ban.source}/{ban.group}", _ENCODER.encode(ban), until=ban.until)

    def lift_ban(self, source: str, group: str) -> None:
        """The ban is over before its time."""
        self._store.remove("ban", f"{source}/{group}")

    def bans(self, now: float) -> list[Ban]:
        """The bans that still hold."""
        return list(self._kept("ban", _BAN, now).values())

    def keep_override(self, override: Override) -> None:
        """An operator's standing word, in place of an earlier one on the same subject."""
        self._store.put("override", override.subject, _ENCODER.encode(override), until=override.until)

    def end_override(self, subject: str) -> None:
        """The subject is automatic again."""
        self._store.remove("override", subject)

    def overrides(self, now: float) -> list[Override]:
        """The standing words that still hold, by subject."""
        return list(self._kept("override", _OVERRIDE, now).values())

    def record(self, event: Event) -> None:
        """One event, at its own time."""
        self._store.append(EVENTS, event.at, _ENCODER.encode(event))

    def events(self, *, since: float = 0.0, limit: int = 1000) -> list[Event]:
        """The latest events, oldest first."""
        return self._lines(EVENTS, _EVENT, since, limit)

    def record_audit(self, audit: Audit) -> None:
        """One line of the audit log of commands."""
        self._store.append(AUDIT, audit.at, _ENCODER.encode(audit))

    def audit(self, *, since: float = 0.0, limit: int = 1000) -> list[Audit]:
        """The latest lines of the audit log, oldest first."""
        return self._lines(AUDIT, _AUDIT, since, limit)

    def _kept(self, kind: str, decoder: msgspec.json.Decoder[_Record], now: float) -> dict[str, _Record]:
        records: dict[str, _Record] = {}
        for entry in self._store.entries(kind, now):
            try:
                records[entry.key] = decoder.decode(entry.value)
            except msgspec.MsgspecError as error:
                self.unreadable.append(f"{kind} {entry.key}: {error}")
        return records

    def _lines(
        self, stream: str, decoder: msgspec.json.Decoder[_Record], since: float, limit: int
    ) -> list[_Record]:
        records: list[_Record] = []
        for line in self._store.log(stream, since=since, limit=limit):
            try:
                records.append(decoder.decode(line.body))
            except msgspec.MsgspecError as error:
                self.unreadable.append(f"{stream} {line.number}: {error}")
        return records
