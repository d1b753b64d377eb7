"""Kite as the simulator knows it: who may call, how often, and which file answers what."""

import base64
import re
from collections.abc import Sequence
from typing import ClassVar

from aiohttp import web

from mds_engine.simulator.faults import Fault
from mds_engine.simulator.kite import bodies, replies
from mds_engine.simulator.kite.account import KiteAccount, Sessions
from mds_engine.simulator.kite.instruments import KiteInstruments
from mds_engine.simulator.kite.limits import CONNECTIONS_PER_KEY, RateLimits
from mds_engine.simulator.kite.login import LOGIN_PATH, OPEN_PATHS, LoginCalls
from mds_engine.simulator.kite.packets import frame
from mds_engine.simulator.kite.rest import MarketDataCalls
from mds_engine.simulator.kite.ticker import Ticker
from mds_engine.simulator.recorded import Recording, Recordings, TimedFrame
from mds_engine.simulator.stream import Stream
from mds_engine.simulator.vendor import Call, Route, Vendor, VendorContext

_AUTHORIZATION = re.compile(r"token ([^:]+):(.+)")


class KiteVendor(Vendor):
    """Kite Connect v3 on one port: REST, and the ticker at its root."""

    name: ClassVar[str] = "kite"
    websocket_path: ClassVar[str] = "/"
    login_path: ClassVar[str] = LOGIN_PATH
    lag_s: ClassVar[float] = 0.2

    def __init__(
        self,
        context: VendorContext,
        *,
        account: KiteAccount | None = None,
        instrument_count: int = 500,
    ) -> None:
        super().__init__(context)
        self._sessions = Sessions(account or KiteAccount(), context.seed)
        self._instruments = KiteInstruments(context.market, instrument_count)
        self._limits = RateLimits()
        self._connections = 0

    def routes(self) -> Sequence[Route]:
        """REST and the ticker."""
        return (
            *MarketDataCalls(self._instruments).routes(),
            *LoginCalls(self._sessions).routes(),
            Route("/", "ticks", stream=self._ticks, admit=self._admit_ticker),
        )

    def fault_response(self, fault: Fault, call: Call) -> web.Response:
        """Kite's words for a fault."""
        return replies.fault_response(fault, call.clock.wall())

    def not_found(self, call: Call) -> web.Response:
        """404; but an unknown instrument is only missing from a quote's data."""
        if call.request.path.startswith("/quote"):
            return replies.json_response(bodies.success({}))
        return replies.not_found()

    def recordings(self) -> Recordings:
        """The official mocks."""
        infosys = {"i": "NSE:INFY"}
        return Recordings(
            (
                Recording("/quote", "quote.json", infosys),
                Recording("/quote/ohlc", "ohlc.json", infosys),
                Recording("/quote/ltp", "ltp.json", infosys),
                Recording("/instruments", "instruments_nse.csv", content_type="text/csv"),
                Recording("/instruments/NSE", "instruments_nse.csv", content_type="text/csv"),
                Recording("/instruments/historical/*/minute", "historical_minute.json"),
                Recording("/", "ticker_full.packet", frames=_bare_packet),
            )
        )

    async def before_handler(self, call: Call, group: str) -> web.Response | None:
        """Headers and session, then the rate limits; recordings have no limits."""
        path = call.request.path
        if path not in OPEN_PATHS and not self._is_authorised(call):
            return replies.token_error()
        if self.folder is not None or self._limits.admit(group, call.clock.now()):
            return None
        return replies.too_many_requests()

    def logged_in_since(self, call: Call, since: float) -> bool:
        """By the token that came with the call; the paths of the login itself need none."""
        if call.request.path in OPEN_PATHS:
            return True
        found = _AUTHORIZATION.fullmatch(call.request.headers.get("Authorization", ""))
        return self._sessions.begun_at(found[2] if found else call.query.get("access_token", "")) > since

    def _is_authorised(self, call: Call) -> bool:
        headers = call.request.headers
        found = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
        return (
            headers.get("X-Kite-Version") == "3"
            and found is not None
            and self._sessions.is_valid(found[1], found[2])
        )

    async def _admit_ticker(self, call: Call) -> web.Response | None:
        if not self._sessions.is_valid(call.query.get("api_key", ""), call.query.get("access_token", "")):
            return replies.token_error()
        return replies.too_many_requests() if self._connections >= CONNECTIONS_PER_KEY else None

    async def _ticks(self, call: Call, stream: Stream) -> None:
        self._connections += 1
        try:
            ticker = Ticker(self._instruments, self._sessions.begun_at(call.query.get("access_token", "")))
            if call.recording is not None and self.folder is not None:
                await ticker.replay(call, stream, call.recording.read_frames(self.folder))
            else:
                await ticker.run(call, stream)
        finally:
            self._connections -= 1


def _bare_packet(content: bytes) -> Sequence[TimedFrame]:
    """The mocks hold one packet in base64, without the frame around it."""
    return [TimedFrame(0.0, frame([base64.b64decode(content)]))]
