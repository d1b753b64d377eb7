"""`quote`, `bars`, `ticks`: data from whichever source is best now, from the command line."""

import csv
import json
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mds_tui.cli.exits import Exit, code_of, say
from mds_tui.cli.options import Seconds
from mds_tui.cli.output import Record, bar_records, error_record, iso_time, plain_line, print_records, records
from mds_tui.cli.settings import Settings, shared

if TYPE_CHECKING:
    from mds_engine.bars_answer import BarsAnswer
    from mds_engine.engine import Engine
    from mds_engine.errors import MdsError
    from mds_engine.model import Quote

Answer = TypeVar("Answer")

QUIET_S = 10.0
"""Without a tick for so long, ticks says once a silence that it is waiting, and for whom."""

_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
_source_option = click.option(
    "--source", metavar="NAME", help="Ask this source, or the one of this vendor, and no other."
)
_deadline_option = click.option(
    "--deadline", type=Seconds(min=0, min_open=True), help="Seconds for the whole call."
)


@click.command(short_help="Print the latest quotes.")
@click.argument("instruments", nargs=-1, required=True, metavar="INSTRUMENT...")
@_source_option
@_deadline_option
@_json_option
@shared
@click.pass_obj
def quote(
    settings: Settings,
    *,
    instruments: tuple[str, ...],
    source: str | None,
    deadline: float | None,
    as_json: bool,
) -> None:
    """Print the latest quote of each INSTRUMENT, as NSE:RELIANCE or BINANCE:BTCUSDT."""

    async def ask(engine: "Engine") -> "tuple[dict[str, Quote], list[MdsError]]":
        if len(instruments) == 1:
            found = await engine.quote(instruments[0], source=_named(engine, source), deadline_s=deadline)
            return {str(found.instrument): found}, []
        return await _quotes_of_each_exchange(
            engine, instruments, source=_named(engine, source), deadline_s=deadline
        )

    quotes, failures = _run(settings, ask, as_json=as_json)
    if as_json:
        print_records((record for found in quotes.values() for record in records(found)), as_json=True)
    else:
        for found in quotes.values():
            click.echo(_quote_line(found))
    for failure in failures:
        _tell(failure, as_json=as_json)
    if failures:
        raise click.exceptions.Exit(max(code_of(failure) for failure in failures))
    _tell_missing(instruments, set(quotes), as_json=as_json)


async def _quotes_of_each_exchange(
    engine: "Engine", texts: tuple[str, ...], *, source: str | None, deadline_s: float | None
) -> "tuple[dict[str, Quote], list[MdsError]]":
    """One call an exchange, all at once: a route that is down does not withhold the others' answers."""
    import asyncio

    from mds_engine.errors import MdsError
    from mds_engine.model import Instrument

    wanted: dict[str, list[str]] = {}
    for text in texts:
        instrument = Instrument.parse(text)
        wanted.setdefault(instrument.exchange, []).append(str(instrument))

    async def ask(names: list[str]) -> "dict[str, Quote] | MdsError":
        try:
            return await engine.quotes(names, source=source, deadline_s=deadline_s)
        except MdsError as error:
            return error

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(names), name=f"quotes of {name}") for name, names in wanted.items()]
    answers = [task.result() for task in asked]
    found = {name: one for answer in answers if isinstance(answer, dict) for name, one in answer.items()}
    order = [str(Instrument.parse(text)) for text in texts]
    quotes = {name: found[name] for name in dict.fromkeys(order) if name in found}
    return quotes, [answer for answer in answers if isinstance(answer, MdsError)]


def _named(engine: "Engine", source: str | None) -> str | None:
    """A source by its name, or by its vendor's where only one of that vendor is configured."""
    if source is None or source in engine.config.sources:
        return source
    of_vendor = [name for name, settings in engine.config.sources.items() if settings.kind == source]
    return of_vendor[0] if len(of_vendor) == 1 else source


def _quote_line(found: "Quote") -> str:
    change = f"{found.change_percent:+.2f} %" if found.change_percent is not None else ""
    time = iso_time(found.time_ns) if found.time_ns else ""
    return f"{found.instrument!s:<20} {found.price:>14,.2f}  {change:>9}  {found.source:<14} {time}".rstrip()


def _tell_missing(wanted: tuple[str, ...], found: set[str], *, as_json: bool) -> None:
    from mds_engine.errors import NotFound
    from mds_engine.model import Instrument

    missing = [
        name for name in dict.fromkeys(str(Instrument.parse(text)) for text in wanted) if name not in found
    ]
    for name in missing:
        _tell(NotFound(f"no source of its route knows {name}"), as_json=as_json)
    if missing:
        raise click.exceptions.Exit(Exit.REQUEST)


