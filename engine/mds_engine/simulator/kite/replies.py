"""HTTP responses of the simulated Kite, among them its own words for every fault."""

from collections.abc import Mapping

from aiohttp import web

from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.kite import bodies
from mds_engine.simulator.vendor import retry_after_headers

_STATUS_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("Invalid request.", "InputException"),
    403: (bodies.WRONG_TOKEN, "TokenException"),
    404: ("Route not found", "GeneralException"),
    405: ("Method not allowed", "GeneralException"),
    410: ("The requested resource is gone", "GeneralException"),
    500: ("Something went wrong. Please try again.", "GeneralException"),
    502: ("Unable to reach the exchange's order management system", "DataException"),
    503: ("Gateway timed out", "NetworkException"),
    504: ("Gateway timed out", "NetworkException"),
}


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON body as it is."""
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def input_error(message: str) -> web.Response:
    """400: the caller's mistake."""
    return json_response(bodies.error(message, "InputException"), 400)


def token_error(message: str = bodies.WRONG_TOKEN) -> web.Response:
    """403: no session, or one that has ended."""
    return json_response(bodies.error(message, "TokenException"), 403)


def too_many_requests(headers: Mapping[str, str] | None = None) -> web.Response:
    """429, of itself without Retry-After."""
    return json_response(bodies.throttled(), 429, headers)


def not_found() -> web.Response:
    """404 for a path that Kite does not have."""
    return status_error(404)


def status_error(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Kite's body for an HTTP status."""
    if status == 429:
        return too_many_requests(headers)
    message, error_type = _STATUS_WORDS.get(status, _STATUS_WORDS[500 if status >= 500 else 400])
    return json_response(bodies.error(message, error_type), status, headers)


def fault_response(fault: Fault, now: float) -> web.Response:
    """Kite's answer to an injected fault; `now` is epoch seconds."""
    headers = retry_after_headers(fault, now)
    if fault.kind is FaultKind.THROTTLE:
        return too_many_requests(headers)
    if fault.kind is FaultKind.BAN:
        return json_response(bodies.throttled(), 418, headers)
    if fault.kind is FaultKind.TOKEN_EXPIRED:
        return token_error()
    if fault.kind is FaultKind.ERROR_IN_200:
        return json_response(bodies.error("Unable to fetch data from the exchange.", "DataException"))
    if fault.kind is FaultKind.QUOTA:
        # Kite counts no calls per day; what ends is the paid subscription.
        return json_response(
            bodies.error("Insufficient permission for that call.", "PermissionException"), 403
        )
    return status_error(fault.status, headers)
