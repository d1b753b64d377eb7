"""`drill`: rehearse a fault, and judge how it was met."""

from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import Exit
from mds_tui.cli.output import print_json

if TYPE_CHECKING:
    from mds_engine.drills import Scorecard


@click.command(short_help="Rehearse a fault, and judge how it was met.")
@click.argument("name", metavar="NAME|all")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same market.")
@click.option("--json", "as_json", is_flag=True, help="The scorecard as one JSON object; a list for all.")
def drill(name: str, *, seed: int, as_json: bool) -> None:
    """Rehearse a fault on simulated vendors, and judge how it was met.

    NAME is one of calls: primary-down, primary-hangs, primary-5xx, throttled,
    banned, token-expired, garbage, slow, flapping, quota-spent, bad-symbol,
    all-down; or of live streams: stream-cut, stream-mute, instrument-mute,
    stream-duplicates, stream-reordered, stream-gap, wrong-price, frozen-price,
    slow-reader, reconnect-storm or day-cut; "all" runs every one. Real traffic
    goes through real sockets. Exits with 1 if a check fails.
    """
    import asyncio
    import tempfile
    from pathlib import Path

    from mds_engine import drills

    from mds_tui.cli.logs import logging_to
    from mds_tui.cli.vendors import InstalledVendors

    if name != "all" and name not in drills.SCENARIOS:
        from mds_engine.config.problems import did_you_mean

        known = [*drills.SCENARIOS, "all"]
        raise click.UsageError(f'there is no drill "{name}"{did_you_mean(name, known)}')
    vendors = InstalledVendors()
    # What a fault makes the engine log is what the drill is about, and is in its timeline.
    with tempfile.TemporaryDirectory() as folder, logging_to(Path(folder) / "drill.log"):
        if name == "all":
            tell = None if as_json else _print
            cards = asyncio.run(drills.run_all(vendors, seed=seed, done=tell))
        else:
            cards = [asyncio.run(drills.run(name, vendors, seed=seed))]
    if as_json:
        print_json(cards if name == "all" else cards[0])
    elif name != "all":
        _print(cards[0])
    if not all(card.passed for card in cards):
        raise click.exceptions.Exit(Exit.FAILED)


def _print(card: "Scorecard") -> None:
    calls = card.calls
    p99 = f", p99 {calls.p99_ms:.1f} ms" if calls.p99_ms is not None else ""
    click.echo(
        f"{card.verdict.upper():<4}  {card.scenario:<17}  {calls.total} calls, {calls.failed} failed{p99}, "
        f"{card.took_s:.1f} s"
    )
    for check in card.checks:
        click.echo(f"      {'ok ' if check.ok else 'BAD'} {check.name}: {check.value:g} ({check.limit})")
