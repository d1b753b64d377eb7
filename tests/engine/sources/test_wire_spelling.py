"""What leaves us, byte for byte: default addresses, paths, encodings and headers as the vendors want them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from mds_engine.config.secret import Secret
from mds_engine.errors import InvalidRequest, SourceError, Unavailable
from mds_engine.model import Instrument, Interval
from mds_engine.sources import alphavantage, binance, kite, yahoo
from mds_engine.sources.contract import BarsRequest
from websockets.asyncio.server import ServerConnection, serve

PLUGINS = {"alphavantage": alphavantage, "binance": binance, "kite": kite, "yahoo": yahoo}
START_NS = 1_767_571_200 * 10**9
HOUR_NS = 3600 * 10**9
PATIENCE_S = 10.0


@dataclass
class Wire:
    """A server that writes down each request as it came, and answers none of them with data."""

    url: str = ""
    lines: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        self.lines.append(line)
        self.headers.append(
            {name.lower(): value for name, _, value in (one.partition(": ") for one in headers)}
        )
        cookie = b"Set-Cookie: A3=d; Path=/\r\n" if line.startswith("GET / ") else b""
        writer.write(
            b"HTTP/1.1 200 OK\r\n" + cookie + b"Content-Length: 8\r\nConnection: close\r\n\r\nfH4/x.y0"
        )
        writer.close()

    def paths(self) -> list[str]:
        return [line.split(" ")[1] for line in self.lines]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    async with await asyncio.start_server(wire.answer, "127.0.0.1", 0) as server:
        wire.url = "http://127.0.0.1:{}".format(*server.sockets[0].getsockname()[1:])
        yield wire


@asynccontextmanager
async def source_of(vendor: str, context: Any, **settings: Any) -> AsyncIterator[Any]:
    plugin = PLUGINS[vendor].plugin
    source = plugin.create(plugin.settings(kind=vendor, timeout_s=5.0, **settings), context)
    await source.connect()
    try:
        yield source
    finally:
        await source.close()


def test_the_defaults_are_the_real_vendors() -> None:
    binance_hosts = ("api", "api-gcp", "api1", "api2", "api3", "api4")
    defaults = {
        "alphavantage": (("https://www.alphavantage.co",), ()),
        "binance": (
            tuple(f"https://{host}.binance.com" for host in binance_hosts),
            ("wss://stream.binance.com:9443", "wss://stream.binance.com:443"),
        ),
        "kite": (("https://api.kite.trade",), ("wss://ws.kite.trade",)),
        "yahoo": (
            ("https://query1.finance.yahoo.com", "https://query2.finance.yahoo.com"),
            ("wss://streamer.finance.yahoo.com/?version=2",),
        ),
    }
    for vendor, (endpoints, streams) in defaults.items():
        settings = PLUGINS[vendor].plugin.settings(kind=vendor)
        assert (settings.endpoints, settings.stream_endpoints) == (endpoints, streams)


@pytest.mark.parametrize(
    ("symbols", "asked"),
    [
        (["BTCUSDT"], "/api/v3/ticker/24hr?symbol=BTCUSDT"),
        (["BTCUSDT", "ETHUSDT"], "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D"),
    ],
)
async def test_binances_tickers(context, wire, symbols, asked) -> None:
    async with source_of("binance", context, endpoints=(wire.url,)) as source:
        with pytest.raises(SourceError):
            await source.quotes([Instrument("BINANCE", symbol) for symbol in symbols])
    assert wire.paths() == [asked]


async def test_binances_months_and_both_ends_of_its_span(context, wire) -> None:
    async with source_of("binance", context, endpoints=(wire.url,)) as source:
        for interval in (Interval.MO1, Interval.M1):
            request = BarsRequest(Instrument("BINANCE", "BTCUSDT"), interval, START_NS, START_NS + HOUR_NS)
            with pytest.raises(SourceError):
                await source.bars(request)
    span = "startTime=1767571200000&endTime=1767574799999&limit=1000"
    assert wire.paths() == [f"/api/v3/klines?symbol=BTCUSDT&interval={name}&{span}" for name in ("1M", "1m")]


async def test_yahoos_symbols_are_encoded_and_its_hosts_see_a_browser(context, wire) -> None:
    names = {
        "NSE:NIFTY 50": "%5ENSEI",
        "NSE:M&M": "M%26M.NS",
        "FX:EURUSD": "EURUSD%3DX",
        "NYSE:BRK.B": "BRK-B",
    }
    async with source_of("yahoo", context, endpoints=(wire.url,)) as source:
        for name in names:
            request = BarsRequest(Instrument.parse(name), Interval.H1, START_NS, START_NS + HOUR_NS)
            with pytest.raises(SourceError):
                await source.bars(request)
        with pytest.raises(SourceError):
            await source.quotes([Instrument.parse(name) for name in names])
    charts = [path for path in wire.paths() if path.startswith("/v8/")]
    assert [path.partition("?")[0] for path in charts] == [
        f"/v8/finance/chart/{symbol}" for symbol in names.values()
    ]
    assert all("period1=1767571200&period2=1767574800&interval=1h&" in path for path in charts)
    (quote,) = [path for path in wire.paths() if path.startswith("/v7/")]
    assert "symbols=BRK-B%2CEURUSD%3DX%2CM%26M.NS%2C%5ENSEI" in quote
    # A crumb may hold a slash and a dot.
    assert "crumb=fH4%2Fx.y0" in quote
    assert all("Chrome/" in headers["user-agent"] for headers in wire.headers)


async def test_alpha_vantages_key_is_in_the_query_and_nowhere_else(context, wire) -> None:
    async with source_of("alphavantage", context, endpoints=(wire.url,), api_key=Secret("K&Y")) as source:
        with pytest.raises(SourceError):
            await source.quotes([Instrument("NSE", "M&M")])
    assert wire.paths() == ["/query?function=GLOBAL_QUOTE&symbol=M%26M.BSE&apikey=K%26Y"]
    assert "K&Y" not in str(wire.headers)


@asynccontextmanager
async def sockets(said: list[str], greetings: list[str]) -> AsyncIterator[tuple[str, list[str]]]:
    """A WebSocket server: its URL, and the paths at which it was opened."""
    paths: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        paths.append(connection.request.path)
        for greeting in greetings:
            await connection.send(greeting)
        async for message in connection:
            said.append(str(message))  # noqa: PERF401 (one at a time, so that none is lost at a break)

    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", paths


@pytest.mark.parametrize(
    "shutdown",
    [
        '{"e":"serverShutdown","E":1770123456789}',
        '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
    ],
)
async def test_binances_stream_goes_on_after_it_announced_its_end(context, shutdown) -> None:
    said: list[str] = []
    traded = asyncio.Event()
    trade = '{"e":"aggTrade","E":1,"s":"BTCUSDT","a":5,"p":"9.5","q":"1","f":7,"l":7,"T":1,"m":true,"M":true}'
    async with (
        sockets(said, ['{"result":null,"id":1}', shutdown, trade]) as (url, paths),
        source_of("binance", context, stream_endpoints=(url,)) as source,
    ):
        stream = source.stream(lambda ticks: traded.set())
        await stream.open()
        assert stream.renew_at > context.clock.now() + 23 * 3600
        await stream.subscribe([Instrument("BINANCE", "BTCUSDT")])
        running = asyncio.create_task(stream.run())
        await asyncio.wait_for(traded.wait(), PATIENCE_S)
        assert stream.renew_at <= context.clock.now()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stream.close()
    assert paths == ["/stream"]
    assert [json.loads(text) for text in said] == [
        {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade", "btcusdt@bookTicker"], "id": 1}
    ]


def _list(count: int) -> bytes:
    header = "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size"
    rows = [f"{256 * number + 1},{number},S{number},,0.0,,0.0,0.05,1,EQ,NSE,NSE" for number in range(count)]
    return "\n".join([f"{header},instrument_type,segment,exchange", *rows]).encode()


async def test_kites_stream_takes_its_login_from_the_url_and_3000_instruments(context) -> None:
    async def list_them(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = _list(3001)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        writer.close()

    said: list[str] = []
    keys = {"api_key": Secret("k&y"), "access_token": Secret("t/=ken")}
    async with (
        await asyncio.start_server(list_them, "127.0.0.1", 0) as rest,
        sockets(said, ['{"type":"error","data":"the end"}']) as (url, paths),
        source_of(
            "kite",
            context,
            endpoints=("http://127.0.0.1:{}".format(*rest.sockets[0].getsockname()[1:]),),
            stream_endpoints=(url,),
            **keys,
        ) as source,
    ):
        stream = source.stream(lambda ticks: None)
        await stream.open()
        with pytest.raises(InvalidRequest, match="3000"):
            await stream.subscribe([Instrument("NSE", f"S{number}") for number in range(3001)])
        await stream.subscribe([Instrument("NSE", "S1"), Instrument("NSE", "S2")])
        await stream.unsubscribe([Instrument("NSE", "S1")])
        with pytest.raises(Unavailable, match="the end"):
            await asyncio.wait_for(stream.run(), PATIENCE_S)
        await stream.close()
    assert paths == ["/?api_key=k%26y&access_token=t%2F%3Dken"]
    assert [json.loads(text) for text in said] == [
        {"a": "subscribe", "v": [257, 513]},
        {"a": "mode", "v": ["full", [257, 513]]},
        {"a": "unsubscribe", "v": [257]},
    ]
