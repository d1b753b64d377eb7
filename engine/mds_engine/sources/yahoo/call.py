"""One call through yfinance, as its worker thread and the event loop share it."""

import asyncio
import concurrent.futures
import threading
import time

from mds_engine.errors import Throttled, Unavailable
from mds_engine.sources.contract import RequestCost, SourceContext


class YahooCall:
    """The time, the payments and the fate of one call.

    yfinance makes up to five requests for one answer (cookie, crumb, data, and
    crumb and data again). All of them share the call's time, each but the first
    is paid for, and none is sent once the caller has gone. The time is this
    machine's own, for it bounds real sockets.
    """

    def __init__(self, context: SourceContext, cost: RequestCost, *, needs_crumb: bool) -> None:
        self.needs_crumb = needs_crumb
        self.base = ""
        """The base URL that requests go to now."""
        self.answered = False
        """Whether that base URL gave any answer."""
        self.data_requests = 0
        """How often the data itself was asked for at this base URL."""
        self._context = context
        self._cost = cost
        self._loop = asyncio.get_running_loop()
        self._first_is_paid = True
        self._deadline = 0.0
        self._abandoned = threading.Event()
        self._payment: concurrent.futures.Future[None] | None = None

    def aim(self, base: str, within_s: float) -> None:
        """Go to another base URL, for at most `within_s` seconds. On the event loop."""
        if self.base and not self.answered:
            self._first_is_paid = True
        self.base, self.answered, self.data_requests = base, False, 0
        self._deadline = time.monotonic() + within_s

    def abandon(self) -> None:
        """The caller has gone: send nothing more. On the event loop."""
        self._abandoned.set()
        if self._payment is not None:
            self._payment.cancel()

    def remaining_s(self) -> float:
        """Seconds left for this base URL. Raises Unavailable when there are none, or nobody waits."""
        if self._abandoned.is_set():
            raise Unavailable("nobody waits for the answer any more")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Unavailable(f"{self.base} timed out")
        return left

    def pay(self) -> None:
        """Pay for one further request. In the worker thread. Raises Throttled(local=True)."""
        if self._first_is_paid:
            self._first_is_paid = False
            return
        self._payment = asyncio.run_coroutine_threadsafe(self._context.pay(self._cost), self._loop)
        try:
            self._payment.result(self.remaining_s())
        except TimeoutError:
            self._payment.cancel()
            raise Throttled("the limiter's leave did not come in time", local=True) from None
        except concurrent.futures.CancelledError:
            raise Unavailable("nobody waits for the answer any more") from None
        finally:
            self._payment = None
