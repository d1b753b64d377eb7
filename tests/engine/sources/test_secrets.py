"""A vendor that repeats our whole request, key and all, in its answers: none of that is shown or logged."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote_plus, unquote_plus

import msgspec
import pytest
from mds_engine.config.secret import Secret
from mds_engine.errors import SourceError
from mds_engine.model import Instrument, Interval
from mds_engine.simulator.server import Simulator
from mds_engine.sources import alphavantage, kite, yahoo
from mds_engine.sources.contract import BarsRequest, Source

KEY, TOKEN, SECRET = "k3y+of/mine", "t0ken=0f&mine", "s3cret of mine"
SPELLINGS = [spelling for text in (KEY, TOKEN, SECRET) for spelling in (text, quote_plus(text))]
DAY_NS = 86_400 * 10**9

Echo = Callable[[str], bytes]
"""What the vendor answers, given the request as it came."""


def _reply(status: str, kind: str, body: str, length: int | None = None) -> bytes:
    size = len(body.encode()) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n{body}".encode()


def _json(told: Any) -> str:
    return msgspec.json.encode(told).decode()


ECHOES: dict[str, Echo] = {
    "an error page": lambda asked: _reply("500 Error", "text/html", f"<html>{asked}</html>"),
    "a login page": lambda asked: _reply("200 OK", "text/html", f"<html>{asked}</html>"),
    "a throttle": lambda asked: _reply("429 Slow", "text/plain", asked),
    "not found": lambda asked: _reply("404 No", "application/json", _json({"message": asked})),
    "kite's refusal": lambda asked: _reply(
        "403 No",
        "application/json",
        _json({"status": "error", "message": asked, "error_type": "TokenException", "data": None}),
    ),
    "alpha vantage's key echo": lambda asked: _reply(
        "200 OK",
        "application/json",
        _json({"Information": f"We have detected your API key as {asked} and our standard rate limit is"}),
    ),
    "keys that nobody expects": lambda asked: _reply("200 OK", "application/json", _json({asked: asked})),
    "a body cut short": lambda asked: _reply("200 OK", "application/json", f'{{"{asked}', 10**6),
    "broken json": lambda asked: _reply("200 OK", "application/json", f'{{"a": {asked}'),
    "a table of it": lambda asked: _reply(
        "200 OK",
        "text/csv",
        "timestamp,open,high,low,close,volume\r\n" + ",".join([asked.replace(",", " ")] * 6),
    ),
    "numbers of it": lambda asked: _reply(
        "200 OK", "text/csv", f"timestamp,open,high,low,close,volume\r\n2026-01-02,{asked},1,1,1,1"
    ),
    "no http at all": lambda asked: asked.encode(),
}


@asynccontextmanager
async def echoing(echo: Echo) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        line = asked.replace("\r\n", " ").replace('"', "'")
        # As it came, and as it was meant; the first words are what is shown of a long answer.
        writer.write(echo(f"{line[: line.index(' HTTP')]} {unquote_plus(line)} {line}"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield "127.0.0.1:{}".format(*server.sockets[0].getsockname()[1:])


def settings_of(vendor: str, address: str) -> Any:
    more: dict[str, Any] = {"endpoints": (f"http://{address}",), "timeout_s": 5.0}
    if vendor == "kite":
        more |= {"stream_endpoints": (f"ws://{address}",), "api_key": Secret(KEY)}
        more |= {"api_secret": Secret(SECRET), "access_token": Secret(TOKEN)}
        return kite.plugin.settings(kind="kite", **more)
    return alphavantage.plugin.settings(kind="alphavantage", api_key=Secret(KEY), **more)


def create(vendor: str, settings: Any, context: Any) -> Source:
    return {"kite": kite, "alphavantage": alphavantage}[vendor].plugin.create(settings, context)


def assert_silent(error: BaseException, *texts: str) -> None:
    assert isinstance(error, SourceError)
    shown = [str(error), repr(error), error.message, error.raw, repr(vars(error)), *texts]
    shown += traceback.format_exception(error)
    for text in shown:
        assert not [secret for secret in SPELLINGS if secret in text], text


@pytest.mark.parametrize("vendor", ["kite", "alphavantage"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_nothing_of_what_is_repeated_is_shown(context, caplog, vendor, echo) -> None:
    caplog.set_level(logging.DEBUG)
    apple = Instrument("NSE" if vendor == "kite" else "NASDAQ", "AAPL")
    async with echoing(echo) as address:
        settings = settings_of(vendor, address)
        source = create(vendor, settings, context)
        await source.connect()
        now_ns = int(context.clock.wall() * 1e9)
        try:
            for ask in (
                partial(source.quotes, [apple]),
                partial(source.bars, BarsRequest(apple, Interval.D1, now_ns - 9 * DAY_NS, now_ns)),
            ):
                with pytest.raises(SourceError) as caught:
                    await ask()
                assert_silent(caught.value, repr(settings), repr(source), repr(source.endpoints()))
            if vendor == "kite":
                with pytest.raises(SourceError) as caught:
                    await source.check()
                assert_silent(caught.value)
                stream = source.stream(lambda ticks: None)
                with pytest.raises(SourceError) as caught:
                    await stream.open()
                assert_silent(caught.value)
        finally:
            await source.close()
    assert not [secret for secret in SPELLINGS if secret in caplog.text]
    assert not [secret for secret in SPELLINGS if secret in repr(context.switches)]


def test_settings_show_no_secret() -> None:
    for vendor in ("kite", "alphavantage"):
        settings = settings_of(vendor, "127.0.0.1:1")
        for text in (repr(settings), str(settings), f"{settings.api_key}", f"{settings.api_key!r:>30}"):
            assert not [secret for secret in SPELLINGS if secret in text]
        with pytest.raises(TypeError):
            msgspec.json.encode(settings)


async def test_yahoos_crumb_is_logged_below_info_only(context, caplog) -> None:
    """It opens nobody's account; yfinance itself prints it at DEBUG, which our log file never takes."""
    caplog.set_level(logging.INFO)
    async with Simulator(vendors=["yahoo"]) as simulator:
        settings = yahoo.plugin.settings(kind="yahoo", endpoints=(simulator.vendor("yahoo").http,))
        source = yahoo.plugin.create(settings, context)
        await source.connect()
        try:
            await source.quotes([Instrument("NASDAQ", "AAPL")])
        finally:
            await source.close()
        (asked,) = simulator.vendor("yahoo").requests(path_prefix="/v7/finance/quote")
    (crumb,) = parse_qs(asked.query)["crumb"]
    assert crumb not in caplog.text
