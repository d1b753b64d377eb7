"""yfinance's cookie and crumb machinery, on a session that obeys the engine. Heavy: imports yfinance.

Nothing of yfinance is patched. Two of its classes are used as they are meant
to be: a session of our own is given to it, and its `YfData` is instantiated
past its singleton metaclass, so that two sources, or another user of yfinance
in this process, do not share a session, a cookie or a crumb.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from curl_cffi.const import CurlECode
from curl_cffi.requests import Session
from curl_cffi.requests.exceptions import RequestException
from yfinance.data import YfData
from yfinance.exceptions import YFException, YFRateLimitError

from mds_engine.errors import InvalidPayload, SourceError, Throttled, Unavailable
from mds_engine.policy.retry_after import parse_retry_after
from mds_engine.sources.yahoo.call import YahooCall
from mds_engine.sources.yahoo.failures import classify_status, excerpt, is_throttle_text

_API_HOSTS = frozenset({"query1.finance.yahoo.com", "query2.finance.yahoo.com"})
_CRUMB_PATH = "/v1/test/getcrumb"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_CUT_SHORT = frozenset({CurlECode.PARTIAL_FILE, CurlECode.BAD_CONTENT_ENCODING, CurlECode.WEIRD_SERVER_REPLY})

# Without a handler Python prints yfinance's warnings on the terminal, into the console's face.
logging.getLogger("yfinance").addHandler(logging.NullHandler())


class YahooSession:
    """One source's cookies, crumb and connections. `fetch` is called in worker threads."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._calls = threading.local()
        self._session = _ObedientSession(self._calls, wall)
        self._data = _OwnData.__new__(_OwnData)
        self._data.__init__(session=self._session)  # type: ignore[misc]

    def fetch(self, call: YahooCall, url: str, params: dict[str, str]) -> bytes:
        """The body of one answer. Raises a SourceError."""
        self._calls.current = call
        try:
            response = self._data.get(url, params=params, timeout=call.remaining_s())
        except YFRateLimitError as error:
            raise Throttled("Yahoo: too many requests", raw=str(error)) from error
        except RequestException as error:
            raise _unavailable(call.base, error) from error
        except (YFException, LookupError, TypeError, ValueError, AttributeError) as error:
            # yfinance's own walk through Yahoo's consent pages trips over pages that it does not know.
            raise InvalidPayload(f"yfinance cannot cope with Yahoo's answer: {error!r}") from error
        finally:
            self._calls.current = None
        body: bytes = response.content
        if response.status_code >= 400:
            raise classify_status(response.status_code, body)
        return body

    def close(self) -> None:
        """End the connections. No `fetch` may be under way."""
        self._session.close()


class _OwnData(YfData):  # type: ignore[misc]
    """`YfData` that keeps its cookie to itself.

    yfinance keeps it in a file that all its users on this machine share, and
    falls over one without an expiry when it reads that again.
    """

    def _load_cookie_curlCffi(self) -> bool:  # noqa: N802
        return False

    def _save_cookie_curlCffi(self) -> bool:  # noqa: N802
        # What reading the file would have done: without it the cookie is fetched again for the crumb.
        self._cookie = True
        return True


class _ObedientSession(Session):  # type: ignore[misc]
    """Sends what yfinance asks for to the call's base URL, within the call's time, paid for.

    yfinance answers every status of 400 and more by changing its cookie and
    asking again, even a 404 and a 429: here such an answer ends the call, but
    for one 401, for which a new crumb is the remedy.
    """

    def __init__(self, calls: threading.local, wall: Callable[[], float]) -> None:
        super().__init__(impersonate="chrome")
        self._calls = calls
        self._wall = wall

    def request(self, method: str, url: str, **options: Any) -> Any:
        call: YahooCall = self._calls.current
        target = _destination(url, call.base)
        ours = target.startswith(call.base)
        # A cookie is worth a third of the time: charts do without, and yfinance goes on without.
        options["timeout"] = call.remaining_s() if ours else call.remaining_s() / 3
        if urlsplit(target).hostname in _LOOPBACK:
            options["proxies"] = {"all": ""}
        call.pay()
        try:
            response = super().request(method, target, **options)
        except RequestException as error:
            if ours:
                raise _unavailable(call.base, error) from error
            raise
        if ours:
            call.answered = True
            self._judge(call, urlsplit(url).path, response)
        return response

    def _judge(self, call: YahooCall, path: str, response: Any) -> None:
        """Raise for an answer that yfinance must not see."""
        status = response.status_code
        if path == _CRUMB_PATH:
            if status in {418, 429} or status >= 500 or is_throttle_text(response.content):
                if call.needs_crumb:
                    raise self._classified(response)
                # yfinance's own sign for: go on without. Charts need no crumb.
                raise YFRateLimitError
        elif path.startswith(("/v7/", "/v8/")):
            call.data_requests += 1
            if status >= 400 and not (status == 401 and call.data_requests == 1):
                raise self._classified(response)

    def _classified(self, response: Any) -> SourceError:
        retry_after_s = parse_retry_after(response.headers.get("retry-after"), self._wall())
        status = 429 if response.status_code < 400 else response.status_code
        return classify_status(status, response.content, retry_after_s)


def _destination(url: str, base: str) -> str:
    """Where a request for one of Yahoo's hosts goes.

    Against the real Yahoo only the two API hosts stand in for each other, and
    cookies come from where they always do. Any other base URL (a simulator, a
    mirror) stands for all of Yahoo.
    """
    wanted, ours = urlsplit(url), urlsplit(base)
    if (ours.hostname or "").endswith(".yahoo.com") and wanted.hostname not in _API_HOSTS:
        return url
    return urlunsplit(
        (ours.scheme, ours.netloc, ours.path.rstrip("/") + (wanted.path or "/"), wanted.query, "")
    )


_NEVER_CONNECTED = frozenset(
    {CurlECode.COULDNT_CONNECT, CurlECode.COULDNT_RESOLVE_HOST, CurlECode.SSL_CONNECT_ERROR}
)


def _unavailable(base: str, error: RequestException) -> SourceError:
    host = urlsplit(base).netloc
    raw = excerpt(str(error))
    if error.code in _CUT_SHORT:
        return InvalidPayload(f"the answer of {host} was cut short", raw=raw)
    reasons = {
        CurlECode.COULDNT_CONNECT: "refused the connection",
        CurlECode.OPERATION_TIMEDOUT: "timed out",
        CurlECode.COULDNT_RESOLVE_HOST: "could not be resolved",
        CurlECode.RECV_ERROR: "reset the connection",
        CurlECode.GOT_NOTHING: "ended the connection without an answer",
    }
    return Unavailable(
        f"{host} {reasons.get(error.code, 'did not answer')}",
        unreachable=error.code in _NEVER_CONNECTED,
        raw=raw,
    )
