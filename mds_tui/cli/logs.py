"""The log goes to a file: stdout is for data, and the screen belongs to the console."""

import logging
import logging.handlers
from pathlib import Path

LARGEST_FILE_BYTES = 5_000_000
KEPT_FILES = 3


def log_to_file(file: Path) -> None:
    """Send all logs of this process to a file, one JSON object a line; nowhere if it cannot be written.

    Called once, by the verb that starts an engine. Libraries are heard from
    WARNING on: httpx would log whole URLs, keys included.
    """
    import structlog
    from structlog.typing import Processor

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=LARGEST_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("mds_engine").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
