"""The login: what an operator may paste, the exchange through the vendor's own SDK, and when it ends."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidRequest,
    Unavailable,
)
from mds_engine.model import Instrument
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.kite import plugin
from mds_engine.sources.kite.login import exchange, login_page, missing, request_token

from tests.engine.sources.kite.opened import open_stream, settings_for, source_of

TOKEN = "Xy3kT0kenOf32CharactersABCDEFGHIJ"
LANDED = f"https://127.0.0.1/?action=login&type=login&status=success&request_token={TOKEN}"


async def test_the_login_goes_through_the_vendors_own_sdk(simulator: Simulator, context, settings) -> None:
    token = (await exchange(settings, Secret("simulated")))["access_token"]
    fresh = settings_for(simulator.vendor("kite").http, access_token=token)
    async with source_of(context, fresh) as source:
        await source.check()
    with pytest.raises(AuthRequired, match="serves once"):
        await exchange(settings, Secret("simulated"))


async def test_a_login_that_cannot_reach_the_vendor_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="refused"):
        await exchange(settings_for("http://127.0.0.1:1"), Secret(TOKEN))
    with pytest.raises(AuthRequired, match="api_secret"):
        await exchange(settings_for("http://127.0.0.1:1", api_secret=Secret()), Secret(TOKEN))


def test_the_page_is_kites_own_with_the_apps_key() -> None:
    page = urlsplit(login_page(settings_for("http://127.0.0.1:1", api_key=Secret("k&y"))))
    assert (page.scheme, page.netloc, page.path) == ("https", "kite.zerodha.com", "/connect/login")
    assert parse_qs(page.query) == {"v": ["3"], "api_key": ["k&y"]}


@pytest.mark.parametrize("field", ["api_key", "api_secret"])
def test_what_a_login_lacks_is_said_with_its_place(field: str) -> None:
    assert missing(settings_for("http://127.0.0.1:1")) == ""
    sentence = missing(settings_for("http://127.0.0.1:1", **{field: Secret()}))
    assert f"${{KITE_{field.upper()}}}" in sentence
    assert "[sources." in sentence


@pytest.mark.parametrize(
    "pasted",
    [
        TOKEN,
        f"  {TOKEN}\n",
        LANDED,
        f'"{LANDED}"',
        f"{LANDED[:60]}\n  {LANDED[60:]}",
        LANDED.removeprefix("https://"),
        LANDED.partition("?")[2],
        f"myapp://kite?request_token={TOKEN}&action=login",
    ],
)
def test_an_address_or_a_bare_token_is_understood(pasted: str) -> None:
    assert request_token(Secret(pasted)) == Secret(TOKEN)


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "neither"),
        ("it says: logged in!", "neither"),
        ("https://kite.zerodha.com/connect/login?v=3&api_key=s3cretkey", "the page itself"),
        ("https://127.0.0.1/?status=cancelled&request_token=s3crettoken", "did not succeed"),
        ("https://127.0.0.1/?status=success&code=s3cretcode", "no request_token"),
    ],
)
def test_what_is_neither_is_refused_and_not_repeated(pasted: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refusal:
        request_token(Secret(pasted))
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("done", "ends"),
    [
        ("2026-11-20T03:45", "2026-11-21T00:30"),  # 09:15 IST: the next morning at 06:00 IST
        ("2026-11-20T00:29", "2026-11-20T00:30"),
        ("2026-11-20T00:30", "2026-11-21T00:30"),
        ("2026-12-31T18:00", "2027-01-01T00:30"),
    ],
)
def test_a_login_ends_at_the_next_six_in_the_morning_in_india(done: str, ends: str) -> None:
    def wall(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    assert plugin.login.ends_at(wall(done)) == wall(ends)


async def test_an_expired_session_is_mended_by_a_login_and_the_stream_asks_to_be_renewed(
    simulator: Simulator, context, settings
) -> None:
    async with source_of(context, settings) as source, open_stream(source) as (stream, _):
        await simulator.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))
        with pytest.raises(AuthRequired):
            await source.check()
        assert stream.renew_at > context.clock.now() + 1e6

        given = await exchange(settings, Secret("simulated"))
        fresh = settings_for(settings.endpoints[0], settings.stream_endpoints[0], **given)
        source.use_credentials(fresh)
        await source.check()
        assert stream.renew_at <= context.clock.now()
        async with open_stream(source) as (renewed, _):
            await renewed.subscribe([Instrument.parse("NSE:INFY")])


async def test_a_new_token_is_not_repeated_from_a_vendors_words(context, settings) -> None:
    async with source_of(context, settings) as source:
        source.use_credentials(settings_for(settings.endpoints[0], access_token=Secret("n3wtoken")))
        with pytest.raises(AuthRequired):
            await source.check()
        assert "n3wtoken" not in source._http.scrub("Incorrect n3wtoken")


async def test_the_simulated_page_sends_the_browser_on_with_a_token_that_serves(
    simulator: Simulator, settings
) -> None:
    page = f"{simulator.vendor('kite').login}?v=3&api_key=simulated"

    def browse() -> tuple[str, str]:
        with urlopen(page) as answer:  # follows the redirect, as a browser does
            return answer.url, answer.read().decode()

    address, words = await asyncio.to_thread(browse)
    assert "Copy the address" in words
    assert (await exchange(settings, Secret(address)))["access_token"]
