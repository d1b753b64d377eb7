"""The login, through the vendor's own SDK."""

import pytest
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidRequest,
    Unavailable,
)
from mds_engine.simulator.server import Simulator
from mds_engine.sources.kite.login import generate_session, login_url

from tests.engine.sources.kite.opened import settings_for, source_of


async def test_the_login_goes_through_the_vendors_own_sdk(simulator: Simulator, context, settings) -> None:
    assert "api_key=simulated" in await login_url(settings)
    token = await generate_session(settings, Secret("simulated"))
    fresh = settings_for(simulator.vendor("kite").http, access_token=token)
    async with source_of(context, fresh) as source:
        await source.check()
    # A request token serves once.
    with pytest.raises((AuthRequired, InvalidRequest)):
        await generate_session(settings, Secret("simulated"))


async def test_a_login_that_cannot_reach_the_vendor_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="refused"):
        await generate_session(settings_for("http://127.0.0.1:1"), Secret("r3quest"))
    with pytest.raises(AuthRequired, match="api_secret"):
        await generate_session(settings_for("http://127.0.0.1:1", api_secret=Secret()), Secret("r3quest"))
