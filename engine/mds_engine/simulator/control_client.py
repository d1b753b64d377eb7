"""A client for the control API of a simulator that runs in another process."""

from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from mds_engine.simulator.faults import ActiveFault, Fault, FaultKind
from mds_engine.simulator.wire_log import WireEntry


class ControlError(Exception):
    """The simulator refused the request; the message says why."""


class ControlClient:
    """`async with ControlClient(url) as control: await control.inject("kite", Fault(kind=…))`."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def overview(self) -> dict[str, Any]:
        """Where everything listens, the active faults, and the counts."""
        overview: dict[str, Any] = msgspec.json.decode(await self._call("GET", "/"))
        return overview

    async def inject(self, vendor: str, fault: Fault, endpoint: int | None = None) -> ActiveFault:
        """Switch a fault on, for one endpoint or for all."""
        wanted = {**msgspec.to_builtins(fault), "vendor": vendor, "endpoint": endpoint}
        answer = await self._call("POST", "/faults", content=msgspec.json.encode(wanted))
        return msgspec.json.decode(answer, type=ActiveFault)

    async def clear(self, vendor: str, *, endpoint: int | None = None, kind: FaultKind | None = None) -> int:
        """Switch a vendor's faults off; returns how many there were."""
        narrowed = {"endpoint": endpoint, "kind": kind}
        params = {name: str(value) for name, value in narrowed.items() if value is not None}
        answer = await self._call("DELETE", f"/faults/{vendor}", params=params)
        return int(msgspec.json.decode(answer)["cleared"])

    async def clear_all(self) -> int:
        """Switch every fault off; returns how many there were."""
        return int(msgspec.json.decode(await self._call("DELETE", "/faults"))["cleared"])

    async def requests(
        self, vendor: str, *, group: str | None = None, since: int = 0, limit: int = 1_000
    ) -> list[WireEntry]:
        """The newest requests that reached a vendor, oldest first."""
        params: dict[str, str | int] = {"vendor": vendor, "since": since, "limit": limit}
        if group is not None:
            params["group"] = group
        return msgspec.json.decode(await self._call("GET", "/log", params=params), type=list[WireEntry])

    async def _call(self, method: str, path: str, **arguments: Any) -> bytes:
        response = await self._client.request(method, path, **arguments)
        if response.is_error:
            raise ControlError(response.text)
        return response.content
