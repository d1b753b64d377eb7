"""Alpha Vantage's refusals: HTTP 200 each, told apart by one key and by a phrase in the text."""

from aiohttp import web

from mds_engine.simulator.alphavantage.bodies import json_body

_PREMIUM_PAGE = "https://www.alphavantage.co/premium/"
_DOCUMENTATION = "https://www.alphavantage.co/documentation/"
_CLAIM_KEY = "https://www.alphavantage.co/support/#api-key"


def reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def burst() -> web.Response:
    """Two calls within a second."""
    return _information(
        "Please consider spreading out your free API requests more sparingly (1 request per second). "
        f"Any of the premium plans at {_PREMIUM_PAGE} lifts the free key rate limit (25 requests per day)."
    )


def daily(per_day: int, echoed_key: str | None = None) -> web.Response:
    """The day's calls are used up. Sometimes the text repeats the caller's key."""
    opening = (
        "Thank you for using Alpha Vantage! Our"
        if echoed_key is None
        else f"We have detected your API key as {echoed_key} and our"
    )
    return _information(
        f"{opening} standard API rate limit is {per_day} requests per day. Please subscribe to any of "
        f"the premium plans at {_PREMIUM_PAGE} to instantly remove all daily rate limits."
    )


def premium_feature(feature: str, function: str) -> web.Response:
    """A parameter value that the plan does not include."""
    return _information(
        f"Thank you for using Alpha Vantage! The {feature} parameter value is a premium feature for the "
        f"{function} endpoint. You may subscribe to any of the premium plans at {_PREMIUM_PAGE} to "
        "instantly unlock all premium features"
    )


def premium_endpoint() -> web.Response:
    """A function that the plan does not include."""
    return _information(
        "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the "
        f"premium plans at {_PREMIUM_PAGE} to instantly unlock all premium endpoints"
    )


def invalid_key() -> web.Response:
    """No key, or not this one."""
    return _error(
        f"the parameter apikey is invalid or missing. Please claim your free API key on ({_CLAIM_KEY}). "
        "It should take less than 20 seconds."
    )


def invalid_call(function: str) -> web.Response:
    """A symbol or a parameter that it does not understand; the text does not say which."""
    return _error(
        f"Invalid API call. Please retry or visit the documentation ({_DOCUMENTATION}) for {function}."
    )


def no_such_function(function: str) -> web.Response:
    """A function that does not exist."""
    return _error(f"This API function ({function}) does not exist.")


def unavailable() -> web.Response:
    """A failure of its own, as an Information in a 200."""
    return _information(
        "Thank you for using Alpha Vantage! This endpoint is temporarily unavailable. Please try again later."
    )


def _information(text: str) -> web.Response:
    return reply(json_body({"Information": text}))


def _error(text: str) -> web.Response:
    return reply(json_body({"Error Message": text}))
