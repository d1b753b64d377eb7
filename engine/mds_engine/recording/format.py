"""What a recording's file holds: an Arrow IPC stream (`.arrows`), which pyarrow, polars and DuckDB read.

Everything is written in whole record batches, so that after a crash all but
the last batch can be read. docs/recording.md has the columns for users.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from mds_engine.errors import InvalidPayload

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".arrows"
FORMAT = 1
_HEADER_KEY = b"mds_tui.recording"


class FrameKind(IntEnum):
    """What a row is."""

    TEXT = 0
    """A frame that the adapter took as text; the payload is its UTF-8."""
    BINARY = 1
    """A frame that the adapter took as bytes, as it came: binary, or text undecoded."""
    NOTE = 2
    """What a decoder must know beside the frames from here on. May come again, with each new file."""
    LOST = 3
    """So many frames of all connections are missing here, because the disk was too slow: a decimal number."""


class RecordedFrame(NamedTuple):
    """One row."""

    received_ns: int
    """This machine's wall time at which it came, UTC nanoseconds."""
    source: str
    """Empty for LOST."""
    connection: int
    """Numbers the connections of a recording from 1; 0 for LOST."""
    kind: int
    """A `FrameKind`."""
    payload: bytes


class FrameColumns(NamedTuple):
    """Many rows, a sequence a column: what is written is never taken apart into rows."""

    received_ns: Sequence[int]
    source: Sequence[str]
    connection: Sequence[int]
    kind: Sequence[int]
    payload: Sequence[bytes]

    @classmethod
    def of(cls, rows: Sequence[RecordedFrame]) -> Self:
        """The columns of rows, of which there is at least one."""
        return cls(*zip(*rows, strict=True))


class RecordedSource(msgspec.Struct, frozen=True):
    """What a replay must know of a source."""

    kind: str
    """The vendor, whose plug-in decodes its frames."""
    tick_time_unit_ns: int = 1_000_000
    """How finely the vendor times its ticks, in nanoseconds."""
    numbering: str = ""
    """What the numbers of its trades count, where its vendor counts in several ways. Not in older files."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The schema's metadata, as JSON under the key `mds_tui.recording`."""

    format: int = FORMAT
    session: str
    """The same in all files of one recorder: connections are numbered anew in each session."""
    engine: str
    started_ns: int
    """When the session began, UTC nanoseconds."""
    sources: dict[str, RecordedSource]
    """In the order in which the engine prefers them."""


def arrow_schema(header: Header) -> "pa.Schema":
    """The columns, with the header in the metadata."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("received_ns", pa.int64(), nullable=False),
            pa.field("source", pa.dictionary(pa.int16(), pa.string())),
            pa.field("connection", pa.int32(), nullable=False),
            pa.field("kind", pa.int8(), nullable=False),
            pa.field("payload", pa.binary(), nullable=False),
        ],
        metadata={_HEADER_KEY: msgspec.json.encode(header)},
    )


def header_of(schema: "pa.Schema") -> Header:
    """The header in a file's metadata. Raises InvalidPayload for a file not ours, or of a later format."""
    raw = (schema.metadata or {}).get(_HEADER_KEY)
    if raw is None:
        raise InvalidPayload("it is an Arrow stream, but not a recording of mds-tui")
    try:
        header = msgspec.json.decode(raw, type=Header)
    except msgspec.MsgspecError as error:
        raise InvalidPayload(f"its header cannot be read: {error}") from error
    if header.format > FORMAT or not schema.equals(arrow_schema(header)):
        raise InvalidPayload(f"it is of format {header.format}, and this mds-tui reads format {FORMAT}")
    return header
