"""`drill`: rehearse a fault, and judge. `fault`: make one, in a simulator that is running."""

from typing import TYPE_CHECKING

import click

from mds_tui.cli.exits import Exit, say
from mds_tui.cli.options import Seconds
from mds_tui.cli.output import print_json
from mds_tui.cli.settings import Settings, shared, simulator_address

if TYPE_CHECKING:
    from mds_engine.drills import Scorecard


@click.command(short_help="Rehearse a fault, and judge how it was met.")
@click.argument("name", metavar="NAME|all")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same market.")
@click.option("--json", "as_json", is_flag=True, help="The scorecard as one JSON object; a list for all.")
def drill(name: str, *, seed: int, as_json: bool) -> None:
    """Rehearse a fault on simulated vendors, and judge how it was met.

    NAME is primary-down, primary-hangs, primary-5xx, throttled, banned,
    token-expired, garbage, slow, flapping, quota-spent, bad-symbol, stream-cut
    or all-down; "all" runs every one. Real traffic goes through real sockets.
    Exits with 1 if a check fails.
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
        f"{card.verdict.upper():<4}  {card.scenario:<14}  {calls.total} calls, {calls.failed} failed{p99}, "
        f"{card.took_s:.1f} s"
    )
    for check in card.checks:
        click.echo(f"      {'ok ' if check.ok else 'BAD'} {check.name}: {check.value:g} ({check.limit})")


@click.command(short_help="Make a simulated vendor fail, or end that.")
@click.argument("vendor")
@click.argument("kind", required=False)
@click.option("--endpoint", type=int, help="Index of one endpoint; all of the vendor's without it.")
@click.option(
    "--delay",
    "delay_s",
    type=Seconds(min=0),
    help="slow, cut-stream, stream-shutdown, duplicate-frames, reordered-frames: seconds.",
)
@click.option("--status", type=click.IntRange(100, 599), help="status: the HTTP code.")
@click.option("--retry-after", "retry_after_s", type=Seconds(min=0), help="throttle, ban, status: seconds.")
@click.option(
    "--instrument", help="mute-, duplicate-, reordered- and dropped-…: EXCHANGE:SYMBOL, of that alone."
)
@click.option(
    "--probability",
    type=click.FloatRange(0, 1),
    help="duplicate-, reordered- and dropped-frames: share of the frames; all without it.",
)
@click.option("--clear", is_flag=True, help="End the vendor's faults instead: of KIND, or all.")
@shared
@click.pass_obj
def fault(
    settings: Settings,
    /,
    *,
    vendor: str,
    kind: str | None,
    endpoint: int | None,
    clear: bool,
    **parameters: float | str | None,
) -> None:
    """Make a simulated VENDOR fail.

    It is one of the running demo (of several, the one started last), or of the
    simulator that --simulator names. The demo's names of sources are known too.

    KIND is refuse, hang, slow, status, throttle, ban, token-expired, html,
    truncate, error-in-200, quota, wrong-price, frozen-price, mute-stream,
    cut-stream, truncated-frames, mute-instrument, duplicate-frames,
    reordered-frames, dropped-frames, stream-shutdown or no-trades.
    """
    import asyncio

    from mds_engine.simulator.faults import FaultKind

    known = [known.value for known in FaultKind]
    if kind is None and not clear:
        raise click.UsageError(f"which fault? known are {', '.join(known)}")
    if kind is not None and kind not in known:
        from mds_engine.config.problems import did_you_mean

        raise click.UsageError(f'there is no fault "{kind}"{did_you_mean(kind, known)}')
    given = {name: value for name, value in parameters.items() if value is not None}
    _refuse_unused(kind, given)
    if kind == "mute-instrument" and not (clear or given.get("instrument")):
        raise click.UsageError("which instrument shall be mute? name it with --instrument EXCHANGE:SYMBOL")
    control = _control(settings)
    vendor = _DEMO_SOURCES.get(vendor, vendor)
    click.echo(asyncio.run(_set_fault(control, vendor, kind, endpoint, clear=clear, given=given)))


_DEMO_SOURCES = {"zerodha": "kite"}
"""What the demo's screen calls its sources, where that is not the vendor's name."""

_FRAMES = ("duplicate-frames", "reordered-frames", "dropped-frames")
_USED_BY = {
    "delay_s": (
        "--delay",
        ("slow", "cut-stream", "stream-shutdown", "duplicate-frames", "reordered-frames"),
    ),
    "instrument": ("--instrument", ("mute-instrument", *_FRAMES)),
    "probability": ("--probability", _FRAMES),
    "status": ("--status", ("status",)),
    "retry_after_s": ("--retry-after", ("throttle", "ban", "status")),
}


def _refuse_unused(kind: str | None, given: dict[str, float | str]) -> None:
    for name in given:
        option, kinds = _USED_BY[name]
        if kind not in kinds:
            raise click.UsageError(f"{option} belongs to the faults {', '.join(kinds)}")


def _control(settings: Settings) -> str:
    """The control URL of the simulator that is meant."""
    from mds_tui.cli.demo_address import running_demos

    if settings.simulator is not None:
        return simulator_address(settings.simulator).control
    demos = running_demos()
    if not demos:
        raise click.UsageError("no demo is running; name a simulator with --simulator URL")
    control = simulator_address(str(demos[0])).control
    if len(demos) > 1:
        say(
            f"{len(demos)} demos are running; this is about the one started last (process "
            f"{demos[0].stem}, --simulator {control})"
        )
    return control


async def _set_fault(
    control: str,
    vendor: str,
    kind: str | None,
    endpoint: int | None,
    *,
    clear: bool,
    given: dict[str, float | str],
) -> str:
    import httpx
    from mds_engine.simulator.control_client import ControlClient, ControlError
    from mds_engine.simulator.faults import Fault, FaultKind

    from mds_tui.cli.exits import SimulatorUnreachableError

    wanted = FaultKind(kind) if kind is not None else None
    try:
        async with ControlClient(control) as client:
            if clear or wanted is None:
                count = await client.clear(vendor, endpoint=endpoint, kind=wanted)
                return f"{vendor}: {count} {'fault' if count == 1 else 'faults'} ended"
            await client.inject(vendor, Fault(kind=wanted, **given), endpoint)  # type: ignore[arg-type]
    except ControlError as error:
        raise click.UsageError(_refusal(str(error))) from None
    except httpx.HTTPError as error:
        raise SimulatorUnreachableError(f"no simulator answers at {control}: {error}") from None
    return f"{vendor}: {wanted.value}, until `mds-tui fault {vendor} --clear`"


def _refusal(body: str) -> str:
    """What the simulator says in its JSON."""
    import msgspec

    try:
        return str(msgspec.json.decode(body)["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body
