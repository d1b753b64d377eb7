"""The name of a route: what kind of data, for which exchange."""

from typing import NamedTuple, Self

from mds_engine.errors import InvalidRequest
from mds_engine.model.capability import Capability


class RouteKey(NamedTuple):
    """(capability, exchange), written `NSE/quote`."""

    capability: Capability
    exchange: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NSE/quote`. Raises InvalidRequest."""
        exchange, _, capability = text.strip().partition("/")
        try:
            return cls(Capability(capability.lower()), exchange.upper())
        except ValueError:
            known = ", ".join(Capability)
            raise InvalidRequest(
                f"{text!r} is not a route; write EXCHANGE/CAPABILITY with one of {known}, as NSE/quote"
            ) from None

    def __str__(self) -> str:
        return f"{self.exchange}/{self.capability.value}"
