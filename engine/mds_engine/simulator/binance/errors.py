"""Binance's error bodies: a negative code and a message, mostly with HTTP 400."""

import msgspec
from aiohttp import web

from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.vendor import HTML_PAGE, retry_after_headers


class BinanceError(Exception):
    """A request that Binance refuses. Raised by handlers, answered by the vendor."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def response(self) -> web.Response:
        """The answer on the wire."""
        return json_response({"code": self.code, "msg": self.message}, status=self.status)


def invalid_symbol() -> BinanceError:
    """A well-formed symbol that is not listed."""
    return BinanceError(-1121, "Invalid symbol.")


def invalid_interval() -> BinanceError:
    """An interval that klines do not have."""
    return BinanceError(-1120, "Invalid interval.")


def missing(name: str) -> BinanceError:
    """A mandatory parameter is missing or empty."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> BinanceError:
    """A parameter has characters that it must not have."""
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def too_many_sent(read: int, sent: int) -> BinanceError:
    """The request has parameters that this path does not know."""
    return BinanceError(
        -1104,
        f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.",
    )


def bad_combination() -> BinanceError:
    """Parameters that exclude each other."""
    return BinanceError(-1128, "Combination of optional parameters invalid.")


def weight_used_up(limit: int) -> BinanceError:
    """Too much weight in this minute."""
    return BinanceError(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
    )


def banned(until_ms: int) -> BinanceError:
    """The address went on after 429."""
    return BinanceError(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        status=418,
    )


def for_fault(fault: Fault, now: float, weight_limit: int) -> web.Response:
    """Binance's own words for an injected failure; `now` is epoch seconds."""
    headers = retry_after_headers(fault, now)
    if fault.kind in (FaultKind.THROTTLE, FaultKind.QUOTA):
        response = weight_used_up(weight_limit).response()
    elif fault.kind is FaultKind.BAN:
        response = banned(round((now + (fault.retry_after_s or 120.0)) * 1000)).response()
    elif fault.kind is FaultKind.TOKEN_EXPIRED:
        response = BinanceError(
            -2015, "Invalid API-key, IP, or permissions for action.", status=401
        ).response()
    elif fault.kind is FaultKind.ERROR_IN_200:
        response = BinanceError(
            -1001, "Internal error; unable to process your request. Please try again.", status=200
        ).response()
    else:
        response = _for_status(fault.status)
    response.headers.update(headers)
    return response


def _for_status(status: int) -> web.Response:
    # Gateways and the firewall in front of the exchange answer with a page, the exchange itself with JSON.
    if status in (403, 502, 504):
        return web.Response(text=HTML_PAGE, content_type="text/html", status=status)
    if status == 429:
        return weight_used_up(6_000).response()
    if status == 503:
        message = "Unknown error, please check your request or try again later."
    else:
        message = "An unknown error occurred while processing the request."
    return BinanceError(-1000, message, status=status).response()


def json_response(value: object, status: int = 200) -> web.Response:
    """Compact JSON with Binance's content type."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", charset="UTF-8"
    )
