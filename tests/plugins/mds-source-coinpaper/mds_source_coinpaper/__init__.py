"""Coinpaper (an invented vendor of coin prices) as a source of mds-engine.

`GET /v1/prices?coins=BTC,ETH` with the header `X-Token` answers
`{"prices": {"BTC": {"usd": "67000.10", "at": 1718200000}}}`; coins that it does
not know are missing, `at` is in epoch seconds. 60 requests a minute.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings
from mds_engine.errors import InvalidPayload, NotFound
from mds_engine.model import Capability, Instrument, Quote
from mds_engine.policy.limiter import LimitWindow
from mds_engine.sources.contract import (
    DecodeKind,
    EndpointState,
    RequestCost,
    Source,
    SourceContext,
    SourcePlugin,
)
from mds_engine.sources.http import HttpShell, classify_status


class CoinpaperSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[sources.NAME]` of kind `coinpaper`."""

    kind: str = "coinpaper"
    """The vendor adapter."""
    token: Secret = Secret()
    """The account's token."""
    endpoints: tuple[str, ...] = ("https://api.coinpaper.example",)
    """Base URLs for requests, tried in order."""


class _Price(msgspec.Struct):
    usd: float
    at: int


class _Body(msgspec.Struct):
    prices: dict[str, _Price]


_BODY = msgspec.json.Decoder(_Body, strict=False)  # not strict: prices are strings


def decode_prices(body: bytes) -> list[Quote]:
    """The quotes of one body. Pure: the same function serves the source and `mds-tui decode`."""
    try:
        prices = _BODY.decode(body).prices
    except msgspec.MsgspecError as error:
        raise InvalidPayload(f"Coinpaper's body cannot be read: {error}") from error
    if any(not price.usd > 0 for price in prices.values()):
        raise InvalidPayload("Coinpaper sent a price that is not positive")
    return [
        Quote(
            instrument=Instrument("CRYPTO", f"{coin}-USD"),
            price=price.usd,
            time_ns=price.at * 1_000_000_000,
            currency="USD",
        )
        for coin, price in prices.items()
    ]


class CoinpaperSource(Source):
    """Quotes of many coins in one request. There are no streams."""

    capabilities = frozenset({Capability.QUOTE})
    polls = True
    quotes_at_once = 20

    def __init__(self, settings: CoinpaperSettings, context: SourceContext) -> None:
        self._clock = context.clock
        self._http = HttpShell(
            context,
            settings.endpoints,
            timeout_s=settings.timeout_s,
            connections=settings.connections,
            headers={"X-Token": settings.token.reveal()},
            secrets=(settings.token,),
        )

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        return {"default": (LimitWindow(60, 60.0),)}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:
        return RequestCost()

    def serves(self, capability: Capability, instrument: Instrument) -> bool:
        return instrument.exchange == "CRYPTO"

    async def connect(self) -> None:
        await self._http.connect()

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> None:
        await self._prices("BTC")

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:
        coins = ",".join(instrument.symbol.removesuffix("-USD") for instrument in instruments)
        found = {quote.instrument: quote for quote in await self._prices(coins)}
        if not found:
            raise NotFound(f"Coinpaper knows none of {coins}")
        return {instrument: found[instrument] for instrument in instruments if instrument in found}

    def endpoints(self) -> tuple[EndpointState, ...]:
        return self._http.endpoints()

    async def _prices(self, coins: str) -> Iterable[Quote]:
        reply = await self._http.get("/v1/prices", {"coins": coins})
        failed = classify_status(reply, wall=self._clock.wall(), scrub=self._http.scrub)
        if failed is not None:
            raise failed
        return decode_prices(reply.body)


plugin = SourcePlugin(
    kind="coinpaper",
    title="Coinpaper",
    settings=CoinpaperSettings,
    create=CoinpaperSource,
    needs_key=True,
    decoders={"prices": DecodeKind(decode_prices, "body", "quotes: /v1/prices")},
)
