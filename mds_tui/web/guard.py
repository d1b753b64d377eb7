"""Who may see the console in a browser: whoever has the token, on the page that we gave them."""

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from mds_engine.secret import Secret

SHORTEST_TOKEN = 16
"""Letters of a token that somebody chose."""


class Guard:
    """Knows the token, and gives out cookies in its place: it is not to be sent with every request."""

    def __init__(self, token: Secret | None = None) -> None:
        """Without a token, or with an empty one, it is a new one at random."""
        self.chosen = bool(token)
        """Whether somebody chose the token: then it is nowhere shown."""
        self.token = token or Secret(secrets.token_urlsafe(32))
        self.cookie = Secret(secrets.token_urlsafe(32))
        """Another with every start."""

    def knows_token(self, said: str | None) -> bool:
        """Whether that is the token."""
        return _is(said, self.token)

    def knows_cookie(self, said: str | None) -> bool:
        """Whether that is the cookie of this start."""
        return _is(said, self.cookie)


def is_our_page(headers: Mapping[str, str]) -> bool:
    """Whether a WebSocket was opened by a page that came from where it goes to; no Origin is none of ours."""
    host = headers.get("Host", "")
    return bool(host) and urlsplit(headers.get("Origin", "")).netloc.lower() == host.lower()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is(said: str | None, secret: Secret) -> bool:
    # In constant time, so that the haste of the answer says nothing of how much was right.
    return hmac.compare_digest((said or "").encode(errors="replace"), secret.reveal().encode())
