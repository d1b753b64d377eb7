"""`record`: the raw frames of live streams, as they come, into files."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import Exit, say
from mds_tui.cli.options import Seconds
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from mds_engine.engine import Engine
    from mds_engine.recording.recorder import Recorder


@click.command(short_help="Record the raw frames of live streams.")
@click.argument("instruments", nargs=-1, required=True, metavar="INSTRUMENT...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("recordings"),
    show_default=True,
    help="The folder of the files.",
)
@click.option(
    "--for",
    "length",
    type=Seconds(min=0, min_open=True),
    help="End after so many seconds; without it, at Ctrl+C.",
)
@click.option(
    "--limit-mb",
    type=click.IntRange(min=1),
    help="Megabytes of all files together; the oldest of this recording are deleted first.",
)
@shared
@click.pass_obj
def record(
    settings: Settings,
    *,
    instruments: tuple[str, ...],
    out: Path,
    length: float | None,
    limit_mb: int | None,
) -> None:
    """Record the raw frames of the live streams of each INSTRUMENT, as they come.

    `mds-tui replay` plays the files. What a crash leaves can be played, too.
    """
    import asyncio

    from mds_engine.recording.files import FileBounds
    from mds_engine.recording.recorder import Recorder

    from mds_tui.cli.running import with_engine

    bounds = FileBounds()
    if limit_mb is not None:
        total_bytes = limit_mb * 1_000_000
        bounds = FileBounds(
            file_bytes=min(bounds.file_bytes, max(total_bytes // 8, 100_000)), total_bytes=total_bytes
        )
    recorder = Recorder(out, bounds)

    async def follow(engine: "Engine") -> None:
        recorder.attach(engine.config.engine.name, engine.sources.values())
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        recorder.on_failure = lambda: loop.call_soon_threadsafe(stopped.set)
        # Nobody reads the ticks here: the reader keeps the streams open.
        async with engine.ticks(instruments, latest=True, name="record"):
            say(f"recording into {out}" + ("; Ctrl+C ends it" if length is None else ""))
            with suppress(TimeoutError):
                async with asyncio.timeout(length):
                    await stopped.wait()
        recorder.on_failure = None

    try:
        asyncio.run(with_engine(settings, follow, lasts=True))
    finally:
        recorder.close()
        _tell(recorder, instruments)
    if recorder.failure is not None:
        raise click.exceptions.Exit(Exit.OUTPUT)
    if not recorder.frames_written:
        raise click.exceptions.Exit(Exit.FAILED)


def _tell(recorder: "Recorder", instruments: tuple[str, ...]) -> None:
    if recorder.failure is not None:
        say(recorder.failure)
    if recorder.frames_dropped:
        say(f"{recorder.frames_dropped:,} frames were not recorded: the disk is too slow")
    paths = [path for path in recorder.paths if path.exists()]
    if not paths:
        say(f"nothing was recorded of {', '.join(instruments)}")
        return
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    size = f"{recorder.bytes_written / 1e3:,.0f} kB"
    say(f"{recorder.frames_written:,} frames recorded, {size}: {paths[-1]}{more}")
