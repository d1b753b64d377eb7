"""Kite's login: the page that hands out request tokens, and their exchange for access tokens."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from mds_engine.simulator.kite import bodies
from mds_engine.simulator.kite.account import KiteAccount, Sessions
from mds_engine.simulator.kite.replies import input_error, json_response, token_error
from mds_engine.simulator.vendor import Call, Route

LOGIN_PATH = "/connect/login"
_LANDING_PATH = "/logged-in"
"""Stands for the app's own redirect URL."""

OPEN_PATHS = frozenset({"/session/token", LOGIN_PATH, _LANDING_PATH})
"""Paths that need no session, for they make one."""

_LANDED = """<!DOCTYPE html>
<html><head><title>Logged in</title></head><body style="font-family: sans-serif; margin: 3em">
<h1>Logged in at the simulated Kite</h1>
<p>Copy the address of this page, and paste it where you were asked for it.</p>
</body></html>
"""


class LoginCalls:
    """Sessions and the user's profile."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def routes(self) -> Sequence[Route]:
        """Their paths."""
        return (
            Route(LOGIN_PATH, "login", self._login_page, needs_recording=False),
            Route(_LANDING_PATH, "login", self._landing, needs_recording=False),
            Route("/session/token", "login", self._exchange, method="POST", needs_recording=False),
            Route("/session/token", "login", self._log_out, method="DELETE", needs_recording=False),
            Route("/user/profile", "profile", self._profile, needs_recording=False),
        )

    async def _login_page(self, call: Call) -> web.Response:
        if call.query.get("api_key") != self._sessions.account.api_key:
            return input_error("Invalid `api_key`.")
        # The real page asks for a password, then sends the browser to the app's redirect URL.
        token = self._sessions.begin_login()
        query = f"action=login&type=login&status=success&request_token={token}"
        return web.Response(
            status=302, headers={"Location": f"{call.request.url.origin()}{_LANDING_PATH}?{query}"}
        )

    async def _landing(self, _call: Call) -> web.Response:
        return web.Response(text=_LANDED, content_type="text/html")

    async def _exchange(self, call: Call) -> web.Response:
        form = await call.request.post()
        api_key, request_token, checksum = (
            str(form.get(name, "")) for name in ("api_key", "request_token", "checksum")
        )
        if not (api_key and request_token and checksum):
            return input_error("Missing or empty field `request_token` or `checksum`.")
        if api_key != self._sessions.account.api_key:
            return token_error("Invalid `api_key`.")
        access_token = self._sessions.exchange(request_token, checksum, call.clock.wall())
        if access_token is None:
            return token_error("Token is invalid or has expired.")
        login_time = bodies.local_time(call.clock.wall())
        return json_response(bodies.success(_session(self._sessions.account, access_token, login_time)))

    async def _log_out(self, call: Call) -> web.Response:
        self._sessions.end(call.query.get("access_token", ""))
        return json_response(bodies.success(data=True))

    async def _profile(self, _call: Call) -> web.Response:
        return json_response(bodies.success(_profile(self._sessions.account)))


def _profile(account: KiteAccount) -> dict[str, Any]:
    return {
        "user_id": account.user_id,
        "user_type": "individual",
        "email": "operator@example.com",
        "user_name": "Simulated Operator",
        "user_shortname": "Operator",
        "broker": "ZERODHA",
        "exchanges": ["NSE", "BSE"],
        "products": ["CNC", "NRML", "MIS"],
        "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
        "avatar_url": None,
        "meta": {"demat_consent": "physical"},
    }


def _session(account: KiteAccount, access_token: str, login_time: str) -> dict[str, Any]:
    return {
        **_profile(account),
        "api_key": account.api_key,
        "access_token": access_token,
        "public_token": access_token[::-1],
        "refresh_token": "",
        "enctoken": "",
        "login_time": login_time,
    }
