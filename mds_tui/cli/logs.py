"""The log goes to a file: stdout is for data, and the screen belongs to the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from structlog.typing import Processor

LARGEST_FILE_BYTES = 5_000_000
KEPT_FILES = 3


@contextmanager
def logging_to(file: Path) -> Iterator[None]:
    """Send all logs of this process to a file, one JSON object a line; nowhere if it cannot be written.

    Libraries are heard from WARNING on: httpx would log whole URLs, keys
    included. Afterwards everything is as it was. structlog is imported for the
    first line: that takes a third of the time in which a Textual app paints.
    """
    import logging

    handler = _handler(file)
    root, ours = logging.getLogger(), logging.getLogger("mds_engine")
    root_level, our_level = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    ours.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.removeHandler(handler)
        root.setLevel(root_level)
        ours.setLevel(our_level)
        handler.close()


def _shared_processors() -> "list[Processor]":
    import structlog

    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _handler(file: Path) -> "logging.Handler":
    import logging
    from logging.handlers import RotatingFileHandler

    class JsonLines(logging.Formatter):
        """Made of structlog's own when the first line is due."""

        lines: logging.Formatter | None = None

        def format(self, record: logging.LogRecord) -> str:
            if self.lines is None:
                self.lines = _json_lines()
            return self.lines.format(record)

    handler: logging.Handler
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            file, maxBytes=LARGEST_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(JsonLines())
    return handler


def _json_lines() -> "logging.Formatter":
    import structlog

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
