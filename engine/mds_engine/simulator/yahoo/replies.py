"""HTTP responses of the simulated Yahoo, among them its own words for every fault."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.vendor import retry_after_headers

_JSON = "application/json;charset=utf-8"

_ENVELOPES = {
    "/v8/finance/chart": "chart",
    "/v7/finance/quote": "quoteResponse",
    "/v10/finance/quoteSummary": "quoteSummary",
}

_STATUS_CODES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    422: "Unprocessable Entity",
    500: "internal-error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def json_response(
    document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON body, without blanks."""
    body = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    return web.Response(body=body, status=status, headers={**(headers or {}), "Content-Type": _JSON})


def error(
    path: str, status: int, code: str, description: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An error in the envelope of the path."""
    found = (name for prefix, name in _ENVELOPES.items() if path.startswith(prefix))
    envelope = next(found, "finance")
    document = {envelope: {"result": None, "error": {"code": code, "description": description}}}
    return json_response(document, status, headers)


def too_many_requests(headers: Mapping[str, str] | None = None, status: int = 429) -> web.Response:
    """Plain text, and no Retry-After of itself."""
    return web.Response(text="Too Many Requests\r\n", status=status, headers=headers)


def unauthorized(path: str) -> web.Response:
    """A crumb without its cookie, or the wrong one."""
    description = "Invalid Cookie" if path == "/v1/test/getcrumb" else "Invalid Crumb"
    return error("", 401, "Unauthorized", description)


def not_found(path: str) -> web.Response:
    """An unknown symbol, or an unknown path."""
    if path.startswith("/v8/finance/chart"):
        return error(path, 404, "Not Found", "No data found, symbol may be delisted")
    if path.startswith("/v10/finance/quoteSummary"):
        symbol = path.rpartition("/")[2]
        return error(path, 404, "Not Found", f"Quote not found for symbol: {symbol}")
    return error(path, 404, "Not Found", f"HTTP 404 Not Found: {path}")


def fault_response(fault: Fault, path: str, now: float) -> web.Response:
    """Yahoo's answer to an injected fault; `now` is epoch seconds."""
    headers = retry_after_headers(fault, now)
    if fault.kind in {FaultKind.THROTTLE, FaultKind.QUOTA}:
        return too_many_requests(headers)
    if fault.kind is FaultKind.BAN:
        return too_many_requests(headers, 418)
    if fault.kind is FaultKind.TOKEN_EXPIRED:
        return unauthorized(path)
    if fault.kind is FaultKind.ERROR_IN_200:
        return error(path, 200, "internal-error", "An internal error occurred, please try again later")
    if fault.status == 429:
        return too_many_requests(headers)
    code = _STATUS_CODES.get(fault.status, "internal-error" if fault.status >= 500 else "Bad Request")
    return error(path, fault.status, code, f"HTTP {fault.status}", headers)
