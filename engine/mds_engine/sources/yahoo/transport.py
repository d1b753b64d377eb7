"""Requests to Yahoo through yfinance, in worker threads of our own.

What yfinance is used for, and what not: it knows how to get Yahoo's cookie
and crumb, and it speaks TLS as a browser does (curl_cffi), without which
Yahoo answers 429. That is kept, in `YfData.get` with a session of ours. Its
`Ticker.history` is not: for a chart of 49 days it takes 11 ms of processor time
where our decoder takes 0.25, to build a frame with the float32 noise left in,
keeps answers in a cache for the whole process, asks for the time zone by a
further request, turns most errors into an empty frame, and lets pandas print
its warnings on the terminal. The raw body through our decoder is exact and
drops nothing in silence.

yfinance is imported in a worker thread at `connect` (1.7 s).
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from mds_engine.errors import SourceError, Unavailable
from mds_engine.sources.contract import EndpointState, RequestCost, SourceContext
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.yahoo.call import YahooCall

if TYPE_CHECKING:
    from mds_engine.sources.yahoo.yfinance_session import YahooSession

_ANY_HOST = "https://query1.finance.yahoo.com"
"""What yfinance is asked for; the session puts the endpoint in its place."""


class YahooTransport:
    """At most `connections` requests at once; the endpoints share `timeout_s`.

    A cancelled caller leaves at once. Its thread sends nothing more and is free
    again when the request under way ends, after `timeout_s` at the latest, so
    that no more than `connections` threads are ever busy with the dead.
    """

    def __init__(
        self, context: SourceContext, urls: Sequence[str], *, timeout_s: float, connections: int
    ) -> None:
        self._context = context
        self._endpoints = Endpoints(context, urls)
        self._share_s = timeout_s / len(self._endpoints.urls)
        self._connections = connections
        self._threads: ThreadPoolExecutor | None = None
        self._session: YahooSession | None = None
        self._under_way: set[YahooCall] = set()
        self._connecting = asyncio.Lock()

    async def connect(self) -> None:
        """Import yfinance and build the session. Nothing is sent. Raises Unavailable if it is not there."""
        async with self._connecting:
            if self._session is None:
                threads = ThreadPoolExecutor(
                    self._connections, thread_name_prefix=f"mds-{self._context.name}"
                )
                self._session = await asyncio.get_running_loop().run_in_executor(threads, self._build)
                self._threads = threads

    async def close(self) -> None:
        """End every call and every thread."""
        threads, session = self._threads, self._session
        self._threads, self._session = None, None
        for call in self._under_way:
            call.abandon()
        if threads is not None:
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)
        if session is not None:
            session.close()

    async def get(self, path: str, params: dict[str, str], cost: RequestCost, *, needs_crumb: bool) -> bytes:
        """The body of the first endpoint that answers. Raises a SourceError.

        The first request is the guarded call's; `cost` is paid for each that yfinance adds to it.
        """
        if self._session is None:
            await self.connect()
        call = YahooCall(self._context, cost, needs_crumb=needs_crumb)
        self._under_way.add(call)
        try:
            return await self._first_answer(call, path, params)
        finally:
            call.abandon()
            self._under_way.discard(call)

    def endpoints(self) -> tuple[EndpointState, ...]:
        """The state of each base URL."""
        return self._endpoints.states()

    async def _first_answer(self, call: YahooCall, path: str, params: dict[str, str]) -> bytes:
        last: SourceError | None = None
        for index in self._endpoints.order():
            threads, session = self._threads, self._session
            if threads is None or session is None:
                raise Unavailable("the source is closed")
            call.aim(self._endpoints.urls[index], self._share_s)
            try:
                body = await asyncio.get_running_loop().run_in_executor(
                    threads, session.fetch, call, _ANY_HOST + path, params
                )
            except Unavailable as error:
                self._endpoints.failed(index, error.message)
                if call.answered:
                    raise
                last = error
            except SourceError:
                if call.answered:
                    self._endpoints.succeeded(index)
                raise
            else:
                self._endpoints.succeeded(index)
                return body
        raise last or Unavailable("no endpoint is configured")

    def _build(self) -> "YahooSession":
        try:
            from mds_engine.sources.yahoo.yfinance_session import YahooSession
        except ImportError as error:
            raise Unavailable(
                f"yfinance cannot be loaded: {error}; pip install yfinance curl_cffi"
            ) from error
        return YahooSession(self._context.clock.wall)
