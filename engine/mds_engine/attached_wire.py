"""What an attached screen and the engine's process say to each other: msgspec structs in frames.

A screen asks for one look at a time, and a look brings the newest picture only:
so a screen that is slow, or stopped, makes nobody keep anything for it.
"""

import msgspec

from mds_engine.control import Command, CommandResult, Event

MOST_REQUEST_BYTES = 65_536
"""Of one frame from a screen."""
MOST_REPLY_BYTES = 1 << 28
"""Of one frame to a screen: a picture of very many instruments."""
LENGTH_BYTES = 4
"""In front of each frame: how many bytes follow, most significant first."""


class WireError(Exception):
    """What came is no message of ours; the connection is of no more use."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="say", forbid_unknown_fields=True):
    pass


class Look(_Message, frozen=True, tag="look"):
    """Tell me what is new; the answer is one `News`, after a moment if there is nothing."""

    picture: int
    """Number of the picture that the screen has; 0 for none."""
    after: int
    """Number of the last event that it has."""


class Do(_Message, frozen=True, tag="do"):
    """Carry out a command; the answers are `Taken` and `Done`, or `Done` alone."""

    number: int
    command: Command
    not_after: float
    """Monotonic seconds of this machine: taken up by then, or never. A process that was stopped must not find
    it hours later."""


class Withdraw(_Message, frozen=True, tag="withdraw"):
    """Do not carry it out, if it is not taken up yet."""

    number: int


class Restart(_Message, frozen=True, tag="restart"):
    """End the engine and begin anew."""


class News(_Message, frozen=True, tag="news"):
    """How things are now."""

    number: int
    """Of the picture that is in it, or that the screen has."""
    picture: bytes
    """A `Snapshot`; empty while the screen has the newest, or has events to catch up with."""
    era: int
    events: tuple[Event, ...]
    failure: str | None
    whereabouts: str


class Taken(_Message, frozen=True, tag="taken"):
    """The engine has taken a command up."""

    number: int


class Done(_Message, frozen=True, tag="done"):
    """What became of a command."""

    number: int
    result: CommandResult


Request = Look | Do | Withdraw | Restart
Reply = News | Taken | Done


def frame(message: Request | Reply) -> bytes:
    """A message as it goes over the wire. Raises TypeError for one that bears a secret."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length_of(head: bytes, most: int) -> int:
    """Bytes of the frame that follows. Raises WireError if they are more than `most`."""
    length = int.from_bytes(head, "big")
    if length > most:
        raise WireError(f"a message of {length} bytes: at most {most} are taken")
    return length
