"""The morning login: the page, what it sends back, and its exchange through Zerodha's own SDK."""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mds_engine.errors import AuthRequired, InvalidRequest, SourceError, Unavailable
from mds_engine.secret import Secret
from mds_engine.sources.kite.settings import KiteSettings
from mds_engine.sources.scrub import Scrubber
from mds_engine.sources.transport_errors import describe_transport_error

if TYPE_CHECKING:
    from kiteconnect import KiteConnect

_BARE_TOKEN = re.compile(r"[A-Za-z0-9_-]{6,}")


def missing(settings: KiteSettings) -> str:
    """Which setting a login lacks, and where it goes; empty if it lacks none."""
    for name, about in (("api_key", "the app's key"), ("api_secret", "the app's secret")):
        if not getattr(settings, name):
            return (
                f"a Kite login needs {name}, {about} from the Kite Connect developer console: "
                f'put {name} = "${{KITE_{name.upper()}}}" under [sources.…] in the configuration'
            )
    return ""


def login_page(settings: KiteSettings) -> str:
    """The page on which the operator logs in; it sends them on with a `request_token`."""
    return f"{settings.login_page}?{urlencode({'v': '3', 'api_key': settings.api_key.reveal()})}"


def request_token(answer: Secret) -> Secret:
    """The request token in what an operator pasted: the whole address, its query, or the token alone.

    Raises InvalidRequest, never repeating what was pasted.
    """
    # A terminal may have broken a long line in two.
    text = "".join(answer.reveal().split()).strip("'\"<>")
    query = urlsplit(text).query if "://" in text or "?" in text else text if "=" in text else ""
    if not query:
        if _BARE_TOKEN.fullmatch(text):
            return Secret(text)
        raise InvalidRequest("this is neither an address nor a request token; paste the whole address")
    fields = parse_qs(query)
    status = fields.get("status", ["success"])[0]
    if status != "success":
        raise InvalidRequest("Kite says that the login did not succeed; log in on the page again")
    token = fields.get("request_token", [""])[0]
    if token:
        return Secret(token)
    if "api_key" in fields:
        raise InvalidRequest(
            "this is the address of the page itself; log in there, and paste the one that you are sent to"
        )
    raise InvalidRequest(
        "this address has no request_token; paste the one that you are sent to after the login"
    )


async def exchange(settings: KiteSettings, answer: Secret) -> Mapping[str, Secret]:
    """The day's access token for what the operator brought, which serves once. Raises a SourceError."""
    lacks = missing(settings)
    if lacks:
        raise AuthRequired(lacks)
    return {"access_token": await asyncio.to_thread(_generate, settings, request_token(answer))}


def _generate(settings: KiteSettings, token: Secret) -> Secret:
    import requests
    from kiteconnect.exceptions import InputException, KiteException, PermissionException, TokenException

    scrub = Scrubber((settings.api_key, settings.api_secret, token))
    try:
        answer: dict[str, Any] = _client(settings).generate_session(
            token.reveal(), api_secret=settings.api_secret.reveal()
        )
    except TokenException as error:
        raise AuthRequired(
            f"Kite refused the request token: {scrub(str(error)).rstrip('.')}. It serves once, within "
            "minutes, and for the app whose api_key and api_secret are configured: log in on the page again"
        ) from None
    except PermissionException as error:
        raise AuthRequired(f"Kite refused the login: {scrub(str(error))}") from None
    except InputException as error:
        raise InvalidRequest(f"Kite refused the login: {scrub(str(error))}") from None
    except KiteException as error:
        raise Unavailable(f"Kite could not log us in: {scrub(str(error))}") from None
    except requests.RequestException as error:
        raise _unreachable(settings, error, scrub) from None
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise AuthRequired("Kite answered the login without an access token")
    return Secret(access_token)


def _unreachable(settings: KiteSettings, error: Exception, scrub: Scrubber) -> SourceError:
    why = describe_transport_error(error, settings.timeout_s)
    return Unavailable(f"{urlsplit(settings.endpoints[0]).netloc} {scrub(why)}")


def _client(settings: KiteSettings) -> "KiteConnect":
    """Importing the SDK takes most of a second, hence the worker thread around all of this."""
    from kiteconnect import KiteConnect

    return KiteConnect(
        api_key=settings.api_key.reveal(), root=settings.endpoints[0], timeout=settings.timeout_s
    )
