"""`convert`: logs of other recorders into recordings that `replay` plays."""

from pathlib import Path

import click

from mds_tui.cli.exits import say


@click.command(short_help="Turn logs into recordings.")
@click.argument(
    "logs",
    nargs=-1,
    required=True,
    metavar="LOG...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("recordings"),
    show_default=True,
    help="The folder of the files.",
)
@click.option("--vendor", default="binance", show_default=True, help="Whose frames these are.")
@click.option("--source", help="What the source is called in the recording; its vendor's name if left out.")
def convert(*, logs: tuple[Path, ...], out: Path, vendor: str, source: str | None) -> None:
    """Turn each LOG of cryptofeed or hftbacktest, plain or gzip, into a recording.

    Lines that are no frames, as the REST answers in cryptofeed's logs, are left out.
    """
    from mds_engine.config.problems import did_you_mean
    from mds_engine.recording.foreign import convert as convert_log

    from mds_tui.cli.vendors import InstalledVendors

    vendors = InstalledVendors()
    if vendor not in vendors:
        raise click.UsageError(f'there is no vendor "{vendor}"{did_you_mean(vendor, vendors)}')
    if vendors[vendor].frame_decoder is None:
        raise click.UsageError(f"{vendor} has no live stream")
    for log in logs:
        try:
            done = convert_log(log, out, source=source or vendor, kind=vendor)
        except OSError as error:
            raise click.ClickException(f"{error.filename or log}: {error.strerror or error}") from None
        click.echo(str(done.paths[0]))
        skipped = f", {done.skipped:,} other lines left out" if done.skipped else ""
        say(
            f"{log}: {done.frames:,} frames{skipped}; "
            f"{done.bytes_written / done.frames:.0f} bytes a frame of {done.bytes_read / done.frames:.0f}"
        )
