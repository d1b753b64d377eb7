"""Vendors' words made fit to be shown: shortened, and without secrets."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from mds_engine.config.secret import Secret

_LONGEST = 300
_MASK = "***"
_SECRET_IN_QUERY = re.compile(
    r"((?:[?&;]|\b)(?:api[_-]?key|api[_-]?secret|access[_-]?token|token|signature|secret|crumb)=)[^&\s\"'<>]+",
    re.IGNORECASE,
)


class Scrubber:
    """Takes known secrets, and whatever a URL's query names as one, out of a text.

    A secret is also found where it is URL-encoded. Every error text that holds
    a vendor's own words, a URL or a library's message goes through here.
    """

    __slots__ = ("_spellings",)

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        texts = {secret.reveal() for secret in secrets if secret}
        spellings = {
            spelling for text in texts for spelling in (text, quote(text, safe=""), quote_plus(text))
        }
        self._spellings = tuple(sorted(spellings, key=len, reverse=True))

    def __call__(self, raw: str | bytes | bytearray, longest: int = _LONGEST) -> str:
        """`raw` as one printable line of at most `longest` characters, secrets masked."""
        # Cut generously first: a body may have megabytes, a secret few characters.
        text = (
            raw[: 4 * longest].decode("utf-8", "replace")
            if isinstance(raw, bytes | bytearray)
            else raw[: 4 * longest]
        )
        for spelling in self._spellings:
            text = text.replace(spelling, _MASK)
        text = _SECRET_IN_QUERY.sub(rf"\1{_MASK}", text)
        text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        return text if len(text) <= longest else text[: longest - 1] + "…"
