"""`simulate`: the vendors' wire formats on loopback, until stopped."""

import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mds_tui.cli.exits import Exit, say
from mds_tui.cli.output import print_json

if TYPE_CHECKING:
    import asyncio

_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


@click.command(short_help="Serve simulated vendors on loopback until stopped.")
@click.option("--json", "as_json", is_flag=True, help="Print where everything listens as one JSON line.")
@click.option("--seed", type=int, default=1, show_default=True, help="The simulated market's seed.")
@click.option(
    "--recorded",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Serve the bodies and frames recorded in DIR, as they are.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="NAME=PORT",
    help='Fix the port of a vendor, or of "control"; may be given several times. Others are chosen freely.',
)
@click.option("--with-stdin", is_flag=True, help="End when stdin ends, as it does when the starter ends.")
def simulate(
    *, as_json: bool, seed: int, recorded: Path | None, ports: tuple[str, ...], with_stdin: bool
) -> None:
    """Serve simulated vendors on loopback until stopped by SIGTERM, SIGHUP or Ctrl+C, which exit with 0."""
    import asyncio

    fixed = dict(_port(text) for text in ports)
    asyncio.run(_serve(as_json=as_json, seed=seed, recorded=recorded, ports=fixed, with_stdin=with_stdin))


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or not number.isdigit() or int(number) > 65535:
        raise click.UsageError(f"--port {text}: write NAME=PORT, as binance=9001")
    return name, int(number)


async def _serve(
    *, as_json: bool, seed: int, recorded: Path | None, ports: dict[str, int], with_stdin: bool
) -> None:
    import asyncio

    from mds_engine.simulator.server import VENDORS, Simulator

    unknown = set(ports) - {*VENDORS, "control"}
    if unknown:
        raise click.UsageError(f"--port {unknown.pop()}: known are {', '.join(VENDORS)} and control")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and sys.platform != "win32":
            loop.add_signal_handler(number, stopped.set)
    if with_stdin:
        await _watch_stdin(stopped)
    async with AsyncExitStack() as stack:
        try:
            simulator = await stack.enter_async_context(Simulator(seed=seed, recorded=recorded, ports=ports))
        except OSError as error:
            say(f"the simulator cannot listen: {error.strerror or error}")
            raise click.exceptions.Exit(Exit.UNAVAILABLE) from None
        _tell_where(simulator.describe(), as_json=as_json)
        await stopped.wait()


def _tell_where(where: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(where)
    else:
        for vendor, urls in where["vendors"].items():
            click.echo(f"{vendor:<13} {urls['http']}  {urls['ws']}")
        click.echo(f"{'control':<13} {where['control']}")
    # Whoever reads this through a pipe waits for it.
    sys.stdout.flush()


async def _watch_stdin(stopped: "asyncio.Event") -> None:
    import asyncio

    class Watcher(asyncio.Protocol):
        def eof_received(self) -> None:
            stopped.set()

        def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
            stopped.set()

    await asyncio.get_running_loop().connect_read_pipe(Watcher, sys.stdin)
