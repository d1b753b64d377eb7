"""Fixtures for drills: a desk that may be rehearsed on."""

from typing import Any

import pytest
from mds_engine.drills.live import LiveDrills
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.reconnect import ReconnectSettings


@pytest.fixture
def desk_of(fake_desk):
    """Makes a desk that may be rehearsed on, with checks every five seconds."""

    def make(clock, names: str = "ab", **more: Any):
        settings = {
            "health": HealthSettings(interval_s=5.0, doubt_interval_s=1.0),
            "breaker": BreakerSettings(open_s=4.0, open_cap_s=8.0),
            "failback": FailbackSettings(after_s=5.0),
            "reconnect": ReconnectSettings(first_s=0.5, cap_s=4.0),
            **more,
        }
        return fake_desk(clock, names, rehearsals=LiveDrills, **settings)

    return make
