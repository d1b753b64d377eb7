"""`replay`: a recording through the same engine and console that live streams go through."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import say
from mds_tui.cli.output import records
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mds_engine.sources.contract import SourcePlugin


@click.command(short_help="Play a recording.")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path), metavar="[FILE|FOLDER]")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, max=1e6),
    default=1.0,
    show_default=True,
    help="How many times as fast as it came; 0: as fast as possible.",
)
@click.option("--json", "as_json", is_flag=True, help="No console: one JSON object per tick.")
@shared
@click.pass_obj
def replay(settings: Settings, *, path: Path | None, speed: float, as_json: bool) -> None:
    """Open the console on a recording: a FILE, or all files of a FOLDER.

    Without one: on what the console's own black box holds. Clocks show the
    recording's time. Nothing can be done to it; its keys play it, and ? names
    them.
    """
    from mds_engine.config.schema import EngineSettings
    from mds_engine.recording.reading import Recording

    from mds_tui.cli.logs import logging_to

    if not as_json:
        from mds_tui.cli.console import need_terminal

        need_terminal()
    place = Recording(path if path is not None else _black_box(settings)).path
    log_file = EngineSettings(name="replay").log_file()
    if as_json:
        import asyncio

        with logging_to(log_file):
            asyncio.run(_print(place, speed))
        return
    from mds_engine.config.schema import ConsoleSettings
    from mds_engine.replay_link import ReplayLink

    from mds_tui.cli.console import Looks, show_on

    link = ReplayLink(lambda: Recording(place), _vendors, speed=speed)
    show_on(link, Looks().settings(ConsoleSettings()), log_file)


def _vendors() -> "Mapping[str, SourcePlugin]":
    from mds_tui.cli.vendors import InstalledVendors

    return InstalledVendors()


def _black_box(settings: Settings) -> Path:
    """The folder of the configured engine's; where it holds nothing, the one that was written to last."""
    from mds_engine.recording.format import SUFFIX

    from mds_tui.cli.vendors import InstalledVendors

    config = settings.load(InstalledVendors(), quiet=True).config
    folder = config.recording.folder(config.engine.name)
    if any(folder.glob(f"*{SUFFIX}")):
        return folder
    boxes = {} if config.recording.path else _written_at(folder.parent.glob(f"*/*{SUFFIX}"))
    if not boxes:
        raise click.UsageError(f"the console's black box holds nothing yet ({folder}); name a recording")
    return max(boxes, key=lambda box: boxes[box])


def _written_at(files: "Iterable[Path]") -> dict[Path, float]:
    """When each folder's last file was written to."""
    written: dict[Path, float] = {}
    for file in files:
        with suppress(FileNotFoundError):  # the oldest go while a console runs
            written[file.parent] = max(written.get(file.parent, 0.0), file.stat().st_mtime)
    return written


async def _print(path: Path, speed: float) -> None:
    """Every item that a reader of all recorded instruments gets, as JSON lines."""
    import asyncio

    from mds_engine.model import Tick
    from mds_engine.recording.decoders import look_into
    from mds_engine.recording.orders import Orders
    from mds_engine.recording.reading import Recording
    from mds_engine.recording.replay import Replay
    from mds_engine.replaying import engine_of

    recording, vendors = Recording(path), _vendors()
    # All of it: a reader is of the instruments that are known when it begins.
    opening = await asyncio.to_thread(look_into, recording, vendors, whole=True)
    played = Replay(recording, vendors, Orders(speed=speed), opening=opening)
    conductor = played.conductor
    ticks = 0
    async with (
        engine_of(played) as engine,
        engine.ticks(played.config.console.watch) as reader,
        asyncio.TaskGroup() as tasks,
    ):

        async def close_at_end() -> None:
            await conductor.ended.wait()
            reader.close()

        conducting = tasks.create_task(conductor.run(), name="play the recording")
        broken = tasks.create_task(engine.wait_broken(), name="wait for a defect")
        tasks.create_task(close_at_end(), name="end of the replay")
        async for item in reader:
            for record in records(item):
                click.echo(json.dumps(record, ensure_ascii=False))
            sys.stdout.flush()
            ticks += isinstance(item, Tick)
        conducting.cancel()
        broken.cancel()
    for problem in played.recording.problems:
        say(problem)
    if played.recording.lost:
        say(f"{played.recording.lost:,} frames are missing in it: the disk was too slow for them")
    if conductor.unreadable:
        say(f"{conductor.unreadable:,} of {conductor.rows:,} frames could not be decoded")
    say(f"{ticks:,} ticks of {conductor.rows:,} frames; {played.end}")
