"""Alpha Vantage as the simulator knows it: one path, one key, and a plan that soon runs out."""

from collections.abc import Sequence
from typing import ClassVar

from aiohttp import web

from mds_engine.simulator.alphavantage import refusals
from mds_engine.simulator.alphavantage.functions import Functions
from mds_engine.simulator.alphavantage.plan import AlphaVantagePlan, Meter
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.recorded import Recording, Recordings
from mds_engine.simulator.vendor import Call, Route, Vendor, VendorContext, retry_after_headers

_FREE_PER_DAY = 25
_EVERY_NTH_ECHOES = 3


class AlphaVantageVendor(Vendor):
    """`/query` and nothing else."""

    name: ClassVar[str] = "alphavantage"
    lag_s: ClassVar[float] = 60.0
    noise_steps: ClassVar[int] = 2

    def __init__(self, context: VendorContext, *, plan: AlphaVantagePlan | None = None) -> None:
        super().__init__(context)
        self._plan = plan or AlphaVantagePlan()
        self._meter = Meter(self._plan)
        self._functions = Functions(self._plan)
        self._daily_refusals = 0

    def routes(self) -> Sequence[Route]:
        """The one path."""
        return (Route("/query", "query", self._query),)

    def fault_response(self, fault: Fault, call: Call) -> web.Response:
        """Its words for a fault: where the vendor has any, they come with HTTP 200."""
        headers = retry_after_headers(fault, call.clock.wall())
        if fault.kind is FaultKind.THROTTLE:
            response = refusals.burst()
            response.set_status(429)
            response.headers.update(headers)
            return response
        if fault.kind is FaultKind.BAN:
            return web.Response(text="error code: 1015\n", status=418, headers=headers)
        if fault.kind is FaultKind.TOKEN_EXPIRED:
            return refusals.invalid_key()
        if fault.kind is FaultKind.QUOTA:
            return self._daily_refusal(call)
        if fault.kind is FaultKind.ERROR_IN_200:
            return refusals.unavailable()
        return web.Response(
            text=f"<html><body><h1>{fault.status}</h1></body></html>\n",
            status=fault.status,
            content_type="text/html",
            headers=headers,
        )

    def not_found(self, call: Call) -> web.Response:
        """A page for an unknown path; an Error Message for a symbol without a recording."""
        if call.request.path == "/query":
            if call.query.get("function") == "GLOBAL_QUOTE":
                return refusals.reply(b'{\n    "Global Quote": {}\n}')
            return refusals.invalid_call(call.query.get("function", ""))
        return web.Response(text="<h1>Not Found</h1>\n", status=404, content_type="text/html")

    def recordings(self) -> Recordings:
        """By function and symbol."""
        microsoft = {"symbol": "MSFT"}
        return Recordings(
            (
                Recording("/query", "GLOBAL_QUOTE_MSFT.json", {"function": "GLOBAL_QUOTE", **microsoft}),
                Recording(
                    "/query",
                    "TIME_SERIES_INTRADAY_MSFT_1min.json",
                    {"function": "TIME_SERIES_INTRADAY", "interval": "1min", **microsoft},
                ),
                Recording(
                    "/query",
                    "TIME_SERIES_INTRADAY_EXTENDED_head.csv",
                    {"function": "TIME_SERIES_INTRADAY_EXTENDED"},
                    content_type="application/x-download",
                ),
                Recording(
                    "/query", "http200_invalid_call.ErrorMessage.json", {"function": "TIME_SERIES_DAILY"}
                ),
                Recording("/query", "SYMBOL_SEARCH_BA.json", {"function": "SYMBOL_SEARCH", "keywords": "BA"}),
                Recording(
                    "/query",
                    "CURRENCY_EXCHANGE_RATE_BTC_CNY.json",
                    {
                        "function": "CURRENCY_EXCHANGE_RATE",
                        "from_currency": "BTC",
                        "to_currency": "CNY",
                    },
                ),
            )
        )

    async def before_handler(self, call: Call, group: str) -> web.Response | None:  # noqa: ARG002
        """Key, function, plan. A call that is refused does not count; recordings have no plan."""
        if self.folder is not None:
            return None
        key = call.query.get("apikey", "")
        if not key or self._plan.api_key not in {None, key}:
            return refusals.invalid_key()
        refusal = self._functions.refusal(call.query.get("function", ""))
        if refusal is not None:
            return refusal
        exhausted = self._meter.admit(call.clock.now(), call.clock.wall())
        if exhausted == "burst":
            return refusals.burst()
        return self._daily_refusal(call) if exhausted == "daily" else None

    async def _query(self, call: Call) -> web.Response:
        return self._functions.answer(call)

    def _daily_refusal(self, call: Call) -> web.Response:
        self._daily_refusals += 1
        echoes = self._daily_refusals % _EVERY_NTH_ECHOES == 0
        return refusals.daily(
            self._plan.per_day or _FREE_PER_DAY, call.query.get("apikey", "") if echoes else None
        )
