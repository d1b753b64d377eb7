"""Structured logs through the standard library: a program that uses the engine decides where they go.

structlog's own default prints to the terminal, which a library must not.
"""

import logging
from typing import Any

import structlog


def get_logger(name: str) -> Any:
    """A structlog logger on `logging.getLogger(name)`; the event's values are the record's `extra`-like dict.

    The records carry what `structlog.stdlib.ProcessorFormatter` renders; any
    other formatter shows the event and its values as a dict.
    """
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )
