"""The morning login, through Zerodha's own SDK in a worker thread."""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mds_engine.config.secret import Secret
from mds_engine.errors import AuthRequired, InvalidRequest, SourceError, Unavailable
from mds_engine.sources.kite.settings import KiteSettings
from mds_engine.sources.scrub import Scrubber
from mds_engine.sources.transport_errors import describe_transport_error

if TYPE_CHECKING:
    from kiteconnect import KiteConnect


async def login_url(settings: KiteSettings) -> str:
    """The page on which the operator logs in; it sends them back with a `request_token`. Sends nothing.

    Raises AuthRequired without an API key.
    """
    _require(settings, "api_key")
    return await asyncio.to_thread(lambda: str(_client(settings).login_url()))


async def generate_session(settings: KiteSettings, request_token: Secret) -> Secret:
    """The day's access token for a `request_token`, which serves once. Raises a SourceError."""
    _require(settings, "api_key")
    _require(settings, "api_secret")
    return await asyncio.to_thread(_generate, settings, request_token)


def _generate(settings: KiteSettings, request_token: Secret) -> Secret:
    import requests
    from kiteconnect.exceptions import InputException, KiteException, PermissionException, TokenException

    scrub = Scrubber((settings.api_key, settings.api_secret, request_token))
    try:
        answer: dict[str, Any] = _client(settings).generate_session(
            request_token.reveal(), api_secret=settings.api_secret.reveal()
        )
    except (TokenException, PermissionException) as error:
        raise AuthRequired(f"Kite refused the login: {scrub(str(error))}") from None
    except InputException as error:
        raise InvalidRequest(f"Kite refused the login: {scrub(str(error))}") from None
    except KiteException as error:
        raise Unavailable(f"Kite could not log us in: {scrub(str(error))}") from None
    except requests.RequestException as error:
        raise _unreachable(settings, error, scrub) from None
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise AuthRequired("Kite answered the login without an access token")
    return Secret(token)


def _unreachable(settings: KiteSettings, error: Exception, scrub: Scrubber) -> SourceError:
    why = describe_transport_error(error, settings.timeout_s)
    return Unavailable(f"{urlsplit(settings.endpoints[0]).netloc} {scrub(why)}")


def _client(settings: KiteSettings) -> "KiteConnect":
    """Importing the SDK takes most of a second, hence the worker thread around all of this."""
    from kiteconnect import KiteConnect

    return KiteConnect(
        api_key=settings.api_key.reveal(), root=settings.endpoints[0], timeout=settings.timeout_s
    )


def _require(settings: KiteSettings, name: str) -> None:
    if not getattr(settings, name):
        raise AuthRequired(f"a Kite login needs {name} in the configuration")
