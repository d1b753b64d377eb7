"""Who may ask Yahoo: browsers by their user agent, and for quotes a cookie with its crumb."""

import hashlib
import hmac
from collections.abc import Mapping
from email.utils import formatdate

_COOKIE = "A3"
_COOKIE_LIFE_S = 365 * 86_400
_CRUMB_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./"
_CRUMB_LENGTH = 11
_SCRIPTS = ("python-requests/", "python-httpx/", "python-urllib", "aiohttp/", "python/")


def looks_like_a_script(user_agent: str) -> bool:
    """True for the user agents that Python's HTTP libraries send of themselves, and for none at all."""
    return not user_agent or user_agent.lower().startswith(_SCRIPTS)


class Crumbs:
    """Cookies, and the crumb that goes with each. Nothing is stored: a crumb follows from its cookie."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made = 0

    def set_cookie(self, cookies: Mapping[str, str], now: float) -> str:
        """A Set-Cookie header; a client that has a cookie gets it again. Clients rely on its expiry."""
        value = cookies.get(_COOKIE) or self._mint()
        expires = formatdate(now + _COOKIE_LIFE_S, usegmt=True)
        return (
            f"{_COOKIE}={value}; Expires={expires}; Max-Age={_COOKIE_LIFE_S}; Path=/; SameSite=Lax; HttpOnly"
        )

    def crumb(self, cookies: Mapping[str, str]) -> str | None:
        """The crumb of a client's cookie; None without one."""
        cookie = cookies.get(_COOKIE)
        if not cookie:
            return None
        digest = hashlib.sha256(f"{self._seed}|crumb|{cookie}".encode()).digest()
        return "".join(_CRUMB_ALPHABET[byte % len(_CRUMB_ALPHABET)] for byte in digest[:_CRUMB_LENGTH])

    def fits(self, cookies: Mapping[str, str], crumb: str) -> bool:
        """True if the crumb belongs to the cookie."""
        expected = self.crumb(cookies)
        return expected is not None and hmac.compare_digest(expected.encode(), crumb.encode())

    def _mint(self) -> str:
        self._made += 1
        digest = hashlib.sha256(f"{self._seed}|cookie|{self._made}".encode()).hexdigest()
        return f"d={digest[:40]}&S={digest[40:]}"
