"""`status`: what the console would show, as data. `commands`: what an operator can do."""

from typing import TYPE_CHECKING

import click

from mds_tui.cli.output import print_json
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from mds_engine.control import Snapshot
    from mds_engine.control.snapshot import SourceView
    from mds_engine.engine import Engine


@click.command(short_help="Check every source once, and print how things stand.")
@click.option("--json", "as_json", is_flag=True, help="The whole snapshot as one JSON object.")
@shared
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Check every source once and print the state of sources and routes."""
    from mds_tui.cli.running import with_engine

    async def look(engine: "Engine") -> "Snapshot":
        import asyncio

        from mds_engine.control.commands import CheckHealth

        names = [name for name, runtime in engine.sources.items() if runtime.settings.enabled]
        await asyncio.gather(*(engine.apply(CheckHealth(source=name, by="status")) for name in names))
        return engine.snapshot()

    import asyncio

    snapshot = asyncio.run(with_engine(settings, look))
    if as_json:
        print_json(snapshot)
    else:
        _print_tables(snapshot)


def _print_tables(snapshot: "Snapshot") -> None:
    click.echo(f"{'SOURCE':<16} {'KIND':<13} {'STATE':<13} {'HEALTH':<13} {'BREAKER':<12} WHY")
    for source in snapshot.sources:
        click.echo(
            f"{source.name:<16} {source.kind:<13} {source.state.value:<13} {source.health:<13} "
            f"{source.breaker.state:<12} {_why(source)}".rstrip()
        )
    click.echo()
    click.echo(f"{'ROUTE':<18} {'ACTIVE':<16} SOURCES")
    for route in snapshot.routes:
        degraded = "  degraded" if route.degraded else ""
        click.echo(f"{route.key:<18} {route.active or 'nobody':<16} {' > '.join(route.sources)}{degraded}")


def _why(source: "SourceView") -> str:
    """What is said of its state, and of the check that just failed: "answers" alone would mislead."""
    said = [source.why] if source.why else []
    if source.last_error and source.health != "healthy":
        said.append(source.last_error)
    return "; ".join(said)


@click.command(short_help="List what an operator can do.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def commands(*, as_json: bool) -> None:
    """List what an operator can do: the words of the console's ":" line, with their keys."""
    import msgspec
    from mds_engine.control.registry import REGISTRY

    rows = []
    for entry in REGISTRY:
        required = {field.name for field in msgspec.structs.fields(entry.command) if field.required}
        usage = " ".join(
            name.upper() if name in required else f"[{name.upper()}]" for name in entry.positional
        )
        rows.append(
            {
                "name": entry.name,
                "usage": usage,
                "title": entry.title,
                "about": entry.about,
                "key": entry.key,
                "dangerous": entry.dangerous,
                "fields": [field.name for field in msgspec.structs.fields(entry.command)],
            }
        )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['key'] or ' ':<2} {row['name']} {row['usage']}")
        click.echo(f"     {row['about']}")
