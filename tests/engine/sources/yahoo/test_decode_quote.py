"""Quotes, with every trap of the wire."""

import json
from pathlib import Path
from typing import Any

import pytest
from mds_engine.errors import AuthRequired, InvalidPayload, NotFound, SourceError, Throttled
from mds_engine.model import Instrument
from mds_engine.sources.yahoo import plugin
from mds_engine.sources.yahoo.decode_quote import decode_quotes


def body(*items: dict[str, Any]) -> bytes:
    return json.dumps({"quoteResponse": {"result": list(items), "error": None}}).encode()


def test_recorded_quotes(recordings: Path) -> None:
    apple, alibaba = plugin.decoders["quote"].decode(
        (recordings / "yahoo" / "quote-AAPL-BABA.json").read_bytes()
    )
    assert apple.instrument == Instrument("NASDAQ", "AAPL")
    assert (apple.price, apple.open, apple.high, apple.low, apple.previous_close) == (
        244.6,
        241.07,
        245.41,
        241,
        241.53,
    )
    assert (apple.bid, apple.ask, apple.volume, apple.currency) == (244.44, 253.37, 40896227, "USD")
    assert apple.time_ns == 1739566800 * 10**9
    assert alibaba.instrument == Instrument("NYSE", "BABA")


def test_a_symbol_that_yahoo_does_not_know_is_just_not_there(recordings: Path) -> None:
    quotes = list(
        plugin.decoders["quote"].decode(
            (recordings / "yahoo" / "quoteCombine-AAPL-NONEXIST.json").read_bytes()
        )
    )
    assert [quote.instrument.symbol for quote in quotes] == ["AAPL"]


@pytest.mark.parametrize("name", ["quoteCombine-NONEXIST.json", "quote-AAPL220121C00025000.json"])
def test_nothing_known_is_not_found(recordings: Path, name: str) -> None:
    with pytest.raises(NotFound):
        plugin.decoders["quote"].decode((recordings / "yahoo" / name).read_bytes())


def test_zeros_of_an_index_are_absent(recordings: Path) -> None:
    (index,) = plugin.decoders["quote"].decode((recordings / "yahoo" / "quote-^VXAPL.json").read_bytes())
    assert index.price == 23.77
    assert [index.open, index.high, index.low, index.volume, index.bid, index.ask, index.bid_size] == [
        None
    ] * 7


def test_a_share_that_has_not_traded_today_has_a_volume_of_zero() -> None:
    item = {"symbol": "X", "quoteType": "EQUITY", "regularMarketPrice": 1.5, "regularMarketVolume": 0}
    assert decode_quotes(body(item))["X"].volume == 0


def test_a_quote_without_a_price_is_none() -> None:
    with pytest.raises(NotFound):
        decode_quotes(body({"symbol": "X"}))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (
            b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}',
            AuthRequired,
        ),
        (b"Too Many Requests", Throttled),
        (b"<!doctype html>", InvalidPayload),
        (b'{"quoteResponse":{"result":[{"symbol":"AAPL","regularMarketPri', InvalidPayload),
        (b'{"quoteResponse":{"result":[{"symbol":"AAPL","regularMarketPrice":"1.0"}]}}', InvalidPayload),
        (b'{"quoteResponse":{"result":[{"symbol":"AAPL","regularMarketPrice":-1.0}]}}', InvalidPayload),
        (b'{"quoteResponse":{"result":null,"error":{"code":"Not Found","description":""}}}', NotFound),
    ],
)
def test_what_is_wrong_gets_one_class(payload: bytes, kind: type[SourceError]) -> None:
    with pytest.raises(SourceError) as caught:
        decode_quotes(payload)
    assert type(caught.value) is kind
