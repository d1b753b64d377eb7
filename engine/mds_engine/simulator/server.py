"""The simulator: every vendor on ports of its own, one market behind them, faults on demand."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mds_engine.clock import Clock, SystemClock
from mds_engine.simulator.control import ControlServer
from mds_engine.simulator.endpoint import Endpoint
from mds_engine.simulator.faults import ActiveFault, Fault, FaultBoard, FaultKind
from mds_engine.simulator.market import Market
from mds_engine.simulator.push_log import PushLog
from mds_engine.simulator.vendor import Vendor, VendorContext
from mds_engine.simulator.wire_log import WireEntry, WireLog

VENDORS: Mapping[str, str] = {
    "binance": "mds_engine.simulator.binance:BinanceVendor",
    "kite": "mds_engine.simulator.kite:KiteVendor",
    "yahoo": "mds_engine.simulator.yahoo:YahooVendor",
    "alphavantage": "mds_engine.simulator.alphavantage:AlphaVantageVendor",
}
"""Where each vendor's class lives; imported when a simulator starts with it."""

VendorFactory = Callable[[VendorContext], Vendor]


class UnknownVendorError(LookupError):
    """This simulator does not run such a vendor, or the vendor has no such endpoint."""


class VendorPort:
    """One running vendor: where it listens, what reached it, and what its streams had to tell."""

    def __init__(self, vendor: Vendor, endpoints: Sequence[Endpoint], log: WireLog, pushes: PushLog) -> None:
        self.vendor = vendor
        self.endpoints = tuple(endpoints)
        self.log = log
        self.pushes = pushes

    @property
    def name(self) -> str:
        """As in the configuration: `binance`, `kite`, …"""
        return self.vendor.name

    @property
    def http(self) -> str:
        """Base URL of the first endpoint."""
        return self.endpoints[0].http

    @property
    def ws(self) -> str:
        """Stream URL of the first endpoint."""
        return self.endpoints[0].ws

    @property
    def login(self) -> str:
        """The page on which an operator logs in; empty where there is none."""
        return f"{self.http}{self.vendor.login_path}" if self.vendor.login_path else ""

    @property
    def streams(self) -> int:
        """WebSockets that are open now, on all endpoints."""
        return sum(endpoint.streams for endpoint in self.endpoints)

    def requests(
        self,
        *,
        group: str | None = None,
        endpoint: int | None = None,
        path_prefix: str = "",
        since: int = 0,
    ) -> list[WireEntry]:
        """The requests that reached it, oldest first; `since` is the number of the last one already seen."""
        return self.log.entries(group=group, endpoint=endpoint, path_prefix=path_prefix, since=since)

    def describe(self) -> dict[str, Any]:
        """URLs, as `simulate --json` prints them."""
        return {
            "http": self.http,
            "ws": self.ws,
            "endpoints": [{"http": endpoint.http, "ws": endpoint.ws} for endpoint in self.endpoints],
            **({"login": self.login} if self.login else {}),
        }


