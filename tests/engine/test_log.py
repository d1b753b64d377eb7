"""A library is silent until the program that uses it says where logs go."""

import json
import logging
import subprocess
import sys

import structlog
from mds_engine.log import get_logger


def test_nothing_is_printed_by_itself():
    script = (
        "from mds_engine.event_log import EventLog\n"
        "from mds_engine.control.events import EngineStopped\n"
        "EventLog(lambda: 0.0).emit(EngineStopped())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_values_reach_a_structured_formatter(capsys):
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ]
        )
    )
    logger = logging.getLogger("mds_engine.test_log")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        get_logger("mds_engine.test_log").info("something_happened", source="zerodha")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    told = json.loads(capsys.readouterr().out)
    assert (told["event"], told["source"], told["level"]) == ("something_happened", "zerodha", "info")
