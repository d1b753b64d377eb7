"""The base URLs of one source, in the order in which they are tried now."""

from collections.abc import Sequence
from typing import Protocol

from mds_engine.clock import Clock
from mds_engine.policy.endpoints import EndpointSet
from mds_engine.sources.contract import EndpointState


class EndpointContext(Protocol):
    """The part of SourceContext that the shells need."""

    @property
    def clock(self) -> Clock:
        """Monotonic time for the endpoints' own cool-downs."""
        ...

    def endpoint_switched(self, before: str, after: str, why: str) -> None:
        """Requests now go to another base URL."""
        ...


class Endpoints:
    """Base URLs with the health of each. Reports when another one becomes the one in use."""

    __slots__ = ("_active", "_context", "_health", "_reasons", "urls")

    def __init__(self, context: EndpointContext, urls: Sequence[str]) -> None:
        self.urls = tuple(url.rstrip("/") for url in urls)
        self._context = context
        self._health = EndpointSet(len(self.urls))
        self._active = 0
        self._reasons: dict[int, str] = {}

    def order(self) -> Sequence[int]:
        """Indices into `urls`, the one to try first at the front; never empty."""
        return self._health.choose(self._context.clock.now())

    def failed(self, index: int, why: str) -> None:
        """This one refused, reset, timed out or answered 5xx; `why` is a plain sentence."""
        self._reasons[index] = why
        self._health.failed(index, self._context.clock.now())

    def succeeded(self, index: int) -> None:
        """This one answered."""
        self._health.succeeded(index, self._context.clock.now())
        if index == self._active:
            return
        before, self._active = self._active, index
        why = self._reasons.pop(before, "") or f"{self.urls[index]} answers again"
        self._context.endpoint_switched(self.urls[before], self.urls[index], why)

    def states(self) -> tuple[EndpointState, ...]:
        """Each base URL for the operator's eyes."""
        now = self._context.clock.now()
        return tuple(
            EndpointState(
                url,
                active=index == self._active,
                failures=self._health.failures(index),
                retry_in_s=self._health.retry_in_s(index, now),
            )
            for index, url in enumerate(self.urls)
        )
