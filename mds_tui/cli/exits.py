"""How every verb ends: one sentence and one number."""

import enum
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import click
from mds_engine import errors


class Exit(enum.IntEnum):
    """Exit codes. docs/cli.md has the same table; a test holds them together."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    UNAVAILABLE = 4
    REQUEST = 5
    PAYLOAD = 6
    DEFECT = 70
    INTERRUPTED = 130


MEANING: Mapping[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "a drill or a check of the doctor failed, or no tick came in time",
    Exit.USAGE: "the command line cannot be read",
    Exit.CONFIG: "the configuration cannot be used",
    Exit.UNAVAILABLE: "no source could answer, or the simulator cannot be reached",
    Exit.REQUEST: "what was asked for is not right, or nobody has it: an instrument, an interval, a source",
    Exit.PAYLOAD: "decode: the payload cannot be read",
    Exit.DEFECT: "a defect of mds-tui; the sentence names the file with the details",
    Exit.INTERRUPTED: "interrupted by Ctrl+C",
}
"""As `--help` prints them."""


class SimulatorUnreachableError(errors.MdsError):
    """Nobody answers where a simulator should be."""


def code_of(error: errors.MdsError) -> Exit:
    """The exit code that an error ends with."""
    if isinstance(error, errors.ConfigError):
        return Exit.CONFIG
    if isinstance(error, errors.UnknownSourceError | errors.InvalidRequest | errors.NotFound):
        return Exit.REQUEST
    if isinstance(error, errors.AllSourcesFailedError) and _nobody_knows(error):
        return Exit.REQUEST
    if isinstance(error, errors.InvalidPayload):
        return Exit.PAYLOAD
    return Exit.UNAVAILABLE


def _nobody_knows(error: errors.AllSourcesFailedError) -> bool:
    """Whether every source that was asked answered well, and had no such instrument or data."""
    asked = [step.error for step in error.decision.steps if step.error]
    return bool(asked) and set(asked) == {errors.NotFound.__name__}


def say(sentence: str) -> None:
    """Tell the person at the terminal, beside the data."""
    for line in sentence.splitlines():
        click.echo(f"mds-tui: {line}", err=True)


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors that we raise on purpose into a sentence and an exit code."""
    try:
        yield
    except errors.MdsError as error:
        say(str(error))
        raise click.exceptions.Exit(code_of(error)) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise click.exceptions.Exit(Exit.INTERRUPTED) from None


def report_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What the console script does with what nobody expected: a sentence, and the rest in a file."""
    import platformdirs

    file = platformdirs.user_log_path("mds-tui") / "defects.log"
    text = "".join(traceback.format_exception(kind, error, trace))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC).isoformat()}\n{text}\n")
        where = f"the details are in {file}"
    except OSError:
        where = f"the details could not be written to {file}"
    say(f"a defect: {kind.__name__}: {' '.join(str(error).split())}; {where}")
    raise SystemExit(Exit.DEFECT)


class Verbs(click.Group):
    """The command group: every verb runs under `told`, and help lists the exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        with told():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of registration, which is the order of use."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        rows: Sequence[tuple[str, str]] = [(str(code.value), about) for code, about in MEANING.items()]
        with formatter.section("Exit codes"):
            formatter.write_dl(rows)
