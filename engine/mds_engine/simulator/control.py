"""The simulator's own HTTP API: the same verbs as its Python one, in JSON.

GET /                    where everything listens, active faults, counts
GET /faults              the active faults
POST /faults             {"vendor", "kind", …, "endpoint"}: switch a fault on
DELETE /faults           switch all faults off
DELETE /faults/{vendor}  switch a vendor's faults off; ?kind= and ?endpoint= narrow it
GET /log                 requests that arrived; ?vendor= &group= &since= &limit=
"""

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from mds_engine.simulator.faults import Fault, FaultKind, problem_of
from mds_engine.simulator.ports import bound_socket

if TYPE_CHECKING:
    from mds_engine.simulator.server import Simulator


class FaultRequest(Fault, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault and where it shall stand, as POST /faults takes it."""

    vendor: str
    endpoint: int | None = None

    def fault(self) -> Fault:
        """The fault alone."""
        return Fault(**{name: getattr(self, name) for name in Fault.__struct_fields__})


class ControlServer:
    """Serves the control API of one simulator."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self, port: int) -> None:
        """Listen; port 0 lets the system choose."""
        application = web.Application()
        application.router.add_get("/", self._overview)
        application.router.add_get("/faults", self._list)
        application.router.add_post("/faults", self._inject)
        application.router.add_delete("/faults", self._clear_all)
        application.router.add_delete("/faults/{vendor}", self._clear)
        application.router.add_get("/log", self._log)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        listener = bound_socket(port)
        self._port = listener.getsockname()[1]
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _overview(self, _: web.Request) -> web.Response:
        simulator = self._simulator
        return _json(
            {
                **simulator.describe(),
                "seed": simulator.seed,
                "faults": list(simulator.faults),
                "requests": {
                    name: {
                        "total": port.log.total,
                        "by_group": port.log.by_group(),
                        "streams": port.streams,
                        "resets": port.log.resets,
                    }
                    for name, port in simulator.vendors.items()
                },
            }
        )

    async def _list(self, _: web.Request) -> web.Response:
        return _json(list(self._simulator.faults))

    async def _inject(self, request: web.Request) -> web.Response:
        try:
            wanted = msgspec.json.decode(await request.read(), type=FaultRequest)
            fault = wanted.fault()
            problem = problem_of(fault)
            if problem:
                return _json({"error": problem}, status=400)
            active = await self._simulator.inject(wanted.vendor, fault, wanted.endpoint)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, status=400)
        except LookupError as error:
            return _json({"error": str(error)}, status=404)
        return _json(active, status=201)

    async def _clear_all(self, _: web.Request) -> web.Response:
        cleared = 0
        for name in self._simulator.vendors:
            cleared += await self._simulator.clear(name)
        return _json({"cleared": cleared})

    async def _clear(self, request: web.Request) -> web.Response:
        try:
            endpoint = _number(request, "endpoint")
            kind = FaultKind(request.query["kind"]) if "kind" in request.query else None
            cleared = await self._simulator.clear(request.match_info["vendor"], endpoint=endpoint, kind=kind)
        except ValueError as error:
            return _json({"error": str(error)}, status=400)
        except LookupError as error:
            return _json({"error": str(error)}, status=404)
        return _json({"cleared": cleared})

    async def _log(self, request: web.Request) -> web.Response:
        try:
            since, limit = _number(request, "since") or 0, _number(request, "limit") or 1_000
            name = request.query.get("vendor")
            ports = [self._simulator.vendor(name)] if name else list(self._simulator.vendors.values())
        except ValueError as error:
            return _json({"error": str(error)}, status=400)
        except LookupError as error:
            return _json({"error": str(error)}, status=404)
        entries = [
            entry for port in ports for entry in port.requests(group=request.query.get("group"), since=since)
        ]
        return _json(entries[-limit:])


def _number(request: web.Request, name: str) -> int | None:
    return int(request.query[name]) if name in request.query else None


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
