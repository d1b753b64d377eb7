"""The stage of a drill: a route with its sources, and the configuration that an engine plays on it."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from mds_engine.clock import Clock
from mds_engine.config.load import parse_config
from mds_engine.config.schema import Config
from mds_engine.config.simulated import Address, SimulatorAddress, VendorAddress, at_simulator
from mds_engine.engine import Engine
from mds_engine.errors import AllSourcesFailedError
from mds_engine.sources.contract import SourcePlugin

TIMEOUT_S = 0.75
CHECK_INTERVAL_S = 1.25
DEADLINE_S = 3.0

_SETTINGS = f"""\
[engine]
name = "drill"
deadline_s = {DEADLINE_S}
state_path = ":memory:"

[breaker]
open_s = {CHECK_INTERVAL_S * 2}
open_cap_s = {CHECK_INTERVAL_S * 10}

[health]
interval_s = {CHECK_INTERVAL_S}
doubt_interval_s = {CHECK_INTERVAL_S / 5}

[failback]
after_s = 1.0

[reconnect]
first_s = 0.2
cap_s = 1.0
"""
"""The defaults on about a twenty-fourth of their times: what takes minutes on a desk takes seconds here."""

_READY_WITHIN_S = 15.0


class Stage(NamedTuple):
    """A route to rehearse on: its sources in order, each with its vendor and the endpoint it uses."""

    exchange: str
    sources: tuple[tuple[str, str, int], ...]
    """(name, vendor, endpoint index), the primary first."""
    instruments: tuple[str, ...]
    calls_per_s: float


def configure(
    stage: Stage,
    address: SimulatorAddress,
    plugins: Mapping[str, SourcePlugin],
    *,
    route: str = "",
    more: str = "",
) -> Config:
    """The drill's configuration: each source on the one endpoint that the stage gives it.

    `route` is TOML for the route's table, `more` for tables of its own, which begin with `[streams]`.
    """
    text = _SETTINGS + "".join(
        f'\n[sources.{name}]\nkind = "{vendor}"\ntimeout_s = {TIMEOUT_S}\n'
        for name, vendor, _ in stage.sources
    )
    names = ", ".join(f'"{name}"' for name, _, _ in stage.sources)
    text += f"\n[routes.{stage.exchange}]\nsources = [{names}]\n{route}\n"
    text += f"\n[streams]\nregular_hours = false\n{more}\n"
    config = at_simulator(parse_config(text, plugins, {}, name="drill").config, address)
    sources = {}
    for name, vendor, endpoint in stage.sources:
        one: Address | VendorAddress = address.vendors[vendor]
        if address.vendors[vendor].endpoints:
            one = address.vendors[vendor].endpoints[endpoint]
        sources[name] = msgspec.structs.replace(
            config.sources[name], endpoints=(one.http,), stream_endpoints=(one.ws,) if one.ws else ()
        )
    return msgspec.structs.replace(config, sources=sources)


async def until_ready(engine: Engine, stage: Stage, clock: Clock) -> None:
    """Let every source answer once: logins and imports are not what is rehearsed."""
    deadline = clock.now() + _READY_WITHIN_S
    for name, _, _ in stage.sources:
        while True:
            try:
                await engine.quote(stage.instruments[0], source=name, deadline_s=5.0)
            except AllSourcesFailedError:
                if clock.now() >= deadline:
                    raise
                await clock.sleep(0.1)
            else:
                break