@click.command(short_help="Print bars, oldest first.")
@click.argument("instrument")
@click.argument("interval")
@click.option(
    "--start", metavar="TIME", help="First opening time, as 2026-01-31 or 2026-01-31T09:15:00+05:30."
)
@click.option("--end", metavar="TIME", help="The bars open before this; now if it is left out.")
@_source_option
@_deadline_option
@_json_option
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, with a header.")
@shared
@click.pass_obj
def bars(
    settings: Settings,
    *,
    instrument: str,
    interval: str,
    start: str | None,
    end: str | None,
    source: str | None,
    deadline: float | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print bars of INSTRUMENT, oldest first; INTERVAL as 1m, 15m, 1h, 1d.

    Times without a zone are UTC. Without --start: the last 200 bars' time, and
    a week for intervals of minutes, so that a weekend is bridged.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")

    async def ask(engine: "Engine") -> "BarsAnswer":
        span = _span(interval, start, end)
        return await engine.fetch_bars(
            instrument, interval, *span, source=_named(engine, source), deadline_s=deadline
        )

    answer = _run(settings, ask, as_json=as_json)
    rows = bar_records(answer.bars)
    if as_csv:
        writer = csv.DictWriter(
            sys.stdout,
            ("time", "open", "high", "low", "close", "volume"),
            extrasaction="ignore",
            lineterminator="\n",
        )
        writer.writeheader()
        writer.writerows(rows)
    elif as_json:
        print_records(({**row, "source": answer.source} for row in rows), as_json=True)
    else:
        print_records(rows, as_json=False)
    if not as_json:
        say(f"{len(answer.bars)} bars from {answer.source}: {answer.decision.explain()}")


def _span(interval: str, start: str | None, end: str | None) -> tuple[datetime, datetime]:
    from mds_engine.model import Interval

    step = Interval.parse(interval)
    last = datetime.now(UTC) if end is None else _time("--end", end)
    if start is not None:
        return _time("--start", start), last
    length = timedelta(seconds=200 * step.seconds)
    return last - (max(length, timedelta(days=7)) if 60 <= step.seconds < 86_400 else length), last


def _time(option: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"{option} {text}: write a date or a time as 2026-01-31 or 2026-01-31T09:15:00+05:30"
        ) from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


@click.command()
@click.argument("instruments", nargs=-1, required=True, metavar="INSTRUMENT...")
@_json_option
@click.option("--count", type=click.IntRange(min=1), help="End after so many ticks; without it, at Ctrl+C.")
@click.option(
    "--timeout",
    type=Seconds(min=0, min_open=True),
    help="Give up if no tick comes for so many seconds.",
)
@shared
@click.pass_obj
def ticks(
    settings: Settings,
    *,
    instruments: tuple[str, ...],
    as_json: bool,
    count: int | None,
    timeout: float | None,
) -> None:
    """Print live ticks as they come.

    Between them stands what became of the stream: a new source, a gap, what was missed.
    """

    import asyncio

    from mds_engine.model import Tick

    why = ""

    async def follow(engine: "Engine") -> int:
        nonlocal why
        _refuse_unstreamed(engine, instruments)
        seen = 0
        async with engine.ticks(instruments) as reader:
            stream = aiter(reader)
            while count is None or seen < count:
                said = asyncio.get_running_loop().call_later(
                    QUIET_S, lambda: say(_quiet(engine, instruments, QUIET_S))
                )
                try:
                    async with asyncio.timeout(timeout):
                        item = await anext(stream)
                except TimeoutError:
                    why = _quiet(engine, instruments, timeout or QUIET_S)
                    raise
                finally:
                    said.cancel()
                for record in records(item):
                    click.echo(json.dumps(record, ensure_ascii=False) if as_json else plain_line(record))
                # A pipe is read as it comes, or it is no live stream.
                sys.stdout.flush()
                seen += isinstance(item, Tick)
        return seen

    try:
        _run(settings, follow, as_json=as_json, lasts=True)
    except TimeoutError:
        from mds_engine.errors import Unavailable

        _tell(Unavailable(why), as_json=as_json)
        raise click.exceptions.Exit(Exit.FAILED) from None


def _quiet(engine: "Engine", instruments: tuple[str, ...], quiet_s: float) -> str:
    """That nothing comes, and what is known about why."""
    from mds_engine.control import RouteKey
    from mds_engine.model import Capability, Instrument

    problems = {
        unit.name: unit.problem
        for text in instruments
        for unit in engine.route(RouteKey(Capability.TICKS, Instrument.parse(text).exchange)).order
    }
    known = [f"{name}: {problem}" for name, problem in problems.items() if problem]
    reason = "; ".join(known) or "the stream stands; is the symbol right, and the market open?"
    return f"no tick of {', '.join(instruments)} came for {quiet_s:g} s ({reason})"


def _refuse_unstreamed(engine: "Engine", instruments: tuple[str, ...]) -> None:
    from mds_engine.control import RouteKey
    from mds_engine.errors import InvalidRequest
    from mds_engine.model import Capability, Instrument

    for text in instruments:
        key = RouteKey(Capability.TICKS, Instrument.parse(text).exchange)
        if not engine.route(key).order:
            raise InvalidRequest(f"no configured source streams {key.exchange}, so {text} has no ticks")


def _run(
    settings: Settings,
    ask: "Callable[[Engine], Coroutine[Any, Any, Answer]]",
    *,
    as_json: bool,
    lasts: bool = False,
) -> Answer:
    """Ask an engine that lives as long as the question, which `lasts` or not. With --json, errors are records
    too."""
    import asyncio

    from mds_engine.errors import ConfigError, MdsError

    from mds_tui.cli.running import with_engine

    try:
        return asyncio.run(with_engine(settings, ask, lasts=lasts))
    except ConfigError:
        raise
    except MdsError as error:
        _tell(error, as_json=as_json)
        raise click.exceptions.Exit(code_of(error)) from None


def _tell(error: Exception, *, as_json: bool) -> None:
    from mds_engine.errors import AllSourcesFailedError, MdsError

    assert isinstance(error, MdsError)
    say(str(error))
    if as_json:
        more: Record = {}
        if isinstance(error, AllSourcesFailedError):
            import msgspec

            more["decision"] = msgspec.to_builtins(error.decision)
            if error.retry_at is not None:
                more["retry_at"] = iso_time(int(error.retry_at * 1_000_000_000))
        click.echo(json.dumps(error_record(error, **more), ensure_ascii=False))
