"""`fault`: make a simulated vendor fail, in a simulator that is running."""

import math
from typing import Any

import click

from mds_tui.cli.exits import say
from mds_tui.cli.options import Seconds
from mds_tui.cli.settings import Settings, shared, simulator_address

_DEMO_SOURCES = {"zerodha": "kite"}
"""What the demo's screen calls its sources, where that is not the vendor's name."""

_REQUESTS = (
    "hang",
    "slow",
    "status",
    "throttle",
    "ban",
    "token-expired",
    "html",
    "truncate",
    "error-in-200",
    "quota",
)
_PRICES = ("wrong-price", "frozen-price")
_FRAMES = ("duplicate-frames", "reordered-frames", "dropped-frames")
_LATER = ("slow", "cut-stream", "stream-shutdown", "duplicate-frames", "reordered-frames")
_USED_BY = {
    "delay_s": ("--delay", _LATER),
    "factor": ("--factor", ("wrong-price",)),
    "first": ("--first", (*_REQUESTS, *_FRAMES)),
    "instrument": ("--instrument", ("mute-instrument", *_FRAMES)),
    "probability": ("--probability", (*_REQUESTS, *_FRAMES)),
    "retry_after_s": ("--retry-after", ("throttle", "ban", "status")),
    "scope": ("--scope", (*_REQUESTS, *_PRICES)),
    "status": ("--status", ("status",)),
}


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
@click.option("--status", type=click.IntRange(400, 599), help="status: the HTTP code.")
@click.option("--retry-after", "retry_after_s", type=Seconds(min=0), help="throttle, ban, status: seconds.")
@click.option(
    "--factor",
    type=click.FloatRange(0, min_open=True),
    help="wrong-price: what prices are multiplied by; 1.01 without it.",
)
@click.option(
    "--instrument", help="mute-, duplicate-, reordered- and dropped-…: EXCHANGE:SYMBOL, of that alone."
)
@click.option(
    "--probability",
    type=click.FloatRange(0, 1),
    help="Faults of requests, duplicate-, reordered- and dropped-frames: share that is hit; all without it.",
)
@click.option(
    "--first",
    type=click.IntRange(1),
    help="As --probability: only so many are hit, then it is over.",
)
@click.option(
    "--scope",
    type=click.Choice(("http", "ws")),
    help="Faults of requests, wrong-price, frozen-price: requests alone, or streams; both without it.",
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

    KIND is a fault of requests: hang, slow, status, throttle, ban,
    token-expired, html, truncate, error-in-200 or quota; of live streams:
    mute-stream, cut-stream, stream-shutdown, mute-instrument, dropped-frames,
    duplicate-frames, reordered-frames or truncated-frames; or refuse,
    wrong-price, frozen-price or no-trades.
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
    _check(kind, given, clear=clear)
    control = _control(settings)
    vendor = _DEMO_SOURCES.get(vendor, vendor)
    click.echo(asyncio.run(_set_fault(control, vendor, kind, endpoint, clear=clear, given=given)))


def _check(kind: str | None, given: dict[str, Any], *, clear: bool) -> None:
    """Refuse what would do nothing, and write the instrument as the simulator does."""
    from mds_engine.errors import InvalidRequest
    from mds_engine.model import Instrument

    if clear and given:
        option = _USED_BY[next(iter(given))][0]
        raise click.UsageError(f"{option} makes a fault, and --clear ends faults; give one of them")
    for name, value in given.items():
        option, kinds = _USED_BY[name]
        if kind not in kinds:
            raise click.UsageError(f"{option} belongs to the faults {', '.join(kinds)}")
        if isinstance(value, float) and not math.isfinite(value):  # nan is within every range
            raise click.UsageError(f"{option} is {value:g}; give a number")
    if "instrument" in given:
        try:
            given["instrument"] = str(Instrument.parse(given["instrument"]))
        except InvalidRequest as error:
            raise click.UsageError(str(error)) from None
    elif kind == "mute-instrument" and not clear:
        raise click.UsageError("which instrument shall be mute? name it with --instrument EXCHANGE:SYMBOL")


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
    given: dict[str, Any],
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
            await client.inject(vendor, Fault(kind=wanted, **given), endpoint)
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
