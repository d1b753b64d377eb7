"""`replay`: a recording through the same engine and console that live streams go through."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import say
from mds_tui.cli.output import records
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from mds_engine.engine import Engine
    from mds_engine.recording.replay import Replay


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
    recording's time.
    """
    from mds_engine.config.schema import EngineSettings
    from mds_engine.recording.reading import Recording

    from mds_tui.cli.logs import logging_to

    if not as_json:
        from mds_tui.cli.console import need_terminal

        need_terminal()
    recording = Recording(path if path is not None else _black_box(settings))
    log_file = EngineSettings(name="replay").log_file()
    if as_json:
        import asyncio

        with logging_to(log_file):
            asyncio.run(_print(recording.path, speed))
        return

    from mds_tui.cli.console import Looks, show

    def build() -> "Engine":
        # In the engine's thread: the screen is there before the recording has been read.
        from mds_engine.engine import Engine

        played = _replay(recording.path, speed)
        return Engine(played.config, played.plugins, clock=played.clock)

    from mds_engine.config.schema import ConsoleSettings

    show(build, Looks().settings(ConsoleSettings()), log_file)


def _black_box(settings: Settings) -> Path:
    from mds_tui.cli.vendors import InstalledVendors

    config = settings.load(InstalledVendors(), quiet=True).config
    folder = config.recording.folder(config.engine.name)
    if not folder.is_dir():
        raise click.UsageError(f"the console's black box holds nothing yet ({folder}); name a recording")
    return folder


def _replay(path: Path, speed: float) -> "Replay":
    from mds_engine.recording.reading import Recording
    from mds_engine.recording.replay import Replay

    from mds_tui.cli.vendors import InstalledVendors

    return Replay(Recording(path), InstalledVendors(), speed=speed)


async def _print(path: Path, speed: float) -> None:
    """Every item that a reader of all recorded instruments gets, as JSON lines."""
    import asyncio

    from mds_engine.engine import Engine
    from mds_engine.model import Tick

    played = await asyncio.to_thread(_replay, path, speed)
    ticks = 0
    async with (
        Engine(played.config, played.plugins, clock=played.clock) as engine,
        engine.ticks(played.config.console.watch) as reader,
        asyncio.TaskGroup() as tasks,
    ):

        async def close_at_end() -> None:
            await played.ended.wait()
            reader.close()

        tasks.create_task(close_at_end(), name="end of the replay")
        async for item in reader:
            for record in records(item):
                click.echo(json.dumps(record, ensure_ascii=False))
            sys.stdout.flush()
            ticks += isinstance(item, Tick)
    for problem in played.recording.problems:
        say(problem)
    if played.recording.lost:
        say(f"{played.recording.lost:,} frames are missing in it: the disk was too slow for them")
    if played.survey.unreadable:
        say(f"{played.survey.unreadable:,} of {played.survey.frames:,} frames could not be decoded")
    say(f"{ticks:,} ticks of {played.survey.frames:,} frames; {played.end}")
