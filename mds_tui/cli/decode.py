"""`decode`: a raw payload through the vendor's pure decoder, the tool for "the vendor changed its format"."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mds_tui.cli.exits import Exit, say
from mds_tui.cli.output import Record, error_record, print_records, records

if TYPE_CHECKING:
    from mds_engine.errors import SourceError
    from mds_engine.sources.contract import DecodeKind

    from mds_tui.cli.framing import Frame


@click.command(short_help="Decode a file of a vendor's raw payloads.")
@click.argument("vendor")
@click.argument("kind")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--all", "everything", is_flag=True, help="Bars: also what only some vendors have.")
def decode(vendor: str, kind: str, file: str, *, as_json: bool, everything: bool) -> None:
    """Decode a FILE of raw payloads ("-": stdin), as VENDOR sends them for KIND.

    \b
    kite          ticker, quote, ohlc, historical, instruments
    binance       stream, klines, ticker, vision
    yahoo         chart, quote, stream
    alphavantage  quote, series

    Kinds of live streams take many frames: one a line (as text or base64), or
    one after the other as the vendor prefixes them. What a payload says is
    wrong comes out as a record of type "error".
    """
    from mds_tui.cli.framing import frames, read_file

    chosen = _kind(vendor, kind)
    content = read_file(file)
    unreadable = False

    def found() -> Iterator[Record]:
        nonlocal unreadable
        for frame in frames(content, chosen.framing):
            for record in decode_frame(chosen, frame, everything=everything):
                unreadable |= record["type"] == "error" and record["class"] == "InvalidPayload"
                yield record

    if not print_records(found(), as_json=as_json):
        told = "stdin" if file == "-" else file
        say(f"{told}: {'is empty' if not content else f'nothing in it is of {vendor} {kind}'}")
    if unreadable:
        raise click.exceptions.Exit(Exit.PAYLOAD)


def _kind(vendor: str, kind: str) -> "DecodeKind":
    from mds_engine.config.problems import did_you_mean

    from mds_tui.cli.vendors import InstalledVendors

    vendors = InstalledVendors()
    if vendor not in vendors:
        raise click.UsageError(f'there is no vendor "{vendor}"{did_you_mean(vendor, vendors)}')
    kinds = vendors[vendor].decoders
    if kind not in kinds:
        raise click.UsageError(f'{vendor} has no kind "{kind}"; known are {", ".join(kinds)}')
    return kinds[kind]


def decode_frame(chosen: "DecodeKind", frame: "Frame", *, everything: bool) -> list[Record]:
    """The records of one frame. Base64 is tried where the frame as it stands cannot be read.

    What was read before an error is not thrown away.
    """
    from mds_engine.errors import InvalidPayload, SourceError

    things, error = _read(chosen, frame.payload)
    if isinstance(error, InvalidPayload) and not things and frame.unarmoured is not None:
        things, error = _read(chosen, frame.unarmoured)
    found: list[Record] = []
    for thing in things:
        if isinstance(thing, SourceError):
            found.append(error_record(thing))
        else:
            found.extend(records(thing, everything=everything))
    if error is not None:
        found.append(error_record(error, **({} if frame.alone else {"frame": frame.number})))
    return found


def _read(chosen: "DecodeKind", payload: bytes) -> "tuple[list[Any], SourceError | None]":
    from mds_engine.errors import SourceError

    things: list[Any] = []
    try:
        things.extend(chosen.decode(payload))
    except SourceError as error:
        return things, error
    return things, None
