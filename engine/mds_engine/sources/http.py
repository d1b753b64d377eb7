"""HTTP for every vendor that speaks it: one small pool, several base URLs, no retries of its own.

Requests go to httpx's transports directly, under the client: the client logs
each URL (Alpha Vantage has its key there), follows cookies and sets four timers
a request, none of which a data source wants. httpx is imported at `connect`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    QuotaExhausted,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.policy.retry_after import parse_retry_after
from mds_engine.sources.contract import EndpointState
from mds_engine.sources.endpoints import EndpointContext, Endpoints
from mds_engine.sources.scrub import Scrubber
from mds_engine.sources.transport_errors import describe_transport_error

if TYPE_CHECKING:
    import httpx

_KEEP_IDLE_S = 30.0
"""How long an idle connection is kept: longer than a polling interval, shorter than vendors' own limits."""

_SHORTEST_SHARE_S = 2.0
"""However many endpoints there are, an answer is waited for so long, where the timeout leaves it."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer. `headers` are found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpShell:
    """One source's HTTP: at most `connections` requests in flight, endpoints tried in order.

    An endpoint that refuses, resets or times out is passed over within the same
    attempt; each may take an equal share of what is left of `timeout_s`, so
    that the whole stays within it. An answer of any status is returned as it
    is: what it means is the vendor's module's to say (see `classify_status`).
    """

    def __init__(
        self,
        context: EndpointContext,
        urls: Sequence[str],
        *,
        timeout_s: float,
        connections: int,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[Secret] = (),
    ) -> None:
        self._secrets = tuple(secrets)
        self.scrub = Scrubber(self._secrets)
        """Makes a vendor's words fit for `SourceError.raw`."""
        self._endpoints = Endpoints(context, urls)
        self._timeout_s = timeout_s
        self._gate = asyncio.Semaphore(connections)
        self._connecting = asyncio.Lock()
        self._connections = connections
        self._headers = {"accept-encoding": "gzip, deflate", "user-agent": "mds-engine", **(headers or {})}
        self._transports: tuple[httpx.AsyncHTTPTransport, ...] = ()
        self._header_pairs: list[tuple[bytes, bytes]] = []

    async def connect(self) -> None:
        """Build the pools; nothing is sent. The import of httpx happens in a worker thread."""
        async with self._connecting:  # else two that come at once would each build, and one be lost
            if not self._transports:
                self._transports = await asyncio.to_thread(self._build)

    async def close(self) -> None:
        """End every connection. Safe to call twice, and before `connect`."""
        transports, self._transports = self._transports, ()
        for transport in transports:
            await transport.aclose()

    def set_headers(self, headers: Mapping[str, str]) -> None:
        """Send these from now on besides the ones given at the start, as after a login."""
        self._headers.update(headers)
        self._header_pairs = _encoded(self._headers)

    def also_scrub(self, secrets: Iterable[Secret]) -> None:
        """Mask these too from now on, besides the ones given before."""
        self._secrets = (*self._secrets, *secrets)
        self.scrub = Scrubber(self._secrets)

    def endpoints(self) -> tuple[EndpointState, ...]:
        """The state of each base URL."""
        return self._endpoints.states()

    async def get(self, path: str, query: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> Reply:
        """GET `path` (from the slash on) of the first endpoint that answers.

        Raises Unavailable if none answers, InvalidPayload if an answer was cut short.
        """
        import httpx

        if not self._transports:
            await self.connect()
        target = f"{path}?{urlencode(query)}" if query else path
        async with self._gate:
            last: SourceError | None = None
            order = self._endpoints.order()
            now = asyncio.get_running_loop().time
            deadline = now() + self._timeout_s
            for position, index in enumerate(order):
                left_s = deadline - now()
                share_s = max(left_s / (len(order) - position), min(_SHORTEST_SHARE_S, left_s / 2))
                try:
                    reply = await self._exchange(index, target, share_s)
                except (httpx.TransportError, httpx.StreamError, OSError) as error:
                    last = self._unavailable(index, error, share_s)
                    self._endpoints.failed(index, last.message)
                    continue
                if reply.status >= 500:
                    self._endpoints.failed(index, f"{self._host(index)} answered {reply.status}")
                else:
                    self._endpoints.succeeded(index)
                return reply
        raise last or Unavailable("no endpoint is configured")

    async def _exchange(self, index: int, target: str, share_s: float) -> Reply:
        import httpx

        transports = self._transports
        if not transports:
            raise Unavailable("the source was closed meanwhile")
        request = httpx.Request("GET", self._endpoints.urls[index] + target, headers=self._header_pairs)
        # One timer for the whole exchange, body included: httpx's own start anew with each chunk.
        async with asyncio.timeout(share_s):
            response = await transports[index].handle_async_request(request)
            try:
                body = await response.aread()
            except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
                raise InvalidPayload(
                    f"the answer of {self._host(index)} was cut short", raw=self.scrub(str(error))
                ) from error
            finally:
                await response.aclose()
        return Reply(response.status_code, response.headers, body)

    def _unavailable(self, index: int, error: Exception, share_s: float) -> SourceError:
        import httpx

        text = str(error)
        if isinstance(error, httpx.RemoteProtocolError) and not text.startswith("Server disconnected"):
            return InvalidPayload(f"{self._host(index)} does not speak HTTP", raw=self.scrub(text))
        if isinstance(error, httpx.RemoteProtocolError):
            why = "ended the connection without an answer"
        else:
            why = describe_transport_error(error, share_s)
        return Unavailable(
            f"{self._host(index)} {self.scrub(why)}",
            unreachable=isinstance(error, httpx.ConnectError | httpx.ConnectTimeout),
            raw=self.scrub(text),
        )

    def _host(self, index: int) -> str:
        return urlsplit(self._endpoints.urls[index]).netloc.rpartition("@")[2]

    def _build(self) -> "tuple[httpx.AsyncHTTPTransport, ...]":
        """One pool an endpoint, so that the one in use has no foreign idle sockets to look through."""
        import httpx

        self._header_pairs = _encoded(self._headers)
        urls = self._endpoints.urls
        # Reading the certificate store takes 20 ms: once, and only where there is TLS.
        context = httpx.create_ssl_context() if any(url.startswith("https:") for url in urls) else False
        limits = httpx.Limits(
            max_connections=self._connections,
            max_keepalive_connections=self._connections,
            keepalive_expiry=_KEEP_IDLE_S,
        )
        return tuple(
            httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=_proxy_for(url), trust_env=False)
            for url in urls
        )


