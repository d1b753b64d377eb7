"""How every verb ends: one sentence and one number."""

import enum
import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType, TracebackType
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
    OUTPUT = 74
    HUNG_UP = 129
    INTERRUPTED = 130
    UNREAD = 141
    TERMINATED = 143


MEANING: Mapping[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "a drill, a login or a check of the doctor failed, or no tick came in time",
    Exit.USAGE: "the command line cannot be read",
    Exit.CONFIG: "the configuration cannot be used",
    Exit.UNAVAILABLE: "no source could answer, or the simulator cannot be reached",
    Exit.REQUEST: "what was asked for is not right, or nobody has it: an instrument, an interval, a source",
    Exit.PAYLOAD: "a payload, a recording or a log cannot be read",
    Exit.DEFECT: "a defect of mds-tui; the sentence names the file with the details",
    Exit.OUTPUT: "the output cannot be written",
    Exit.HUNG_UP: "ended by SIGHUP: the terminal went away",
    Exit.INTERRUPTED: "interrupted by Ctrl+C",
    Exit.UNREAD: "whoever read the output went away, as `head` does",
    Exit.TERMINATED: "ended by SIGTERM",
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
    except OSError as error:
        code = _output_code(error)
        if code is None:
            raise
        raise click.exceptions.Exit(code) from None


def _output_code(error: OSError) -> Exit | None:
    """The exit code if it was stdout that failed; what is left in its buffer is given up."""
    if error.errno == errno.EPIPE:
        _give_up_stdout()
        return Exit.UNREAD
    # Every file that we write is written where its failure is told with its name.
    if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) and error.filename is None:
        _give_up_stdout()
        say(f"the output cannot be written: {error.strerror}")
        return Exit.OUTPUT
    return None


def _give_up_stdout() -> None:
    """The interpreter flushes stdout once more at its end, and would complain there."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # a stdout without a file has nothing to flush into


@contextmanager
def _ending_as_by_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP end a verb as Ctrl+C does, so that it clears up behind itself."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        on_interrupt = signal.getsignal(signal.SIGINT)
        if callable(on_interrupt):
            on_interrupt(signal.SIGINT, frame)
        else:
            # A shell lets what it starts in the background ignore Ctrl+C, but not this.
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        if not came:
            raise
        raise click.exceptions.Exit(128 + came[0]) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def report_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What the console script does with what nobody expected: a sentence, and the rest in a file."""
    import platformdirs

    # Help and the like are written before any verb runs.
    output = _output_code(error) if isinstance(error, OSError) else None
    if output is not None:
        raise SystemExit(output)
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
        with told(), _ending_as_by_interrupt():
            answer = super().invoke(ctx)
            # Here a failure still has a sentence.
            sys.stdout.flush()
            return answer

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of registration, which is the order of use."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        rows: Sequence[tuple[str, str]] = [(str(code.value), about) for code, about in MEANING.items()]
        with formatter.section("Exit codes"):
            formatter.write_dl(rows)
