"""What the doctor finds on the network: every endpoint reached, and the clock compared with theirs."""

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from statistics import median
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from mds_tui.cli.findings import Finding

if TYPE_CHECKING:
    import httpx
    from mds_engine.config.schema import Config

MOST_SKEW_S = 2.0
"""Above it, ages of ticks mislead and signed requests are refused. The Date header counts whole seconds."""


class _Reached(NamedTuple):
    finding: Finding
    skew_s: float | None
    """Their clock less ours, seconds; None if they do not tell."""


async def about_endpoints(config: "Config", timeout_s: float) -> list[Finding]:
    """One finding for each base URL of each source in service, and one about the clock.

    A source fails only if none of its base URLs of a kind is reached: the
    others are what it has several for.
    """
    import httpx

    wanted = [
        (name, urls)
        for name, source in config.sources.items()
        if source.enabled
        for urls in (source.endpoints, source.stream_endpoints)
        if urls
    ]
    async with httpx.AsyncClient(timeout=timeout_s) as client:
        groups = await asyncio.gather(*(_group(name, urls, client, timeout_s) for name, urls in wanted))
    reached = [one for group in groups for one in group]
    skews = [one.skew_s for one in reached if one.skew_s is not None]
    return [*(one.finding for one in reached), _clock(skews)]


def _clock(skews: Sequence[float]) -> Finding:
    if not skews:
        return Finding("clock", None, "nobody was reached to compare it with")
    skew_s = median(skews)
    ok = abs(skew_s) <= MOST_SKEW_S
    remedy = "" if ok else "; set it by NTP"
    direction = "behind" if skew_s > 0 else "ahead"
    return Finding("clock", ok, f"{abs(skew_s):.1f} s {direction} the vendors', give or take 1 s{remedy}")


async def _group(
    name: str, urls: Sequence[str], client: "httpx.AsyncClient", timeout_s: float
) -> list[_Reached]:
    reached = await asyncio.gather(*(_one(name, url, client, timeout_s) for url in urls))
    if not any(one.finding.ok for one in reached):
        return list(reached)
    return [one if one.finding.ok else one._replace(finding=one.finding._replace(ok=None)) for one in reached]


async def _one(name: str, url: str, client: "httpx.AsyncClient", timeout_s: float) -> _Reached:
    began = time.monotonic()
    try:
        if url.startswith("ws"):
            await asyncio.wait_for(_connect(url), timeout_s)
            what, skew_s = "connected", None
        else:
            what, skew_s = await _head(url, client)
    except (OSError, ssl.SSLError, TimeoutError, EndpointError) as error:
        why = _plain(error, timeout_s)
        return _Reached(Finding(f"{name} endpoint", False, f"{url}: not reached: {why}"), None)
    took_ms = (time.monotonic() - began) * 1000
    return _Reached(Finding(f"{name} endpoint", True, f"{url}: {what} in {took_ms:.0f} ms"), skew_s)


def _plain(error: BaseException, timeout_s: float) -> str:
    """Why, without the errno's number; the first cause knows best."""
    causes = [error]
    while (deeper := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(deeper)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its name could not be resolved; is there a network?"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "it refused the connection"
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        return f"no answer in {timeout_s:g} s"
    return str(error) or type(error).__name__


class EndpointError(Exception):
    """An HTTP request that got no answer."""


async def _head(url: str, client: "httpx.AsyncClient") -> tuple[str, float | None]:
    """Any answer proves that the vendor is reached: most have nothing at the root."""
    import httpx

    before = time.time()
    try:
        answer = await client.head(url)
    except httpx.HTTPError as error:
        raise EndpointError(str(error) or type(error).__name__) from error
    after = time.time()
    skew_s = None
    try:
        # The header is cut to whole seconds: on average it is half a second old.
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp() + 0.5
        skew_s = theirs - (before + after) / 2
    except ValueError:
        skew_s = None
    return f"reached (HTTP {answer.status_code})", skew_s


async def _connect(url: str) -> None:
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    _, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if secure else 80), ssl=True if secure else None
    )
    writer.close()
    await writer.wait_closed()