class Simulator:
    """An async context manager that serves simulated vendors on loopback while it is open.

    `vendors` are names, or factories for vendors with settings of their own.
    `ports` fixes the first endpoint's port per vendor, and the control port
    under `"control"`; all others are chosen by the system. `recorded` is a
    folder laid out as `<vendor>/<file>`: bodies and frames are then served
    from it as they are. `trades_per_s` (at most 10 000) is how often every
    instrument trades, None to leave each its own tempo; Binance's streams bring
    each trade, Kite's five pictures a second at most, Yahoo's two.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        vendors: Sequence[str | VendorFactory] = tuple(VENDORS),
        recorded: Path | None = None,
        clock: Clock | None = None,
        ports: Mapping[str, int] | None = None,
        always_open: bool = True,
        trades_per_s: float | None = None,
    ) -> None:
        self.seed = seed
        self._clock: Clock = SystemClock() if clock is None else clock
        self.market = Market(seed, self._clock.wall, always_open=always_open, trades_per_s=trades_per_s)
        self.faults = FaultBoard(seed, self._clock.wall)
        self._wanted = tuple(vendors)
        self._recorded = recorded
        self._ports = dict(ports or {})
        self._vendors: dict[str, VendorPort] = {}
        self._control = ControlServer(self)

    async def __aenter__(self) -> Self:
        try:
            for number, wanted in enumerate(self._wanted):
                await self._start_vendor(wanted, number)
            await self._control.start(self._ports.get("control", 0))
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close every port. Safe to call twice."""
        for name in self._vendors:
            self.faults.clear(name)
        await self._control.stop()
        for port in self._vendors.values():
            for endpoint in port.endpoints:
                await endpoint.stop()
            await port.vendor.close()

    @property
    def vendors(self) -> Mapping[str, VendorPort]:
        """The running vendors by name."""
        return self._vendors

    @property
    def control_url(self) -> str:
        """Base URL of the control API."""
        return self._control.url

    def vendor(self, name: str) -> VendorPort:
        """One running vendor. Raises UnknownVendorError."""
        try:
            return self._vendors[name]
        except KeyError:
            raise UnknownVendorError(
                f"no vendor {name!r} here; running: {', '.join(self._vendors)}"
            ) from None

    def describe(self) -> dict[str, Any]:
        """Where everything listens."""
        return {
            "vendors": {name: port.describe() for name, port in self._vendors.items()},
            "control": self.control_url,
        }

    async def inject(self, vendor: str, fault: Fault, endpoint: int | None = None) -> ActiveFault:
        """Switch a fault on, for one endpoint or for all. Raises UnknownVendorError."""
        port = self.vendor(vendor)
        if endpoint is not None and not 0 <= endpoint < len(port.endpoints):
            raise UnknownVendorError(
                f"{vendor} has no endpoint {endpoint}; the last is {len(port.endpoints) - 1}"
            )
        active = self.faults.inject(vendor, fault, endpoint)
        if fault.kind is FaultKind.CUT_STREAM:
            for one in port.endpoints:
                if endpoint in (None, one.index):
                    one.cut_streams()
        if fault.kind is FaultKind.STREAM_SHUTDOWN:
            for one in port.endpoints:
                if endpoint in (None, one.index):
                    one.shut_down_streams(active)
        await self._settle(port)
        return active

    async def clear(self, vendor: str, *, endpoint: int | None = None, kind: FaultKind | None = None) -> int:
        """Switch a vendor's faults off; returns how many there were. Raises UnknownVendorError."""
        port = self.vendor(vendor)
        cleared = self.faults.clear(vendor, endpoint=endpoint, kind=kind)
        await self._settle(port)
        return cleared

    async def _settle(self, port: VendorPort) -> None:
        for endpoint in port.endpoints:
            if self.faults.standing(port.name, endpoint.index, FaultKind.REFUSE) is None:
                await endpoint.listen()
            else:
                await endpoint.refuse()

    async def _start_vendor(self, wanted: str | VendorFactory, number: int) -> None:
        factory = _load(wanted) if isinstance(wanted, str) else wanted
        vendor = factory(
            VendorContext(market=self.market, clock=self._clock, seed=self.seed, recordings=self._recorded)
        )
        log, pushes = WireLog(vendor.name, self._clock.wall), PushLog()
        view = self.market.distorted(lag_s=vendor.lag_s, noise_steps=vendor.noise_steps, salt=number)
        endpoints = [
            Endpoint(vendor, index, view, self.faults, log, self._clock, pushes)
            for index in range(vendor.endpoint_count)
        ]
        self._vendors[vendor.name] = VendorPort(vendor, endpoints, log, pushes)
        for endpoint in endpoints:
            await endpoint.start(self._ports.get(vendor.name, 0) if endpoint.index == 0 else 0)


def _load(name: str) -> VendorFactory:
    try:
        module, _, attribute = VENDORS[name].partition(":")
    except KeyError:
        raise UnknownVendorError(f"no vendor {name!r}; known are {', '.join(VENDORS)}") from None
    factory: VendorFactory = getattr(importlib.import_module(module), attribute)
    return factory
