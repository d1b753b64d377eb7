"""The table of regular hours."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from mds_engine.model.hours import is_open


@pytest.mark.parametrize(
    ("exchange", "zone", "at", "is_it"),
    [
        ("NSE", "Asia/Kolkata", "2026-11-20T09:14:59", False),
        ("NSE", "Asia/Kolkata", "2026-11-20T09:15:00", True),
        ("NSE", "Asia/Kolkata", "2026-11-20T15:30:00", False),
        ("NSE", "Asia/Kolkata", "2026-11-21T12:00:00", False),
        ("MCX", "Asia/Kolkata", "2026-11-20T23:00:00", True),
        ("NYSE", "America/New_York", "2026-07-01T09:30:00", True),
        ("NYSE", "America/New_York", "2026-12-01T09:29:00", False),
        ("SSE", "Asia/Shanghai", "2026-11-20T11:29:59", True),
        ("SSE", "Asia/Shanghai", "2026-11-20T11:30:00", False),
        ("SSE", "Asia/Shanghai", "2026-11-20T13:00:00", True),
        ("BINANCE", "UTC", "2026-11-21T03:00:00", True),
    ],
)
def test_an_exchange_is_open_in_its_own_hours(exchange, zone, at, is_it):
    wall = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)).timestamp()

    assert is_open(exchange, wall) is is_it