def classify_status(reply: Reply, *, wall: float, scrub: Scrubber) -> SourceError | None:
    """The usual meaning of an HTTP status; None for a 2xx that is not an HTML page.

    Vendors look at their own error bodies first and leave the rest to this.
    `wall` is the time now in epoch seconds, for a Retry-After that is a date.
    """
    status = reply.status
    if status < 300 and not _is_html(reply):
        return None
    raw = scrub(reply.body)
    if status in (418, 429):
        retry_after_s = parse_retry_after(reply.headers.get("retry-after"), wall)
        what = "banned us" if status == 418 else "asks us to slow down"
        when = f", for {retry_after_s:g} s" if retry_after_s is not None else ""
        return Throttled(
            f"the vendor {what} ({status}){when}", retry_after_s=retry_after_s, banned=status == 418, raw=raw
        )
    if status in (401, 403):
        return AuthRequired(f"the vendor wants a login ({status})", raw=raw)
    if status == 402:
        return QuotaExhausted("the vendor wants to be paid (402)", raw=raw)
    if status >= 500 or status in (408, 451):
        return Unavailable(f"the vendor does not serve us ({status})", raw=raw)
    if status >= 400:
        # Never InvalidRequest by guess: that would keep the caller from the next source.
        return NotFound(f"the vendor has no answer to this request ({status})", raw=raw)
    what = "a web page came where data was due" if status < 300 else f"an unexpected redirect ({status})"
    return InvalidPayload(what, raw=raw)


def _is_html(reply: Reply) -> bool:
    return "html" in reply.headers.get("content-type", "") or reply.body[:64].lstrip()[:1] == b"<"


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers.items()]


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for this host; never one for loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in _LOOPBACK or host.startswith("127.") or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
